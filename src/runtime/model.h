/* Decoding the records of a file, and what makes a program safe to run. */
#ifndef PARE_RUNTIME_MODEL_H
#define PARE_RUNTIME_MODEL_H

#include "pare/runtime.h"
#include "runtime/format.h"

#define PARE_NOT_BUILT "this runtime is built without operators of its kind"

/* Functions that return text return NULL for success, else what is wrong, in static storage. */

/* What pare_model_open says of a file that would take too long to check (PARE_SHARED_STEPS). */
extern const char pare_shares_too_much[];

/* Decodes value `index` < value_count; its block of dims and its place are checked. */
const char *pare_decode_value(const struct pare_model *model, uint32_t index, struct pare_value *out);
/* Decodes operator `index` < op_count. Pointers lead into the file and stay inside of it for the
 * sizes that the operator states; indices of values are in range. */
const char *pare_decode_op(const struct pare_model *model, uint32_t index, struct pare_op *out);
/* Sets the kind, the inputs and the output of an operator that pare_decode_op decodes, and nothing else. */
void pare_decode_inputs(const struct pare_model *model, uint32_t index, struct pare_op *out);
/* Index of the value that is output `index`. */
uint32_t pare_output_value(const struct pare_model *model, uint32_t index);

/* Whether the kernels may run the operator: shapes agree, every index stays inside its value, output bounds lie in
 * the output's format, and no input in format can make an accumulator overflow (32 bits, or 64 when wide).
 * Computed from the actual weights, so it takes time in proportion to them. */
const char *pare_check_op(const struct pare_op *op, const struct pare_value *values);
/* Whether the output may take the place of input `input`, which no later operator reads: TABLE, REQUANTIZE, PRELU, the
 * addend of CONV, and ADD and MUL where that input is not broadcast, with codes of the same size. Kernels keep to it.
 */
bool pare_may_overwrite(const struct pare_op *op, const struct pare_value *values, uint32_t input);
/* Whether the operator needs PARE_WIDE (runtime/kinds.h): its accumulators, or what it divides, may leave 32 bits. */
bool pare_op_is_wide(const struct pare_op *op, const struct pare_value *values);
/* Whether it needs PARE_LONG_FACTORS: what its weights are multiplied by may leave 16 bits. */
bool pare_op_has_long_factors(const struct pare_op *op, const struct pare_value *values);
/* Multiplications, or elements moved, of one run: an upper bound, saturating. */
uint64_t pare_op_work(const struct pare_op *op, const struct pare_value *values);

uint32_t pare_crc32(const uint8_t *data, size_t size);

static inline const struct pare_file_header *pare_header(const struct pare_model *model) {
    return (const struct pare_file_header *)(const void *)model->bytes;
}

uint32_t pare_value_count(const struct pare_model *model);
uint32_t pare_op_count(const struct pare_model *model);
/* Index of the first value that no operator writes. */
uint32_t pare_first_constant(const struct pare_model *model);

#endif
