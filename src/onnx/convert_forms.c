/* Forms of operators that the IR does not have: brought to those it has, or reported as missing. */
#include "onnx/convert.h"
#include "onnx/decode.h"

static enum pare_status report(struct draft *d, const char *what) {
    return missing_add(d->im->ctx, &d->im->missing, d->name, "%s of %s", what, d->op_type);
}

/* Attributes is_test (until opset 6), spatial (until 8), momentum, training_mode (from 14): only the inference form per
 * channel is held. */
enum pare_status convert_batch_normalization(struct draft *d) {
    const struct attr *momentum = NULL;
    int64_t spatial = 1, training = 0, is_test = 1;
    TRY(draft_take(d, "momentum", ATTR_FLOAT, &momentum));
    if (d->im->opset < 7) {
        TRY(draft_take_int(d, "is_test", 0, &is_test));
    }
    TRY(draft_take_int(d, "training_mode", 0, &training));
    if (d->im->opset < 9) {
        TRY(draft_take_int(d, "spatial", 1, &spatial));
    }
    TRY(spatial == 1 ? PARE_OK : report(d, "spatial=0"));
    return training == 0 && is_test != 0 ? PARE_OK : report(d, "training mode");
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

static enum pare_status hold_type(struct draft *d, const char *name, int64_t type) {
    bool possible = type > 0 && type < INT32_MAX;
    enum dtype held = possible ? onnx_held_type((int32_t)type) : DTYPE_NONE;
    if (held == DTYPE_NONE) {
        return missing_add(d->im->ctx, &d->im->missing, d->name, "%s to %s", d->op_type,
                           possible ? onnx_type_name((int32_t)type) : "an unknown type");
    }
    return draft_set_attr_int(d, name, held);
}

static bool is_half(int64_t type) {
    return type == DTYPE_FLOAT16 || type == DTYPE_BFLOAT16;
}

/* float16 and bfloat16 values are held as float32, but a cast to them rounds: it goes there and back. */
static enum pare_status cast_to(struct draft *d, int64_t type) {
    if (is_half(type) && d->output_count > 0 && d->outputs[0] != NULL) {
        const struct attr there = {.name = "to", .type = ATTR_INT, .i = type};
        TRY(import_note_half(d->im, d->outputs[0], (int32_t)type));
        TRY(draft_put(d, "Cast", d->inputs, d->input_count, &there, 1, &d->inputs[0]));
    }
    return hold_type(d, "to", type);
}

enum pare_status convert_cast(struct draft *d) {
    int64_t to = 0;
    TRY(draft_take_int(d, "to", 0, &to));
    return cast_to(d, to);
}

enum pare_status convert_cast_like(struct draft *d) {
    enum dtype half = d->input_count == 2 ? import_half(d->im, d->inputs[1]) : DTYPE_NONE;
    if (half == DTYPE_NONE) {
        return PARE_OK;
    }
    d->op_type = "Cast";
    d->input_count = 1;
    return cast_to(d, half);
}

/* Before opset 6 the type is given by its name. */
enum pare_status convert_cast_1(struct draft *d) {
    const struct attr *to = NULL;
    TRY(draft_take(d, "to", ATTR_STRING, &to));
    const ProtobufCEnumValue *type =
        to == NULL ? NULL
                   : protobuf_c_enum_descriptor_get_value_by_name(&onnx__tensor_proto__data_type__descriptor, to->s);
    return type == NULL ? draft_fail(d, "its attribute `to` is no type") : cast_to(d, type->value);
}

/* The bits of float16 and bfloat16 are not held. */
enum pare_status convert_bit_cast(struct draft *d) {
    int64_t to = 0;
    TRY(draft_take_int(d, "to", 0, &to));
    return is_half(to) ? report(d, "half precision") : hold_type(d, "to", to);
}

/* EyeLike and the windows name the type of what they make. */
enum pare_status convert_output_type(struct draft *d) {
    static const char *const names[] = {"dtype", "output_datatype"};
    for (int i = 0; i < 2; i++) {
        int64_t type = 0;
        TRY(draft_take_int(d, names[i], 0, &type));
        TRY(type == 0 ? PARE_OK : hold_type(d, names[i], type));
    }
    return PARE_OK;
}

/* Scan of opset 8 walks over a batch as well; later ones do not. */
enum pare_status convert_scan_8(struct draft *d) {
    return report(d, "batches (opset 8)");
}

/* From opset 23 the type of the result may be named: it is float32 here, whatever floating type the file says. */
enum pare_status convert_dequantize(struct draft *d) {
    int64_t type = 0;
    TRY(draft_take_int(d, "output_dtype", 0, &type));
    return type == 0 || type == DTYPE_FLOAT || is_half(type) ? PARE_OK : report(d, "output_dtype");
}

/* From opset 23 the division may be done in another precision: float32 is the IR's. */
enum pare_status convert_quantize(struct draft *d) {
    int64_t precision = 0;
    TRY(draft_take_int(d, "precision", 0, &precision));
    return precision == 0 || precision == DTYPE_FLOAT ? PARE_OK : report(d, "precision");
}
