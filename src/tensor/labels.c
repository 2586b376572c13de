#include "tensor/labels.h"

#include <math.h>

#define MOST_EXACT 0x1p53 /* whole numbers below are all different doubles */

struct reader {
    struct context *ctx;
    const struct tensor *y;
    const struct label_spec *spec;
};

static enum pare_status refuse_shape(const struct reader *r) {
    char shape[256];
    return fail(r->ctx, PARE_ERROR_INPUT, "%s: y has shape %s, but there are %zu samples; give [%zu]", r->spec->place,
                shape_text(&r->y->shape, shape, sizeof shape), r->spec->samples, r->spec->samples);
}

/* Targets of another kind than classes, most likely. */
static enum pare_status refuse_entry(const struct reader *r, size_t entry, const char *what) {
    char shape[256];
    return fail(r->ctx, PARE_ERROR_INPUT,
                "%s: y has %s %s, and y[%zu] is no %s; labels are integers from 0, or one-hot; where y holds no "
                "classes, quantize needs none with --metric sqnr",
                r->spec->place, dtype_name(r->y->type), shape_text(&r->y->shape, shape, sizeof shape), entry, what);
}

static enum pare_status check_label(const struct reader *r, size_t i, int64_t label) {
    const struct label_spec *s = r->spec;
    if (label < 0) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: y[%zu] is %lld; labels count from 0", s->place, i, (long long)label);
    }
    if (s->classes > 0 && label >= s->classes) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: y[%zu] is %lld, but the model has %lld classes, 0 to %lld", s->place,
                    i, (long long)label, (long long)s->classes, (long long)s->classes - 1);
    }
    return PARE_OK;
}

static enum pare_status read_numbers(const struct reader *r, int64_t *labels) {
    bool real = dtype_is_float(r->y->type);
    for (size_t i = 0; i < r->spec->samples; i++) {
        double v = real ? tensor_get_double(r->y, i) : 0;
        if (real && !(floor(v) == v && fabs(v) < MOST_EXACT)) {
            return refuse_entry(r, i, "whole number");
        }
        labels[i] = real ? (int64_t)v : tensor_get_int(r->y, i);
        TRY(check_label(r, i, labels[i]));
    }
    return PARE_OK;
}

/* The place of the only 1 among zeros; -1: it is another row. */
static int64_t hot_of(const struct tensor *y, size_t row, size_t columns) {
    int64_t hot = -1;
    for (size_t c = 0; c < columns; c++) {
        double v = tensor_get_double(y, row * columns + c);
        if (v == 1 && hot < 0) {
            hot = (int64_t)c;
        } else if (v != 0) {
            return -1;
        }
    }
    return hot;
}

static enum pare_status read_rows(const struct reader *r, int64_t *labels) {
    for (size_t i = 0; i < r->spec->samples; i++) {
        labels[i] = hot_of(r->y, i, (size_t)r->y->shape.dim[1]);
        if (labels[i] < 0) {
            return refuse_entry(r, i, "one-hot row");
        }
        TRY(check_label(r, i, labels[i]));
    }
    return PARE_OK;
}

enum pare_status labels_read(struct context *ctx, struct arena *a, const struct tensor *y,
                             const struct label_spec *spec, int64_t **out) {
    struct reader r = {.ctx = ctx, .y = y, .spec = spec};
    const struct shape *s = &y->shape;
    bool rows = s->rank == 2 && s->dim[1] > 1;
    if (s->rank < 1 || s->rank > 2 || s->dim[0] != (int64_t)spec->samples || (s->rank == 2 && s->dim[1] < 1)) {
        return refuse_shape(&r);
    }
    if (dtype_size(y->type) == 0 || (y->type == DTYPE_BOOL && !rows)) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: y has %s; labels are integers", spec->place, dtype_name(y->type));
    }
    *out = ARENA_ARRAY(a, spec->samples, int64_t);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    return rows ? read_rows(&r, *out) : read_numbers(&r, *out);
}
