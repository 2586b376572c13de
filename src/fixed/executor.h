/* Runs integer programs on the host: SIMD kernels, threads over samples, cached prefixes. Every code is equal to what
 * the reference kernels of src/runtime compute. */
#ifndef PARE_FIXED_EXECUTOR_H
#define PARE_FIXED_EXECUTOR_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/context.h"
#include "runtime/program.h"

/* A step that stays in float: reads and writes raw value data of one sample. Thread-safe. */
typedef enum pare_status host_step_function(void *user, struct context *ctx, const void *const *inputs, void *output);
struct host_step {
    host_step_function *run;
    void *user;
    const char *name; /* node name, for messages */
    const char *op;   /* ONNX operator */
};

/* A program in host memory; everything it points to lives in `arena`, or outlives it. */
struct program {
    struct arena *arena;
    struct pare_value *values;
    uint32_t value_count;
    struct pare_op *ops;
    uint32_t op_count;
    const char **value_names; /* ONNX names */
    const char **op_names;    /* ONNX node names */
    const char **op_types;    /* ONNX operator the user wrote */
    uint32_t *inputs, *outputs;
    uint32_t input_count, output_count;
    struct host_step *steps;
    uint32_t step_count;
    const char *metadata; /* JSON text, or NULL */
    size_t *rooms; /* of lower_again, per operator and then per value: bytes of its table or constant; else NULL */
};

/* ---- the .pare file ---- */

/* Serialises (layout: runtime/format.h). PARE_ERROR_UNSUPPORTED naming every host step in one message. */
enum pare_status program_write(struct context *ctx, const struct program *p, struct buffer *out);
/* Validates and decodes; `place` names the source. The bytes are copied. Free with arena_free(p->arena),
 * free(p->arena). */
enum pare_status program_read(struct context *ctx, const char *place, const void *data, size_t size,
                              struct program **out);
/* Assigns arena offsets by lifetimes; returns the peak in bytes. */
enum pare_status program_plan_arena(struct context *ctx, struct program *p, size_t *peak);

/* ---- execution ---- */

struct executor;
struct executor_cache;

/* Plans every operator (validate, choose a kernel, unpack its weights). The program must outlive the executor. */
enum pare_status executor_new(struct context *ctx, const struct program *p, struct executor **out);
void executor_free(struct executor *e);
/* Operator `op` of the program, or the format of its output, was changed: the next run plans it and its readers again,
 * so that several operators may be changed first. */
enum pare_status executor_update(struct context *ctx, struct executor *e, uint32_t op);
/* Names of the instruction sets that could be used; executor_new takes the best unless one is forced. "reference" runs
 * the kernels of src/runtime. For tests and benchmarks. */
enum pare_status executor_force(struct context *ctx, struct executor *e, const char *isa);

/* Fills input k's codes (program's storage) at inputs[k] for sample i. */
typedef enum pare_status executor_load(void *user, struct context *ctx, size_t sample, void *const *inputs);
/* Sees sample i after its run. values[v] is the data of program value v; valid during the call. Called on worker
 * threads, in no order: write only to places owned by the sample or the worker. With a cache, only program outputs and
 * what is produced or read at or after the cut can be relied on: the operators before it may not have run. */
typedef enum pare_status executor_sink(void *user, struct context *ctx, size_t sample, int worker,
                                       const void *const *values);

/* Runs samples[0..count) (NULL: 0..count). With a cache, starts each sample from the deepest snapshot that is still
 * valid. */
enum pare_status executor_run(struct context *ctx, struct executor *e, const size_t *samples, size_t count,
                              executor_load *load, executor_sink *sink, void *user, struct executor_cache *cache);

/* The same up to operator `op`, which does not run: the sink sees what it reads. */
enum pare_status executor_run_before(struct context *ctx, struct executor *e, uint32_t op, const size_t *samples,
                                     size_t count, executor_load *load, executor_sink *sink, void *user,
                                     struct executor_cache *cache);

/* Snapshots of all values live before operator `cut`, for a fixed list of samples, within a memory budget
 * (oldest dropped first). A snapshot is valid while no operator before its cut was updated. */
enum pare_status executor_cache_new(struct context *ctx, const struct executor *e, size_t sample_count,
                                    size_t budget_bytes, struct executor_cache **out);
void executor_cache_free(struct executor_cache *c);
/* Asks that the next run store a snapshot at `cut` (ignored where one is valid). With sample lists, index i of the
 * list is slot i of the cache: use one cache with one list. */
void executor_cache_want(struct executor_cache *c, uint32_t cut);

#endif
