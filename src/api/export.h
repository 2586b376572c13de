/* The parts of pare_export: a model as C sources that compile as they are. */
#ifndef PARE_API_EXPORT_H
#define PARE_API_EXPORT_H

#include "api/test_vector.h"
#include "base/folder.h"

/* The sources: `file` is the .pare file that the program makes. Each function appends to `out`. */
uint32_t source_arena_size(const struct buffer *file);
void source_model_header(struct buffer *out, const struct pare_network *n, const struct program *program,
                         const struct buffer *file);
void source_model(struct buffer *out, const struct buffer *file);
void source_vector_header(struct buffer *out, const struct test_vector *vector);
void source_vector(struct buffer *out, const struct program *program, const struct test_vector *vector);
/* runtime/kinds.h for this program alone; `all` is the runtime's own. */
void source_kinds(struct buffer *out, const struct program *program, const char *all, size_t size);

/* The files but for the runtime, with `name` instead of "model" in what is named after the model: its files, its array,
 * its macros. Paths and texts move into the arena. */
enum pare_status sources_rename(struct context *ctx, struct arena *arena, struct folder_file *files, size_t count,
                                const char *name);

/* Into the file `output`, in the dialect of ONNX that the settings name. `size` becomes its bytes. */
enum pare_status export_onnx(struct context *ctx, const struct pare_network *n, const struct pare_settings *settings,
                             const char *output, uint64_t *size);

#endif
