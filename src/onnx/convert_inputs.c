/* Attributes that later opsets turned into inputs. */
#include "onnx/convert.h"

static enum pare_status move_float(struct draft *d, const char *name, int index) {
    const struct attr *a = NULL;
    TRY(draft_take(d, name, ATTR_FLOAT, &a));
    return a == NULL ? PARE_OK : draft_set_floats(d, index, name, &a->f, 0, 1);
}

static enum pare_status move_ints(struct draft *d, const char *name, int index) {
    const struct attr *a = NULL;
    TRY(draft_take(d, name, ATTR_INTS, &a));
    return a == NULL ? PARE_OK : draft_set_ints(d, index, name, a->ints, a->count);
}

/* Clip before opset 11: attributes min and max. */
enum pare_status convert_clip(struct draft *d) {
    TRY(move_float(d, "min", 1));
    return move_float(d, "max", 2);
}

/* Dropout before opset 12: attribute ratio. */
enum pare_status convert_dropout(struct draft *d) {
    return move_float(d, "ratio", 1);
}

/* Pad of opset 1: attributes paddings and value. */
enum pare_status convert_pad_1(struct draft *d) {
    TRY(move_ints(d, "paddings", 1));
    return move_float(d, "value", 2);
}

/* Pad before opset 11: attributes pads and value. */
enum pare_status convert_pad(struct draft *d) {
    TRY(move_ints(d, "pads", 1));
    return move_float(d, "value", 2);
}

/* Squeeze, Unsqueeze and ReduceSum before opset 13, other reductions before 18: attribute axes. */
enum pare_status convert_axes(struct draft *d) {
    return move_ints(d, "axes", 1);
}

/* Slice before opset 10: attributes starts, ends, axes. */
enum pare_status convert_slice(struct draft *d) {
    TRY(move_ints(d, "starts", 1));
    TRY(move_ints(d, "ends", 2));
    return move_ints(d, "axes", 3);
}

/* Split before opset 13: attribute split. Before 18, equal parts need no num_outputs. */
enum pare_status convert_split(struct draft *d) {
    TRY(move_ints(d, "split", 1));
    return draft_input(d, 1) == NULL ? draft_set_attr_int(d, "num_outputs", d->output_count) : PARE_OK;
}

/* Reshape before opset 5: attribute shape. */
enum pare_status convert_reshape_1(struct draft *d) {
    return move_ints(d, "shape", 1);
}

/* TopK before opset 10: attribute k. */
enum pare_status convert_top_k_1(struct draft *d) {
    int64_t k = 0;
    TRY(draft_take_int(d, "k", 0, &k));
    return draft_set_ints(d, 1, "k", &k, 1);
}

/* DFT before opset 20: attribute axis. */
enum pare_status convert_dft_17(struct draft *d) {
    int64_t axis = 0;
    TRY(draft_take_int(d, "axis", 1, &axis));
    return draft_set_int(d, 2, "axis", axis);
}
