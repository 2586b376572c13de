#include "runtime/parameters.h"

#include "runtime/codes.h"
#include "runtime/model.h"

static int32_t as_signed(uint32_t v) {
    return v <= INT32_MAX ? (int32_t)v : -(int32_t)~v - 1;
}

static void take_signed_array(struct pare_cursor *c, int32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = as_signed(pare_take_u32(c));
    }
}

/* A rank; larger ones fail. */
static uint8_t take_rank(struct pare_cursor *c) {
    uint32_t rank = pare_take_u32(c);
    c->failed = c->failed || rank > PARE_MAX_RANK;
    return c->failed ? 0 : (uint8_t)rank;
}

static void take_window(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    uint32_t f[PARE_WINDOW_FIELDS];
    for (unsigned i = 0; i < PARE_WINDOW_FIELDS; i++) {
        bool is_size = i < PARE_WINDOW_SIZES;
        f[i] = pare_take_number(c, is_size ? 4 : 2);
        c->failed = c->failed || (!is_size && f[i] > UINT16_MAX);
    }
    op->u.window = (struct pare_window){f[0], f[1],  f[2],  f[3],  f[4],  f[5],  f[6],       f[7],  f[8],
                                        f[9], f[10], f[11], f[12], f[13], f[16], f[17] != 0, f[14], f[15]};
    op->weights.rows = op->u.window.out_c;
}

static void take_matrix(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->weights.rows = pare_take_u32(c);
    op->weights.columns = pare_take_u32(c);
}

static void take_matmul(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.matmul.batch = pare_take_u32(c);
    op->u.matmul.m = pare_take_u32(c);
    op->u.matmul.k = pare_take_u32(c);
    op->u.matmul.n = pare_take_u32(c);
    op->u.matmul.stride_a = pare_take_u32(c);
    op->u.matmul.stride_b = pare_take_u32(c);
}

static void take_binary(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.binary.subtract = pare_take_u32(c) != 0;
    op->u.binary.rank = take_rank(c);
    pare_take_array(c, op->u.binary.dims, op->u.binary.rank);
    pare_take_array(c, op->u.binary.stride[0], op->u.binary.rank);
    pare_take_array(c, op->u.binary.stride[1], op->u.binary.rank);
}

static void take_concat(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.concat.outer = pare_take_u32(c);
    op->u.concat.inner = pare_take_u32(c);
    pare_take_array(c, op->u.concat.size, op->input_count);
    for (uint32_t i = 0; i < op->input_count; i++) {
        op->inputs[i] = pare_take_number(c, 2);
    }
}

static void take_reduce(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.reduce.outer = pare_take_u32(c);
    op->u.reduce.reduced = pare_take_u32(c);
    op->u.reduce.inner = pare_take_u32(c);
}

/* A table has as many entries as the input has codes. */
static void take_table(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    struct pare_placed_value x, y;
    bool known =
        pare_decode_value(model, op->inputs[0], &x) == NULL && pare_decode_value(model, op->output, &y) == NULL;
    c->failed = c->failed || !known;
    if (known) {
        op->u.table.entries = pare_take(c, (uint64_t)storage_size(y.value.storage) << x.value.bits);
    }
}

static void take_nothing(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)c;
    (void)model;
    (void)op;
}

static void take_copy(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.copy.fill = pare_take_u32(c) != 0;
    op->u.copy.fill_code = as_signed(pare_take_u32(c));
    op->u.copy.in_base = pare_take_u32(c);
    op->u.copy.out_base = pare_take_u32(c);
    op->u.copy.rank = take_rank(c);
    pare_take_array(c, op->u.copy.dims, op->u.copy.rank);
    take_signed_array(c, op->u.copy.in_stride, op->u.copy.rank);
    take_signed_array(c, op->u.copy.out_stride, op->u.copy.rank);
}

static void take_gather(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op) {
    (void)model;
    op->u.gather.outer = pare_take_u32(c);
    op->u.gather.in_axis = pare_take_u32(c);
    op->u.gather.out_axis = pare_take_u32(c);
    op->u.gather.inner = pare_take_u32(c);
    op->u.gather.indices = pare_take(c, (uint64_t)op->u.gather.out_axis * 4);
}

pare_take_parameters *const pare_parameter_readers[PARE_KIND_COUNT] = {
    [PARE_CONV] = PARE_IF_BUILT(CONV, take_window),
    [PARE_CONV_TRANSPOSE] = PARE_IF_BUILT(CONV_TRANSPOSE, take_window),
    [PARE_DENSE] = PARE_IF_BUILT(DENSE, take_matrix),
    [PARE_MATMUL] = PARE_IF_BUILT(MATMUL, take_matmul),
    [PARE_ADD] = PARE_IF_BUILT(ADD, take_binary),
    [PARE_MUL] = PARE_IF_BUILT(MUL, take_binary),
    [PARE_PRELU] = PARE_IF_BUILT(PRELU, take_matrix),
    [PARE_CONCAT] = PARE_IF_BUILT(CONCAT, take_concat),
    [PARE_MAX_POOL] = PARE_IF_BUILT(MAX_POOL, take_window),
    [PARE_AVERAGE_POOL] = PARE_IF_BUILT(AVERAGE_POOL, take_window),
    [PARE_REDUCE_MEAN] = PARE_IF_BUILT(REDUCE_MEAN, take_reduce),
    [PARE_TABLE] = PARE_IF_BUILT(TABLE, take_table),
    [PARE_REQUANTIZE] = PARE_IF_BUILT(REQUANTIZE, take_nothing),
    [PARE_COPY] = PARE_IF_BUILT(COPY, take_copy),
    [PARE_GATHER] = PARE_IF_BUILT(GATHER, take_gather),
};
