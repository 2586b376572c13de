/* Shapes of the operators on integer codes: those of the operators on numbers that they stand for, seen through a call
 * on the operands alone. */
#include "graph/infer.h"

#define OPERANDS_MAX 2

/* Calls `infer` on the operands at `at`, as if they were float32, and gives output 0 the type. Each operand is checked
 * to hold 8-bit codes. */
static enum pare_status infer_operands(struct infer_call *c, infer_function *infer, const int *at, int count,
                                       enum dtype type) {
    struct node n = *c->node;
    struct infer_value values[OPERANDS_MAX], out = {.rank = -1};
    const struct infer_value *inputs[OPERANDS_MAX];
    for (int i = 0; i < count; i++) {
        values[i] = *infer_input(c, at[i]);
        if (values[i].type != DTYPE_NONE && values[i].type != DTYPE_INT8 && values[i].type != DTYPE_UINT8) {
            return infer_fail(c, "input %d is %s, expected int8 or uint8", at[i], dtype_name(values[i].type));
        }
        values[i].type = DTYPE_FLOAT;
        inputs[i] = &values[i];
    }
    n.input_count = count;
    n.output_count = 1;
    struct infer_call call = {.ctx = c->ctx, .arena = c->arena, .node = &n, .inputs = inputs, .outputs = &out};
    TRY(infer(&call));
    return infer_set(c, type, out.rank, out.dims);
}

static enum pare_status check_type(const struct infer_call *c, int index, enum dtype one, enum dtype other) {
    const struct infer_value *v = infer_input(c, index);
    if (v == NULL || v->type == DTYPE_NONE || v->type == one || v->type == other) {
        return PARE_OK;
    }
    return infer_fail(c, "input %d is %s, expected %s", index, dtype_name(v->type), dtype_name(one));
}

/* Codes, their scale and their zero point, which stand side by side from input `at` on. */
static enum pare_status check_codes(const struct infer_call *c, int at) {
    TRY(check_type(c, at + 1, DTYPE_FLOAT, DTYPE_FLOAT));
    return infer_check_same_type(c, at, at + 2);
}

/* The output's scale and zero point; *type is that of the codes. uint8 where there is no zero point. */
static enum pare_status check_output(const struct infer_call *c, int at, enum dtype *type) {
    const struct infer_value *zero = infer_input(c, at + 1);
    TRY(check_type(c, at, DTYPE_FLOAT, DTYPE_FLOAT));
    TRY(check_type(c, at + 1, DTYPE_UINT8, DTYPE_INT8));
    *type = zero == NULL ? DTYPE_UINT8 : zero->type;
    return PARE_OK;
}

static enum pare_status check_singles(const struct infer_call *c, const int *at, int count) {
    for (int i = 0; i < count; i++) {
        TRY(infer_check_single(c, at[i]));
    }
    return PARE_OK;
}

/* One for all, or one per `length`. */
static enum pare_status check_per_channel(const struct infer_call *c, int index, struct dim length) {
    const struct infer_value *v = infer_input(c, index);
    bool single = v == NULL || v->rank < 1 || (v->rank == 1 && v->dims[0].value == 1);
    return single ? PARE_OK : infer_check_vector(c, index, &length);
}

static struct dim dim_at(const struct infer_value *v, int from_end) {
    return v->rank >= from_end ? v->dims[v->rank - from_end] : dim_unknown();
}

enum pare_status infer_conv_integer(struct infer_call *c) {
    const struct infer_value *w = infer_input(c, 1);
    TRY(infer_check_single(c, 2));
    TRY(infer_check_same_type(c, 0, 2));
    TRY(infer_check_same_type(c, 1, 3));
    TRY(check_per_channel(c, 3, w->rank > 0 ? w->dims[0] : dim_unknown()));
    return infer_operands(c, infer_conv, (const int[]){0, 1}, 2, DTYPE_INT32);
}

enum pare_status infer_qlinear_conv(struct infer_call *c) {
    const struct infer_value *w = infer_input(c, 3);
    struct dim channels = w->rank > 0 ? w->dims[0] : dim_unknown();
    enum dtype type = DTYPE_NONE;
    TRY(check_codes(c, 0));
    TRY(check_codes(c, 3));
    TRY(check_output(c, 6, &type));
    TRY(check_type(c, 8, DTYPE_INT32, DTYPE_INT32));
    TRY(check_singles(c, (const int[]){1, 2, 6, 7}, 4));
    TRY(check_per_channel(c, 4, channels));
    TRY(check_per_channel(c, 5, channels));
    TRY(infer_check_vector(c, 8, &channels));
    return infer_operands(c, infer_conv, (const int[]){0, 3}, 2, type);
}

enum pare_status infer_matmul_integer(struct infer_call *c) {
    TRY(infer_check_same_type(c, 0, 2));
    TRY(infer_check_same_type(c, 1, 3));
    TRY(check_per_channel(c, 2, dim_at(infer_input(c, 0), 2)));
    TRY(check_per_channel(c, 3, dim_at(infer_input(c, 1), 1)));
    return infer_operands(c, infer_matmul, (const int[]){0, 1}, 2, DTYPE_INT32);
}

enum pare_status infer_qlinear_matmul(struct infer_call *c) {
    struct dim columns = dim_at(infer_input(c, 3), 1);
    enum dtype type = DTYPE_NONE;
    TRY(check_codes(c, 0));
    TRY(check_codes(c, 3));
    TRY(check_output(c, 6, &type));
    TRY(check_singles(c, (const int[]){1, 2, 6, 7}, 4));
    TRY(check_per_channel(c, 4, columns));
    TRY(check_per_channel(c, 5, columns));
    return infer_operands(c, infer_matmul, (const int[]){0, 3}, 2, type);
}

/* As Gemm's, which must broadcast to [rows, columns]. */
static enum pare_status check_addend_of_codes(const struct infer_call *c) {
    const struct infer_value *a = infer_input(c, 0), *b = infer_input(c, 3), *addend = infer_input(c, 6);
    bool ta = node_int(c->node, "transA") != 0, tb = node_int(c->node, "transB") != 0;
    if (addend == NULL || addend->rank < 0 || a->rank != 2 || b->rank != 2) {
        return addend == NULL || addend->rank < 0 ? PARE_OK : infer_check_rank(c, a->rank != 2 ? 0 : 3, 2, 2);
    }
    const struct dim whole[2] = {a->dims[ta ? 1 : 0], b->dims[tb ? 0 : 1]};
    TRY(infer_check_rank(c, 6, 0, 2));
    for (int i = 0; i < addend->rank; i++) {
        int64_t own = addend->dims[i].value, size = whole[2 - addend->rank + i].value;
        if (own >= 0 && own != 1 && size >= 0 && own != size) {
            char text[INFER_TEXT_MAX];
            return infer_fail(c, "addend %s does not broadcast to the product", infer_text(addend, text, sizeof text));
        }
    }
    return PARE_OK;
}

/* Without a scale of its own the output is float32. */
enum pare_status infer_qgemm(struct infer_call *c) {
    const struct infer_value *b = infer_input(c, 3);
    struct dim columns = b->rank == 2 ? b->dims[node_int(c->node, "transB") != 0 ? 0 : 1] : dim_unknown();
    enum dtype type = DTYPE_NONE;
    TRY(check_codes(c, 0));
    TRY(check_codes(c, 3));
    TRY(check_output(c, 7, &type));
    TRY(check_type(c, 6, DTYPE_INT32, DTYPE_INT32));
    TRY(check_addend_of_codes(c));
    TRY(check_singles(c, (const int[]){1, 2, 7, 8}, 4));
    TRY(check_per_channel(c, 4, columns));
    TRY(check_per_channel(c, 5, columns));
    const struct infer_value *scale = infer_input(c, 7);
    return infer_operands(c, infer_gemm, (const int[]){0, 3}, 2, scale == NULL ? DTYPE_FLOAT : type);
}

enum pare_status infer_qlinear_binary(struct infer_call *c) {
    TRY(check_codes(c, 0));
    TRY(check_codes(c, 3));
    TRY(infer_check_same_type(c, 0, 3));
    TRY(infer_check_same_type(c, 0, 7));
    TRY(check_type(c, 6, DTYPE_FLOAT, DTYPE_FLOAT));
    TRY(check_singles(c, (const int[]){1, 2, 4, 5, 6, 7}, 6));
    return infer_operands(c, infer_broadcast, (const int[]){0, 3}, 2, infer_input(c, 0)->type);
}

static enum pare_status check_unary(const struct infer_call *c) {
    TRY(check_codes(c, 0));
    TRY(check_type(c, 3, DTYPE_FLOAT, DTYPE_FLOAT));
    TRY(infer_check_same_type(c, 0, 4));
    return check_singles(c, (const int[]){1, 2, 3, 4}, 4);
}

enum pare_status infer_qlinear_softmax(struct infer_call *c) {
    TRY(check_unary(c));
    return infer_operands(c, infer_softmax, (const int[]){0}, 1, infer_input(c, 0)->type);
}

static enum pare_status infer_pool_of_codes(struct infer_call *c, infer_function *infer) {
    TRY(check_unary(c));
    if (node_int(c->node, "channels_last") != 0) {
        return infer_fail(c, "channels_last is not supported; export it with channels first");
    }
    return infer_operands(c, infer, (const int[]){0}, 1, infer_input(c, 0)->type);
}

enum pare_status infer_qlinear_pool(struct infer_call *c) {
    return infer_pool_of_codes(c, infer_pool);
}

enum pare_status infer_qlinear_global_pool(struct infer_call *c) {
    return infer_pool_of_codes(c, infer_global_pool);
}

enum pare_status infer_dynamic_quantize(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(check_type(c, 0, DTYPE_FLOAT, DTYPE_FLOAT));
    TRY(infer_set_output(c, 1, DTYPE_FLOAT, 0, NULL));
    TRY(infer_set_output(c, 2, DTYPE_UINT8, 0, NULL));
    return infer_set(c, DTYPE_UINT8, x->rank, x->dims);
}
