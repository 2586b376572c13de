/* The parts of pare_export: a model as C sources that compile as they are. */
#ifndef PARE_API_EXPORT_H
#define PARE_API_EXPORT_H

#include "api/network.h"

/* Samples as the program takes them, with what it makes of them. */
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

/* The sources: `file` is the .pare file that the program makes. Each function appends to `out`. */
void source_model_header(struct buffer *out, const struct pare_network *n, const struct program *program,
                         const struct buffer *file);
void source_model(struct buffer *out, const struct buffer *file);
void source_vector_header(struct buffer *out, const struct test_vector *vector);
void source_vector(struct buffer *out, const struct program *program, const struct test_vector *vector);
/* runtime/kinds.h for this program alone; `all` is the runtime's own. */
void source_kinds(struct buffer *out, const struct program *program, const char *all, size_t size);

#endif
