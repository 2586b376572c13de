/* Runs a .pare file where it lies: in flash, without malloc, floats, recursion or writable globals.
 *
 *     struct pare_model model;
 *     if (pare_model_open(file, size, &model) == PARE_OK)   // once; checks everything
 *         pare_model_run(&model, arena, inputs, outputs);   // arena: pare_model_arena_size(&model) bytes
 *
 * A tensor is an array of integer codes, row-major, for one sample; its real values are code * 2^-frac. File, arena,
 * inputs and outputs may lie at any address. */
#ifndef PARE_RUNTIME_H
#define PARE_RUNTIME_H

#include "pare/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pare_op;
struct pare_value;

/* Runs one operator: reads data[op->inputs[i]], i < op->input_count, writes data[op->output] (src/runtime/program.h). A
 * convolution of two inputs adds the second to its sums before they are rounded. */
typedef void pare_kernel(const struct pare_op *op, const struct pare_value *values, void *const *data);

/* An open file. Its bytes are not copied: they must stay in place, unchanged. */
struct pare_model {
    const uint8_t *bytes;
    size_t size;
    const uint8_t *section[8]; /* where the sections of the file begin, and where it ends (src/runtime/format.h) */
    /* One kernel per operator kind. pare_model_open installs those of the build; a table of one's own
     * replaces them, and must give the same codes. */
    pare_kernel *const *kernels;
    const char *problem; /* after a failure: what is wrong, in words; else NULL */
    uint32_t place;      /* after a failure: the index of the operator or value meant, else UINT32_MAX */
    bool in_operator;    /* after a failure: `place` is an operator */
};

/* An input or output: `storage` is 0 uint8, 1 int8, 2 uint16, 3 int16. */
struct pare_port {
    uint8_t storage, bits, rank;
    bool is_signed;
    int16_t frac;
    uint32_t dims[6];
    uint32_t count; /* codes in all */
    size_t size;    /* bytes in all */
};

/* Checks every byte that a run depends on. PARE_ERROR_INPUT for a file that is broken, PARE_ERROR_UNSUPPORTED for
 * another version; model->problem then says why. Such a model, or one of zeros, has no inputs, outputs and arena, and
 * pare_model_run refuses it. */
enum pare_status pare_model_open(const void *bytes, size_t size, struct pare_model *model);

size_t pare_model_arena_size(const struct pare_model *model);
uint32_t pare_model_input_count(const struct pare_model *model);
uint32_t pare_model_output_count(const struct pare_model *model);
/* PARE_ERROR_USAGE when there is no such input or output. */
enum pare_status pare_model_input(const struct pare_model *model, uint32_t index, struct pare_port *port);
enum pare_status pare_model_output(const struct pare_model *model, uint32_t index, struct pare_port *port);

/* Runs one sample. inputs[k] and outputs[k] are codes in the storage of their ports and the byte order of the machine;
 * the arena may hold anything before. PARE_ERROR_INPUT when an input holds a code outside of its format,
 * PARE_ERROR_USAGE when the model is not open or a pointer is missing; nothing is written to outputs then. */
enum pare_status pare_model_run(const struct pare_model *model, void *arena, const void *const *inputs,
                                void *const *outputs);

/* One line per status, for a log. */
const char *pare_status_text(enum pare_status status);

#ifdef __cplusplus
}
#endif

#endif
