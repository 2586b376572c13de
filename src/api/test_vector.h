/* Samples as codes, and the codes that a program makes of them. */
#ifndef PARE_API_TEST_VECTOR_H
#define PARE_API_TEST_VECTOR_H

#include "api/network.h"
#include "tensor/dataset.h"

struct test_vector {
    size_t count;
    uint32_t input_count, output_count;
    void **inputs;  /* [count][input_count]: codes in the storage of the input */
    void **outputs; /* [count][output_count] */
};

/* The first samples of the setting `data`, or random codes from `seed`; at most the setting `samples`. Runs `program`,
 * the network's, in the host's executor. Everything lies in `arena`. */
enum pare_status test_vector_make(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  const struct pare_settings *settings, const struct program *program,
                                  struct test_vector *out);
/* Inputs alone: of the first `count` samples of the data, which must be as the program takes them. */
enum pare_status test_vector_of_data(struct context *ctx, struct arena *arena, const struct program *p,
                                     const struct dataset *d, size_t count, struct test_vector *out);
enum pare_status test_vector_of_settings(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                         const struct pare_settings *settings, const struct program *p,
                                         struct test_vector *out);

/* Every code of every sample: codes[v] holds those of value v one sample after the other; NULL for constants and for
 * values that are no codes. `isa` as in executor_force, NULL: the best. */
enum pare_status test_vector_run(struct context *ctx, struct arena *arena, const struct program *p,
                                 const struct test_vector *v, const char *isa, void ***codes);
/* Room for that, with nothing in it. */
enum pare_status test_vector_room(struct context *ctx, struct arena *arena, const struct program *p, size_t count,
                                  void ***codes);

/* The file that quantize leaves: "input:NAME" codes, "output:NAME" codes, and "hashes" of every value's codes (FNV-1a
 * of int32 little-endian, in the order of the program). Runs the program. */
enum pare_status test_vector_write(struct context *ctx, const struct pare_network *n, const struct dataset *d,
                                   const char *path);
/* Inputs and hashes; PARE_ERROR_INPUT where the file is another network's. */
enum pare_status test_vector_read(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  const char *path, struct test_vector *out, const uint64_t **hashes);
uint64_t test_vector_hash(const struct pare_value *v, const void *codes, size_t count);

#endif
