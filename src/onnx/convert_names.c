/* Defaults, names and parameters that changed between opsets. */
#include "onnx/convert.h"

#include <string.h>

/* Concat before opset 4: axis 1 unless given. */
enum pare_status convert_concat_1(struct draft *d) {
    int64_t axis = 1;
    TRY(draft_take_int(d, "axis", 1, &axis));
    return draft_set_attr_int(d, "axis", axis);
}

/* Gemm before opset 7: C is broadcast only when an attribute says so, and to the same effect. */
enum pare_status convert_gemm_1(struct draft *d) {
    int64_t broadcast = 0;
    return draft_take_int(d, "broadcast", 0, &broadcast);
}

/* GridSample before opset 20: modes by the names for images. */
enum pare_status convert_grid_sample_16(struct draft *d) {
    const struct attr *mode = NULL;
    TRY(draft_take(d, "mode", ATTR_STRING, &mode));
    const char *name = mode == NULL || strcmp(mode->s, "bilinear") == 0 ? "linear" : mode->s;
    return draft_set_attr_string(d, "mode", strcmp(name, "bicubic") == 0 ? "cubic" : name);
}

/* LpPool and GlobalLpPool of opset 1: p is a float. */
enum pare_status convert_lp_pool_1(struct draft *d) {
    const struct attr *p = NULL;
    TRY(draft_take(d, "p", ATTR_FLOAT, &p));
    return p == NULL ? PARE_OK : draft_set_attr_int(d, "p", (int64_t)p->f);
}

/* RNN, GRU and LSTM before opset 7: an attribute told whether the first output is wanted. */
enum pare_status convert_recurrent(struct draft *d) {
    int64_t wanted = 0;
    return draft_take_int(d, "output_sequence", 0, &wanted);
}

/* RoiAlign before opset 16: coordinates were not shifted by half a pixel. */
enum pare_status convert_roi_align_10(struct draft *d) {
    return draft_set_attr_string(d, "coordinate_transformation_mode", "output_half_pixel");
}

enum pare_status convert_scatter(struct draft *d) {
    d->op_type = "ScatterElements";
    return PARE_OK;
}

/* Tile before opset 6: how often, and along which axis. */
enum pare_status convert_tile_1(struct draft *d) {
    const struct value *x = draft_input(d, 0);
    double tiles = 0, axis = 0;
    if (x == NULL || x->rank < 0 || d->input_count != 3 || !value_scalar(d->inputs[1], &tiles) ||
        !value_scalar(d->inputs[2], &axis) || axis < 0 || axis >= x->rank) {
        return missing_add(d->im->ctx, &d->im->missing, d->name, "repetitions of Tile that are not constant");
    }
    int64_t repeats[TENSOR_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        repeats[i] = i == (int)axis ? (int64_t)tiles : 1;
    }
    d->input_count = 2;
    return draft_set_ints(d, 1, "repeats", repeats, (size_t)x->rank);
}
