#include "passes/affine.h"

#include <float.h>
#include <math.h>

static enum pare_status affine_new(struct context *ctx, struct arena *a, struct value *input, int axis,
                                   int64_t channels, struct affine *out) {
    out->input = input;
    out->axis = axis;
    out->channels = channels;
    out->scale = ARENA_ARRAY(a, (size_t)channels, double);
    out->shift = ARENA_ARRAY(a, (size_t)channels, double);
    return out->scale == NULL || out->shift == NULL ? fail_memory(ctx) : PARE_OK;
}

enum pare_status affine_identity(struct context *ctx, struct arena *a, int64_t channels, struct affine *f) {
    TRY(affine_new(ctx, a, f->input, f->axis, channels, f));
    for (int64_t i = 0; i < channels; i++) {
        f->scale[i] = 1;
    }
    return PARE_OK;
}

static bool fits_float(double v) {
    return isfinite(v) && fabs(v) <= FLT_MAX;
}

bool affine_is_finite(const struct affine *f) {
    int64_t i = 0;
    while (i < f->channels && fits_float(f->scale[i]) && fits_float(f->shift[i])) {
        i++;
    }
    return i == f->channels;
}

bool affine_shifts(const struct affine *f) {
    int64_t i = 0;
    while (i < f->channels && f->shift[i] == 0) {
        i++;
    }
    return i < f->channels;
}

bool affine_is_increasing(const struct affine *f) {
    int64_t i = 0;
    while (i < f->channels && f->scale[i] >= 0) {
        i++;
    }
    return i == f->channels;
}

void affine_compose(struct affine *first, const struct affine *second) {
    for (int64_t i = 0; i < first->channels; i++) {
        first->scale[i] *= second->scale[i];
        first->shift[i] = second->scale[i] * first->shift[i] + second->shift[i];
    }
}

enum pare_status affine_repeat(struct context *ctx, struct arena *a, struct affine *f, int64_t repeat) {
    struct affine wide;
    TRY(affine_new(ctx, a, f->input, f->axis, f->channels * repeat, &wide));
    for (int64_t i = 0; i < wide.channels; i++) {
        wide.scale[i] = f->scale[i / repeat];
        wide.shift[i] = f->shift[i / repeat];
    }
    *f = wide;
    return PARE_OK;
}

enum pare_status affine_spread(struct context *ctx, struct arena *a, struct affine *f, int axis, int64_t channels,
                               bool *done) {
    *done = channels <= AFFINE_MAX_CHANNELS && (f->channels == 1 || (f->axis == axis && f->channels == channels));
    if (!*done || f->channels == channels) {
        return PARE_OK;
    }
    f->axis = axis;
    return affine_repeat(ctx, a, f, channels);
}

/* scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale (Ioffe and Szegedy 2015, algorithm 2). */
static enum pare_status read_normalization(struct context *ctx, struct arena *a, const struct node *n,
                                           struct affine *out, bool *found) {
    int64_t channels;
    *found = value_is_float(n->inputs[0]) && value_dim(n->inputs[0], 1, &channels);
    for (int i = 1; i < 5; i++) {
        *found =
            *found && value_is_float_constant(n->inputs[i]) && tensor_count(n->inputs[i]->constant) == (size_t)channels;
    }
    if (!*found) {
        return PARE_OK;
    }
    TRY(affine_new(ctx, a, n->inputs[0], 1, channels, out));
    double epsilon = (double)node_float(n, "epsilon");
    for (size_t i = 0; i < (size_t)channels; i++) {
        double variance = tensor_get_double(n->inputs[4]->constant, i) + epsilon;
        out->scale[i] = tensor_get_double(n->inputs[1]->constant, i) / sqrt(variance);
        out->shift[i] =
            tensor_get_double(n->inputs[2]->constant, i) - tensor_get_double(n->inputs[3]->constant, i) * out->scale[i];
    }
    return PARE_OK;
}

/* The only axis of `x` along which a constant that broadcasts over it varies (0 for a scalar). */
static bool find_axis(const struct value *constant, const struct value *x, int *axis) {
    int offset = x->rank - constant->rank, varying = 0;
    *axis = 0;
    for (int i = 0; offset >= 0 && i < constant->rank; i++) {
        int64_t size = constant->dims[i].value;
        if (size != 1) {
            *axis = i + offset;
            varying += x->dims[*axis].value == size ? 1 : 2;
        }
    }
    return offset >= 0 && varying <= 1;
}

static void set_coefficients(struct affine *f, int64_t i, const struct node *n, double c, bool constant_first) {
    bool sum = node_is(n, "Add") || node_is(n, "Sub");
    if (sum) {
        f->scale[i] = node_is(n, "Sub") && constant_first ? -1 : 1;
        f->shift[i] = node_is(n, "Sub") && !constant_first ? -c : c;
    } else {
        f->scale[i] = node_is(n, "Mul") ? c : 1 / c;
    }
}

static enum pare_status read_arithmetic(struct context *ctx, struct arena *a, const struct node *n, struct affine *out,
                                        bool *found) {
    bool first = value_is_constant(n->inputs[0]);
    struct value *x = n->inputs[first ? 1 : 0];
    const struct value *constant = n->inputs[first ? 0 : 1];
    int axis;
    *found = value_is_float_constant(constant) && value_is_float(x) && !value_is_constant(x) &&
             find_axis(constant, x, &axis) && !(first && node_is(n, "Div"));
    if (!*found) {
        return PARE_OK;
    }
    int64_t count = (int64_t)tensor_count(constant->constant);
    TRY(affine_new(ctx, a, x, axis, count, out));
    for (int64_t i = 0; i < count; i++) {
        set_coefficients(out, i, n, tensor_get_double(constant->constant, (size_t)i), first);
    }
    return PARE_OK;
}

enum pare_status affine_of(struct context *ctx, struct arena *a, const struct node *n, struct affine *out,
                           bool *found) {
    static const char *const arithmetic[] = {"Add", "Sub", "Mul", "Div", NULL};
    *found = false;
    if (node_is(n, "BatchNormalization")) {
        TRY(read_normalization(ctx, a, n, out, found));
    } else if (node_is_any(n, arithmetic)) {
        TRY(read_arithmetic(ctx, a, n, out, found));
    }
    *found = *found && out->channels <= AFFINE_MAX_CHANNELS && affine_is_finite(out);
    return PARE_OK;
}
