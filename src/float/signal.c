/* DFT and STFT, by their definition: a sum per output, with the roots of unity in a table. */
#include "float/kernels.h"

#include <math.h>

#define PI 3.14159265358979323846

struct complex_number {
    double re, im;
};

/* exp(sign * 2 pi i k / n) for k in [0, n). */
static enum pare_status make_roots(struct float_call *c, size_t n, double sign, struct complex_number **roots) {
    *roots = call_scratch(c, n, sizeof **roots);
    for (size_t k = 0; *roots != NULL && k < n; k++) {
        double angle = sign * 2.0 * PI * (double)k / (double)n;
        (*roots)[k] = (struct complex_number){cos(angle), sin(angle)};
    }
    return *roots != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

static struct complex_number coefficient(const struct complex_number *x, size_t n, size_t k,
                                         const struct complex_number *roots) {
    struct complex_number sum = {0.0, 0.0};
    for (size_t i = 0, at = 0; i < n; i++) {
        sum.re += x[i].re * roots[at].re - x[i].im * roots[at].im;
        sum.im += x[i].re * roots[at].im + x[i].im * roots[at].re;
        at = at + k < n ? at + k : at + k - n;
    }
    return sum;
}

/* Complex elements of a tensor whose last dimension is 1 or 2, along one of its other axes. */
struct line {
    const struct tensor *tensor;
    size_t begin, stride, parts;
};

static struct complex_number element(const struct line *l, size_t i) {
    size_t at = (l->begin + i * l->stride) * l->parts;
    return (struct complex_number){tensor_get_double(l->tensor, at),
                                   l->parts == 2 ? tensor_get_double(l->tensor, at + 1) : 0.0};
}

/* The `n` values to transform: cut or filled with zeros; of a one-sided inverse the second half mirrors the first. */
static void load_line(const struct line *l, size_t given, size_t n, bool mirror, struct complex_number *x) {
    for (size_t i = 0; i < n; i++) {
        bool mirrored = mirror && i > n / 2;
        size_t from = mirrored ? n - i : i;
        x[i] = from < given ? element(l, from) : (struct complex_number){0.0, 0.0};
        x[i].im = mirrored ? -x[i].im : x[i].im;
    }
}

static void store(struct tensor *t, size_t at, size_t parts, struct complex_number v, double scale) {
    tensor_set_double(t, at * parts, v.re * scale);
    if (parts == 2) {
        tensor_set_double(t, at * parts + 1, v.im * scale);
    }
}

/* A transform of a long line takes a while. */
static enum pare_status check_cancelled(struct float_call *c) {
    return context_cancelled(c->ctx) ? fail(c->ctx, PARE_ERROR_INTERRUPTED, "interrupted") : PARE_OK;
}

enum pare_status float_dft(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *length = call_input(c, 1), *given_axis = call_input(c, 2);
    struct tensor *out = &c->outputs[0];
    int axis = axis_from_start(given_axis != NULL ? tensor_get_int(given_axis, 0) : -2, in->shape.rank);
    bool inverse = node_int(c->node, "inverse") != 0, onesided = node_int(c->node, "onesided") != 0;
    size_t given = (size_t)in->shape.dim[axis], made = (size_t)out->shape.dim[axis];
    size_t n = inverse && onesided ? made : length != NULL ? (size_t)tensor_get_int(length, 0) : given;
    size_t inner = dims_product(&in->shape, axis + 1, in->shape.rank - 1), outer = dims_product(&in->shape, 0, axis);
    size_t parts = (size_t)in->shape.dim[in->shape.rank - 1], out_parts = (size_t)out->shape.dim[in->shape.rank - 1];
    struct complex_number *roots = NULL, *x = call_scratch(c, n, sizeof *x);
    if (parts < 1 || parts > 2) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the last dimension is %zu, expected 1 or 2", parts);
    }
    TRY(x != NULL ? make_roots(c, n, inverse ? 1.0 : -1.0, &roots) : PARE_ERROR_MEMORY);
    for (size_t i = 0; i < outer * inner; i++) {
        struct line l = {in, i / inner * given * inner + i % inner, inner, parts};
        load_line(&l, given, n, inverse && onesided, x);
        TRY(check_cancelled(c));
        for (size_t k = 0; k < made; k++) {
            store(out, (i / inner * made + k) * inner + i % inner, out_parts, coefficient(x, n, k, roots),
                  inverse ? 1.0 / (double)n : 1.0);
        }
    }
    return PARE_OK;
}

enum pare_status float_stft(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *window = call_input(c, 2), *length = call_input(c, 3);
    const struct shape *made = &c->outputs[0].shape;
    size_t samples = (size_t)in->shape.dim[1], parts = (size_t)in->shape.dim[2], step = 0;
    size_t n = length != NULL ? (size_t)tensor_get_int(length, 0) : window != NULL ? tensor_count(window) : samples;
    struct complex_number *roots = NULL, *x = call_scratch(c, n, sizeof *x);
    step = (size_t)tensor_get_int(c->inputs[1], 0);
    if (parts < 1 || parts > 2 || (window != NULL && tensor_count(window) != n)) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the signal has %zu parts, or the window does not have %zu elements",
                    parts, n);
    }
    TRY(x != NULL ? make_roots(c, n, -1.0, &roots) : PARE_ERROR_MEMORY);
    size_t frames = (size_t)made->dim[1], bins = (size_t)made->dim[2];
    for (size_t i = 0; i < (size_t)made->dim[0] * frames; i++) {
        struct line l = {in, i / frames * samples + i % frames * step, 1, parts};
        load_line(&l, n, n, false, x);
        TRY(check_cancelled(c));
        for (size_t k = 0; window != NULL && k < n; k++) {
            double w = tensor_get_double(window, k);
            x[k] = (struct complex_number){x[k].re * w, x[k].im * w};
        }
        for (size_t k = 0; k < bins; k++) {
            store(&c->outputs[0], i * bins + k, 2, coefficient(x, n, k, roots), 1.0);
        }
    }
    return PARE_OK;
}
