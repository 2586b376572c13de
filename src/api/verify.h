/* The parts of pare_verify. */
#ifndef PARE_API_VERIFY_H
#define PARE_API_VERIFY_H

#include "api/test_vector.h"
#include "report/verification.h"

struct verify_job {
    const struct pare_settings *settings;
    const char *folder;
    struct arena arena;
    struct pare_network *compact, *rewritten; /* owned; `rewritten` may be NULL */
    struct test_vector vector;
    const uint64_t *hashes;       /* of every value; NULL: none are stored for this data */
    void **codes[EXECUTOR_COUNT]; /* as test_vector_run gives them, or NULL */
    bool *found[EXECUTOR_COUNT];  /* of the two that run the ONNX: whether the value is in it */
    struct verification report;
};

/* The rewritten ONNX in pare's float interpreter: fills codes and found of EXECUTOR_ONNX. */
enum pare_status verify_onnx(struct context *ctx, struct verify_job *job);
/* The same in ONNX Runtime, by a Python of the user's; where there is none, report.absent says so. */
enum pare_status verify_runtime(struct context *ctx, struct verify_job *job);

/* The inputs of one sample as the network takes them: exactly its codes. */
enum pare_status verify_inputs(struct context *ctx, struct arena *arena, const struct verify_job *job, size_t sample,
                               struct tensor *inputs);
/* The program's value whose codes stand under this name in the rewritten ONNX; UINT32_MAX: none. */
uint32_t verify_value(struct verify_job *job, const char *name);
/* Takes codes of one sample, in any integer type. */
void verify_take(struct verify_job *job, enum executor_kind kind, uint32_t value, size_t sample, const struct tensor *t,
                 size_t first);

/* In words: what makes element `index` of operator `op` in a sample. */
const char *verify_operands(struct arena *arena, const struct program *p, uint32_t op, void *const *codes,
                            size_t sample, uint32_t index);

#endif
