#include "float/kernels.h"

#include <limits.h>

float_kernel *const float_kernels[OP_COUNT] = {
#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) [OP_##name] = float_##kernel,
#include "graph/ops.def"
#undef OP
};

const struct tensor *call_input(const struct float_call *c, int index) {
    return index < c->node->input_count ? c->inputs[index] : NULL;
}

bool call_is_float32(const struct float_call *c) {
    return c->inputs[0]->type == DTYPE_FLOAT;
}

enum pare_status call_refuse_type(struct float_call *c, enum dtype type) {
    return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "%s does not run on %s; convert the model to float32",
                c->node->op->name, dtype_name(type));
}

void *call_scratch(struct float_call *c, size_t count, size_t size) {
    void *memory = arena_array(c->scratch, count, size);
    if (memory == NULL) {
        (void)fail_memory(c->ctx);
    }
    return memory;
}

static bool fits_float32(enum dtype type) {
    bool is_half = type == DTYPE_FLOAT16 || type == DTYPE_BFLOAT16;
    return is_half || (!dtype_is_float(type) && type != DTYPE_STRING && dtype_size(type) <= 2);
}

static enum pare_status widen_inputs(struct float_call *c, const struct tensor **inputs, struct tensor *copies) {
    enum dtype type = c->inputs[0]->type;
    for (int i = 0; i < c->node->input_count; i++) {
        inputs[i] = c->inputs[i];
        if (inputs[i] != NULL && inputs[i]->type == type) {
            TRY(tensor_convert(c->ctx, c->scratch, inputs[i], DTYPE_FLOAT, &copies[i]));
            inputs[i] = &copies[i];
        }
    }
    return PARE_OK;
}

static enum pare_status widen_outputs(struct float_call *c, struct tensor *copies) {
    enum dtype type = c->inputs[0]->type;
    for (int i = 0; i < c->node->output_count; i++) {
        copies[i] = c->outputs[i];
        if (copies[i].data != NULL && copies[i].type == type) {
            TRY(tensor_new(c->ctx, c->scratch, DTYPE_FLOAT, &c->outputs[i].shape, &copies[i]));
        }
    }
    return PARE_OK;
}

static void narrow_outputs(struct float_call *c, const struct tensor *copies) {
    for (int i = 0; i < c->node->output_count; i++) {
        struct tensor *out = &c->outputs[i];
        if (out->data == copies[i].data) {
            continue;
        }
        const float *from = copies[i].data;
        for (size_t k = 0, count = tensor_count(out); k < count; k++) {
            tensor_set_double(out, k, from[k]);
        }
    }
}

enum pare_status call_widened(struct float_call *c, float_kernel *kernel) {
    if (!fits_float32(c->inputs[0]->type)) {
        return call_refuse_type(c, c->inputs[0]->type);
    }
    size_t inputs = (size_t)c->node->input_count, outputs = (size_t)c->node->output_count;
    const struct tensor **wide_inputs = call_scratch(c, inputs, sizeof(const struct tensor *));
    struct tensor *input_copies = call_scratch(c, inputs, sizeof *input_copies);
    struct tensor *output_copies = call_scratch(c, outputs, sizeof *output_copies);
    if (wide_inputs == NULL || input_copies == NULL || output_copies == NULL) {
        return PARE_ERROR_MEMORY;
    }
    TRY(widen_inputs(c, wide_inputs, input_copies));
    TRY(widen_outputs(c, output_copies));
    struct float_call wide = *c;
    wide.inputs = wide_inputs;
    wide.outputs = output_copies;
    TRY(kernel(&wide));
    narrow_outputs(c, output_copies);
    return PARE_OK;
}

enum pare_status call_integers(struct float_call *c, int index, int64_t **values, int *count) {
    const struct tensor *t = call_input(c, index);
    *values = NULL;
    *count = 0;
    if (t == NULL) {
        return PARE_OK;
    }
    size_t length = tensor_count(t);
    if (length > INT_MAX) {
        return fail(c->ctx, PARE_ERROR_INPUT, "input %d has %zu elements, more than axes could need", index, length);
    }
    *values = call_scratch(c, length, sizeof **values);
    for (size_t i = 0; *values != NULL && i < length; i++) {
        (*values)[i] = tensor_get_int(t, i);
    }
    *count = (int)length;
    return *values != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

enum pare_status call_doubles(struct float_call *c, int index, double **values) {
    const struct tensor *t = call_input(c, index);
    *values = NULL;
    if (t == NULL) {
        return PARE_OK;
    }
    size_t count = tensor_count(t);
    *values = call_scratch(c, count, sizeof **values);
    for (size_t i = 0; *values != NULL && i < count; i++) {
        (*values)[i] = tensor_get_double(t, i);
    }
    return *values != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

bool call_wants(const struct float_call *c, int output) {
    return output < c->node->output_count && c->outputs[output].data != NULL;
}

int axis_from_start(int64_t axis, int rank) {
    return (int)(axis < 0 ? axis + rank : axis);
}

size_t dims_product(const struct shape *s, int begin, int end) {
    size_t product = 1;
    for (int i = begin; i < end; i++) {
        product *= (size_t)s->dim[i];
    }
    return product;
}
