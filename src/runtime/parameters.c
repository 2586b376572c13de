#include "runtime/parameters.h"

static void take_signed_array(struct pare_cursor *c, int32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = pare_take_signed(c);
    }
}

static uint8_t take_rank(struct pare_cursor *c) {
    return (uint8_t)pare_take_number(c, PARE_MAX_RANK);
}

static void take_window(struct pare_cursor *c, struct pare_op *op) {
    struct pare_window *w = &op->u.window;
    uint32_t *const fields[] = {&w->kernel_h,   &w->kernel_w,   &w->stride_h, &w->stride_w,
                                &w->dilation_h, &w->dilation_w, &w->pad_top,  &w->pad_left,
                                &w->pad_bottom, &w->pad_right,  &w->group};
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = pare_take_number(c, UINT16_MAX);
    }
    w->count_include_pad = pare_take_number(c, 1) != 0;
    op->weights.rows = w->out_c;
}

static void take_matrix(struct pare_cursor *c, struct pare_op *op) {
    op->weights.rows = pare_take_u32(c);
    op->weights.columns = pare_take_u32(c);
}

static void take_matmul(struct pare_cursor *c, struct pare_op *op) {
    op->u.matmul.batch = pare_take_u32(c);
    op->u.matmul.m = pare_take_u32(c);
    op->u.matmul.k = pare_take_u32(c);
    op->u.matmul.n = pare_take_u32(c);
    op->u.matmul.stride_a = pare_take_u32(c);
    op->u.matmul.stride_b = pare_take_u32(c);
}

static void take_binary(struct pare_cursor *c, struct pare_op *op) {
    op->u.binary.subtract = pare_take_number(c, 1) != 0;
    op->u.binary.rank = take_rank(c);
    pare_take_array(c, op->u.binary.dims, op->u.binary.rank);
    pare_take_array(c, op->u.binary.stride[0], op->u.binary.rank);
    pare_take_array(c, op->u.binary.stride[1], op->u.binary.rank);
}

static void take_concat(struct pare_cursor *c, struct pare_op *op) {
    pare_take_array(c, op->u.concat.size, op->input_count);
    op->u.concat.outer = pare_take_u32(c);
    op->u.concat.inner = pare_take_u32(c);
}

static void take_reduce(struct pare_cursor *c, struct pare_op *op) {
    op->u.reduce.outer = pare_take_u32(c);
    op->u.reduce.reduced = pare_take_u32(c);
    op->u.reduce.inner = pare_take_u32(c);
}

static void take_nothing(struct pare_cursor *c, struct pare_op *op) {
    (void)c;
    (void)op;
}

static void take_copy(struct pare_cursor *c, struct pare_op *op) {
    op->u.copy.fill = pare_take_number(c, 1) != 0;
    op->u.copy.fill_code = pare_take_signed(c);
    op->u.copy.in_base = pare_take_u32(c);
    op->u.copy.out_base = pare_take_u32(c);
    op->u.copy.rank = take_rank(c);
    pare_take_array(c, op->u.copy.dims, op->u.copy.rank);
    take_signed_array(c, op->u.copy.in_stride, op->u.copy.rank);
    take_signed_array(c, op->u.copy.out_stride, op->u.copy.rank);
}

static void take_gather(struct pare_cursor *c, struct pare_op *op) {
    op->u.gather.outer = pare_take_u32(c);
    op->u.gather.in_axis = pare_take_u32(c);
    op->u.gather.out_axis = pare_take_u32(c);
    op->u.gather.inner = pare_take_u32(c);
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
    [PARE_TABLE] = PARE_IF_BUILT(TABLE, take_nothing),
    [PARE_REQUANTIZE] = PARE_IF_BUILT(REQUANTIZE, take_nothing),
    [PARE_COPY] = PARE_IF_BUILT(COPY, take_copy),
    [PARE_GATHER] = PARE_IF_BUILT(GATHER, take_gather),
};
