#include "float/kernels.h"
#include "float/mapped.h"
#include "graph/slice.h"

#include <string.h>

enum pad_mode { PAD_CONSTANT, PAD_EDGE, PAD_REFLECT, PAD_WRAP };

static enum pare_status mode_of(struct float_call *c, enum pad_mode *mode) {
    static const char *const names[] = {"constant", "edge", "reflect", "wrap"};
    const char *name = node_string(c->node, "mode");
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            *mode = (enum pad_mode)i;
            return PARE_OK;
        }
    }
    return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "Pad has no mode '%s'; use constant, edge, reflect or wrap", name);
}

/* v modulo n, never negative. */
static int64_t modulo(int64_t v, int64_t n) {
    int64_t rest = v % n;
    return rest < 0 ? rest + n : rest;
}

/* The input position that stands at `at`, which may lie outside [0, length); -1: the fill value. */
static int64_t source_of(enum pad_mode mode, int64_t at, int64_t length) {
    if (at >= 0 && at < length) {
        return at;
    }
    switch (mode) {
    case PAD_EDGE:
        return at < 0 ? 0 : length - 1;
    case PAD_WRAP:
        return modulo(at, length);
    case PAD_REFLECT: { /* back and forth without repeating the ends */
        int64_t period = length > 1 ? 2 * (length - 1) : 1, phase = modulo(at, period);
        return phase < length ? phase : period - phase;
    }
    default:
        return -1;
    }
}

static enum pare_status map_axis(struct float_call *c, enum pad_mode mode, int axis, int64_t begin, int64_t **source) {
    int64_t length = c->inputs[0]->shape.dim[axis], padded = c->outputs[0].shape.dim[axis];
    if (length == 0 && padded > 0 && mode != PAD_CONSTANT) {
        return fail(c->ctx, PARE_ERROR_INPUT, "axis %d is empty: it has nothing to repeat", axis);
    }
    *source = call_scratch(c, (size_t)padded, sizeof **source);
    for (int64_t o = 0; *source != NULL && o < padded; o++) {
        (*source)[o] = source_of(mode, o - begin, length);
    }
    return *source != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

enum pare_status float_pad(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *fill = call_input(c, 2);
    int64_t *pads, *axes;
    int pad_count, axis_count;
    enum pad_mode mode = PAD_CONSTANT;
    struct padding padding;
    TRY(mode_of(c, &mode));
    TRY(call_integers(c, 1, &pads, &pad_count));
    TRY(call_integers(c, 3, &axes, &axis_count));
    TRY(padding_resolve(c->ctx, pads, pad_count, axes, axis_count, in->shape.rank, &padding));
    struct mapping mapping;
    for (int i = 0; i < in->shape.rank; i++) {
        TRY(map_axis(c, mode, i, padding.begin[i], &mapping.source[i]));
    }
    int64_t zero = 0; /* all bits zero: the zero of every type */
    mapped_copy(&mapping, in, fill != NULL ? fill->data : (void *)&zero, &c->outputs[0]);
    return PARE_OK;
}
