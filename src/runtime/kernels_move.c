/* Operators that move codes; where the output has another fraction they round as they move. */
#include "runtime/codes.h"
#include "runtime/kernels.h"

static void move_code(const struct pare_op *op, const struct pare_value *values, void *output, const struct codes *from,
                      uint32_t input, uint32_t from_index, uint32_t to_index) {
    const struct pare_value *y = &values[op->output];
    int shift = values[op->inputs[input]].frac - y->frac;
    int32_t code = requantize32(code_at(from, from_index), shift, op->low, op->high);
    write_code(output, y->storage, to_index, code);
}

void pare_run_concat(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    uint32_t at = 0;
    for (uint32_t outer = 0; outer < op->u.concat.outer; outer++) {
        for (uint32_t input = 0; input < op->input_count; input++) {
            struct codes from = input_codes(op, values, data, input);
            uint32_t run = op->u.concat.size[input] * op->u.concat.inner;
            for (uint32_t i = 0; i < run; i++) {
                move_code(op, values, data[op->output], &from, input, outer * run + i, at++);
            }
        }
    }
}

/* Advances an index over dims; false after the last one. */
static bool next_index(uint32_t *index, const uint32_t *dims, unsigned rank) {
    for (unsigned axis = rank; axis-- > 0;) {
        if (++index[axis] < dims[axis]) {
            return true;
        }
        index[axis] = 0;
    }
    return false;
}

/* base + sum of index * stride: exact modulo 2^32, and proven to lie inside. */
static uint32_t strided(uint32_t base, const uint32_t *index, const int32_t *stride, unsigned rank) {
    for (unsigned axis = 0; axis < rank; axis++) {
        base += index[axis] * (uint32_t)stride[axis];
    }
    return base;
}

void pare_run_copy(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes from = input_codes(op, values, data, 0);
    if (op->u.copy.fill) {
        for (uint32_t i = 0; i < y->count; i++) {
            write_code(data[op->output], y->storage, i, op->u.copy.fill_code);
        }
    }
    uint32_t index[PARE_MAX_RANK] = {0};
    unsigned rank = op->u.copy.rank;
    do {
        uint32_t source = strided(op->u.copy.in_base, index, op->u.copy.in_stride, rank);
        uint32_t target = strided(op->u.copy.out_base, index, op->u.copy.out_stride, rank);
        move_code(op, values, data[op->output], &from, 0, source, target);
    } while (next_index(index, op->u.copy.dims, rank));
}

void pare_run_gather(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    struct codes from = input_codes(op, values, data, 0);
    uint32_t inner = op->u.gather.inner, at = 0;
    for (uint32_t outer = 0; outer < op->u.gather.outer; outer++) {
        for (uint32_t i = 0; i < op->u.gather.out_axis; i++) {
            uint32_t row = outer * op->u.gather.in_axis + little_endian32(op->u.gather.indices, i);
            for (uint32_t j = 0; j < inner; j++) {
                move_code(op, values, data[op->output], &from, 0, row * inner + j, at++);
            }
        }
    }
}
