/* Equality of two lowered programs, operator by operator: the same integers come out of both. */
#ifndef PARE_TESTS_PROGRAM_EQUAL_H
#define PARE_TESTS_PROGRAM_EQUAL_H

#include "fixed/executor.h"
#include "runtime/codes.h"

#include <check.h>

static inline size_t storage_bytes(const struct pare_value *v) {
    return (size_t)v->count * (v->storage == PARE_F32 ? 4 : v->storage >= PARE_U16 ? 2 : 1);
}

static inline void assert_same_value(const struct program *p, const struct program *q, uint32_t i) {
    const struct pare_value *a = &p->values[i], *b = &q->values[i];
    ck_assert_str_eq(p->value_names[i], q->value_names[i]);
    ck_assert_int_eq(a->storage, b->storage);
    ck_assert_int_eq(a->bits, b->bits);
    ck_assert_int_eq(a->is_signed, b->is_signed);
    ck_assert_int_eq(a->frac, b->frac);
    ck_assert_int_eq(a->rank, b->rank);
    ck_assert_mem_eq(a->dims, b->dims, sizeof a->dims);
    ck_assert_int_eq(a->constant == NULL, b->constant == NULL);
    if (a->constant != NULL) {
        ck_assert_mem_eq(a->constant, b->constant, storage_bytes(a));
    }
}

static inline void assert_same_weights(const struct pare_weights *a, const struct pare_weights *b) {
    ck_assert_uint_eq(a->bits, b->bits);
    ck_assert_uint_eq(a->rows, b->rows);
    ck_assert_uint_eq(a->columns, b->columns);
    ck_assert_uint_eq(a->row_bits, b->row_bits);
    ck_assert_int_eq(a->frac_per_row, b->frac_per_row);
    for (uint32_t r = 0; r < a->rows; r++) {
        ck_assert_int_eq(weight_frac(a, r), weight_frac(b, r));
    }
    if (a->bits > 0) {
        ck_assert_mem_eq(a->data, b->data, ((size_t)a->rows * a->row_bits + 7) / 8);
    }
}

static inline void assert_same_bias(const struct pare_bias *a, const struct pare_bias *b, uint32_t rows) {
    ck_assert_uint_eq(a->bits, b->bits);
    if (a->bits > 0) {
        ck_assert_int_eq(a->frac_per_row, b->frac_per_row);
        for (uint32_t r = 0; r < rows; r++) {
            ck_assert_int_eq(bias_frac(a, r), bias_frac(b, r));
        }
        ck_assert_mem_eq(a->data, b->data, ((size_t)rows * a->bits + 7) / 8);
    }
}

static inline void assert_same_op(const struct program *p, const struct program *q, uint32_t i) {
    const struct pare_op *a = &p->ops[i], *b = &q->ops[i];
    ck_assert_str_eq(p->op_names[i], q->op_names[i]);
    ck_assert_str_eq(p->op_types[i], q->op_types[i]);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_int_eq(a->wide, b->wide);
    ck_assert_int_eq(a->input_count, b->input_count);
    ck_assert_mem_eq(a->inputs, b->inputs, a->input_count * sizeof a->inputs[0]);
    ck_assert_uint_eq(a->output, b->output);
    ck_assert_int_eq(a->low, b->low);
    ck_assert_int_eq(a->high, b->high);
    if (a->weights.rows > 0) {
        assert_same_weights(&a->weights, &b->weights);
        assert_same_bias(&a->bias, &b->bias, a->weights.rows);
    }
    ck_assert_int_eq(a->zero == NULL, b->zero == NULL);
    for (uint32_t c = 0; a->zero != NULL && c < a->u.window.in_c; c++) {
        ck_assert_int_eq(zero_at(a, c), zero_at(b, c));
    }
    if (a->kind == PARE_COPY) {
        ck_assert_int_eq(a->u.copy.fill_code, b->u.copy.fill_code);
    }
    if (a->kind == PARE_TABLE) {
        size_t entries = (size_t)1 << p->values[a->inputs[0]].bits;
        ck_assert_mem_eq(a->u.table.entries, b->u.table.entries, entries * (p->values[a->output].bits > 8 ? 2 : 1));
    }
}

static inline void assert_same_program(const struct program *p, const struct program *q) {
    ck_assert_uint_eq(p->value_count, q->value_count);
    ck_assert_uint_eq(p->op_count, q->op_count);
    ck_assert_uint_eq(p->output_count, q->output_count);
    for (uint32_t i = 0; i < p->value_count; i++) {
        assert_same_value(p, q, i);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        assert_same_op(p, q, i);
    }
    ck_assert_mem_eq(p->outputs, q->outputs, p->output_count * sizeof p->outputs[0]);
}

#endif
