/* Upsample and the forms of Resize. Until opset 10 coordinates are asymmetric (x_out / scale), and nearest takes the
 * floor, or, where Resize 10 shrinks, the ceiling: so ONNX Runtime computes it, and so the examples of the standard
 * read. */
#include "onnx/convert.h"

#include <string.h>

static const char *nearest_mode(const struct value *scales, bool *mixed) {
    bool grows = false, shrinks = false;
    for (size_t i = 0; value_is_constant(scales) && i < tensor_count(scales->constant); i++) {
        double scale = tensor_get_double(scales->constant, i);
        grows = grows || scale > 1;
        shrinks = shrinks || scale < 1;
    }
    *mixed = grows && shrinks;
    return shrinks ? "ceil" : "floor";
}

/* Input 1 becomes input 2, scales; the mode keeps its name but "bilinear", which some exporters wrote. */
static enum pare_status to_resize(struct draft *d) {
    struct value *scales = draft_input(d, 1);
    const struct attr *mode = NULL;
    bool mixed = false;
    if (scales == NULL) {
        return draft_fail(d, "the scales are missing");
    }
    TRY(draft_take(d, "mode", ATTR_STRING, &mode));
    bool linear = mode != NULL && (strcmp(mode->s, "linear") == 0 || strcmp(mode->s, "bilinear") == 0);
    const char *nearest = nearest_mode(scales, &mixed);
    if (mixed && !linear) {
        TRY(missing_add(d->im->ctx, &d->im->missing, d->name, "nearest %s that grows and shrinks at once", d->op_type));
    }
    d->op_type = "Resize";
    TRY(draft_set_input(d, 2, scales));
    TRY(draft_set_input(d, 1, NULL));
    TRY(draft_set_attr_string(d, "mode", linear ? "linear" : "nearest"));
    TRY(draft_set_attr_string(d, "coordinate_transformation_mode", "asymmetric"));
    return linear ? PARE_OK : draft_set_attr_string(d, "nearest_mode", nearest);
}

/* Upsample of opset 1: scales of an image. */
enum pare_status convert_upsample_1(struct draft *d) {
    const struct attr *height = NULL, *width = NULL;
    TRY(draft_take(d, "height_scale", ATTR_FLOAT, &height));
    TRY(draft_take(d, "width_scale", ATTR_FLOAT, &width));
    if (height == NULL || width == NULL) {
        return draft_fail(d, "its scales are missing");
    }
    float scales[] = {1, 1, height->f, width->f};
    TRY(draft_set_floats(d, 1, "scales", scales, 1, 4));
    return to_resize(d);
}

enum pare_status convert_upsample_7(struct draft *d) {
    const struct attr *scales = NULL;
    TRY(draft_take(d, "scales", ATTR_FLOATS, &scales));
    if (scales != NULL) {
        TRY(draft_set_floats(d, 1, "scales", scales->floats, 1, scales->count));
    }
    return to_resize(d);
}

enum pare_status convert_upsample_9(struct draft *d) {
    return to_resize(d);
}

enum pare_status convert_resize_10(struct draft *d) {
    return to_resize(d);
}

/* In opset 11 roi and scales could not be omitted and were given empty instead; exporters kept the habit. */
enum pare_status convert_resize_11(struct draft *d) {
    for (int i = 1; i < d->input_count; i++) {
        const struct value *v = d->inputs[i];
        if (value_is_constant(v) && tensor_count(v->constant) == 0) {
            d->inputs[i] = NULL;
        }
    }
    return PARE_OK;
}
