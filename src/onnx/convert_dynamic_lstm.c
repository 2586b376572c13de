/* DynamicQuantizeLSTM of ONNX Runtime: an LSTM whose weights are codes, [directions, size, 4 * hidden], with a scale
 * and a zero point per direction or per row of the gates. Its weights become numbers; inputs and states, which ONNX
 * Runtime rounds to 8 bits step by step, are not rounded. */
#include "onnx/convert.h"

#include "graph/op.h"

/* Places of its inputs; until there they are those of LSTM. */
enum { W = 1, R = 2, W_SCALE = 8, R_SCALE = 10 };

static const struct tensor *constant_input(const struct draft *d, int index) {
    const struct value *v = draft_input(d, index);
    return value_is_constant(v) ? v->constant : NULL;
}

/* One per direction, or one per direction and gate row. */
static bool fits(const struct tensor *parameter, size_t directions, size_t rows) {
    size_t count = tensor_count(parameter);
    return count == directions || count == directions * rows;
}

static double parameter_of(const struct tensor *parameter, size_t directions, size_t direction, size_t rows,
                           size_t row) {
    bool shared = tensor_count(parameter) == directions;
    return tensor_get_double(parameter, shared ? direction : direction * rows + row);
}

/* As numbers, [directions, 4 * hidden, size]. */
static enum pare_status set_weight(struct draft *d, int index, const struct tensor *codes, const struct tensor *scale,
                                   const struct tensor *zero) {
    size_t directions = (size_t)codes->shape.dim[0], size = (size_t)codes->shape.dim[1];
    size_t rows = (size_t)codes->shape.dim[2], row_count = directions * rows;
    struct shape shape = {.rank = 3, .dim = {codes->shape.dim[0], codes->shape.dim[2], codes->shape.dim[1]}};
    struct tensor real;
    struct value *v = NULL;
    TRY(tensor_new(d->im->ctx, d->im->graph->arena, DTYPE_FLOAT, &shape, &real));
    for (size_t i = 0; i < row_count; i++) {
        size_t direction = i / rows, row = i % rows;
        double s = parameter_of(scale, directions, direction, rows, row);
        double z = parameter_of(zero, directions, direction, rows, row);
        for (size_t k = 0; k < size; k++) {
            double code = tensor_get_double(codes, (direction * size + k) * rows + row);
            ((float *)real.data)[i * size + k] = (float)((code - z) * s);
        }
    }
    const char *name = arena_format(d->im->scratch, "%s_%s", d->name, index == W ? "W" : "R");
    TRY(name == NULL ? fail_memory(d->im->ctx) : graph_add_constant(d->im->ctx, d->im->graph, name, &real, &v));
    return draft_set_input(d, index, v);
}

static enum pare_status dequantize(struct draft *d, int index, int scale_index) {
    const struct tensor *codes = constant_input(d, index), *scale = constant_input(d, scale_index);
    const struct tensor *zero = constant_input(d, scale_index + 1);
    if (codes == NULL || scale == NULL || zero == NULL) {
        return missing_add(d->im->ctx, &d->im->missing, d->name, "computed weights of %s", d->op_type);
    }
    size_t directions = codes->shape.rank == 3 ? (size_t)codes->shape.dim[0] : 0;
    size_t rows = codes->shape.rank == 3 ? (size_t)codes->shape.dim[2] : 0;
    if (codes->shape.rank != 3 || !fits(scale, directions, rows) || !fits(zero, directions, rows)) {
        return draft_fail(d, "weights, scales and zero points do not fit each other");
    }
    return set_weight(d, index, codes, scale, zero);
}

enum pare_status convert_dynamic_lstm(struct draft *d) {
    TRY(dequantize(d, W, W_SCALE));
    TRY(dequantize(d, R, R_SCALE));
    d->input_count = d->input_count > W_SCALE ? W_SCALE : d->input_count;
    d->op_type = "LSTM";
    return PARE_OK;
}
