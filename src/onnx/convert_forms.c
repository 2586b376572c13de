/* Forms of operators that the IR does not have: brought to those it has, or reported as missing. */
#include "onnx/convert.h"
#include "onnx/decode.h"

static enum pare_status report(struct draft *d, const char *what) {
    return missing_add(d->im->ctx, &d->im->missing, d->name, "%s of %s", what, d->op_type);
}

/* Attributes spatial (until opset 8), momentum, training_mode (from 14): only the inference form per channel is held.
 */
enum pare_status convert_batch_normalization(struct draft *d) {
    const struct attr *momentum = NULL;
    int64_t spatial = 1, training = 0;
    TRY(draft_take(d, "momentum", ATTR_FLOAT, &momentum));
    TRY(draft_take_int(d, "training_mode", 0, &training));
    if (d->im->opset < 9) {
        TRY(draft_take_int(d, "spatial", 1, &spatial));
    }
    TRY(spatial == 1 ? PARE_OK : report(d, "spatial=0"));
    return training == 0 ? PARE_OK : report(d, "training mode");
}

/* Dropout from opset 12: the third input says whether the network is being trained. */
enum pare_status convert_training(struct draft *d) {
    struct value *training = draft_input(d, 2);
    double flag = 0;
    if (training == NULL || (value_scalar(training, &flag) && flag == 0)) {
        return PARE_OK;
    }
    return report(d, "training mode");
}

/* float16 and bfloat16 values are held as float32, and so are casts to them. */
enum pare_status convert_cast(struct draft *d) {
    const struct attr *round_mode = NULL; /* from opset 24, of casts to float8 only */
    int64_t to = 0;
    TRY(draft_take_int(d, "to", 0, &to));
    TRY(draft_take(d, "round_mode", ATTR_STRING, &round_mode));
    enum dtype held = to > 0 && to < INT32_MAX ? onnx_held_type((int32_t)to) : DTYPE_NONE;
    if (held == DTYPE_NONE) {
        return missing_add(d->im->ctx, &d->im->missing, d->name, "Cast to %s",
                           to > 0 && to < INT32_MAX ? onnx_type_name((int32_t)to) : "an unknown type");
    }
    return draft_set_attr_int(d, "to", held);
}

/* From opset 23 the type of the result may be named: it is float32 here, whatever floating type the file says. */
enum pare_status convert_dequantize(struct draft *d) {
    int64_t type = 0;
    TRY(draft_take_int(d, "output_dtype", 0, &type));
    bool is_float = type == 0 || type == DTYPE_FLOAT || type == DTYPE_FLOAT16 || type == DTYPE_BFLOAT16;
    return is_float ? PARE_OK : report(d, "output_dtype");
}

/* From opset 23 the division may be done in another precision: float32 is the IR's. */
enum pare_status convert_quantize(struct draft *d) {
    int64_t precision = 0;
    TRY(draft_take_int(d, "precision", 0, &precision));
    return precision == 0 || precision == DTYPE_FLOAT ? PARE_OK : report(d, "precision");
}
