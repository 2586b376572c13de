#include "runtime/codes.h"
#include "runtime/kernels.h"
#include "runtime/window.h"

/* The part of one pooling window that lies on the input. */
struct pane {
    int32_t y, x; /* where the window starts; may lie in the padding */
    struct taps rows, columns;
};

static struct pane pane_at(const struct pare_window *w, uint32_t oy, uint32_t ox) {
    struct pane p;
    p.y = (int32_t)(oy * w->stride_h) - (int32_t)w->pad_top;
    p.x = (int32_t)(ox * w->stride_w) - (int32_t)w->pad_left;
    p.rows = taps_between(p.y, (int32_t)w->kernel_h, (int32_t)w->dilation_h, 0, (int32_t)w->in_h);
    p.columns = taps_between(p.x, (int32_t)w->kernel_w, (int32_t)w->dilation_w, 0, (int32_t)w->in_w);
    return p;
}

static uint32_t input_index(const struct pare_window *w, const struct pane *p, uint32_t channel, int32_t ky,
                            int32_t kx) {
    uint32_t iy = (uint32_t)(p->y + ky * (int32_t)w->dilation_h);
    uint32_t ix = (uint32_t)(p->x + kx * (int32_t)w->dilation_w);
    return (channel * w->in_h + iy) * w->in_w + ix;
}

static int32_t pane_max(const struct pare_window *w, const struct pane *p, const struct codes *input,
                        uint32_t channel) {
    int32_t best = INT32_MIN;
    for (int32_t ky = p->rows.first; ky < p->rows.last; ky++) {
        for (int32_t kx = p->columns.first; kx < p->columns.last; kx++) {
            int32_t code = code_at(input, input_index(w, p, channel, ky, kx));
            best = code > best ? code : best;
        }
    }
    return best;
}

static pare_accumulator pane_sum(const struct pare_window *w, const struct pane *p, const struct codes *input,
                                 uint32_t channel) {
    pare_accumulator sum = 0;
    for (int32_t ky = p->rows.first; ky < p->rows.last; ky++) {
        for (int32_t kx = p->columns.first; kx < p->columns.last; kx++) {
            sum += code_at(input, input_index(w, p, channel, ky, kx));
        }
    }
    return sum;
}

/* What AveragePool divides by: the taps on the input, or also those on the declared padding. */
static uint32_t pane_size(const struct pare_window *w, const struct pane *p) {
    struct taps rows = p->rows, columns = p->columns;
    if (w->count_include_pad) {
        rows = taps_between(p->y, (int32_t)w->kernel_h, (int32_t)w->dilation_h, -(int32_t)w->pad_top,
                            (int32_t)(w->in_h + w->pad_bottom));
        columns = taps_between(p->x, (int32_t)w->kernel_w, (int32_t)w->dilation_w, -(int32_t)w->pad_left,
                               (int32_t)(w->in_w + w->pad_right));
    }
    return (uint32_t)(rows.last - rows.first) * (uint32_t)(columns.last - columns.first);
}

static int32_t pane_code(const struct pare_op *op, const struct pane *p, const struct codes *input, uint32_t channel,
                         int shift) {
    const struct pare_window *w = &op->u.window;
    if (PARE_BUILT(AVERAGE_POOL) && op->kind == PARE_AVERAGE_POOL) {
        return clamp_code(round_divide(pane_sum(w, p, input, channel), -shift, pane_size(w, p)), op->low, op->high);
    }
    return PARE_BUILT(MAX_POOL) ? requantize32(pane_max(w, p, input, channel), shift, op->low, op->high) : 0;
}

void pare_run_pool(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_window *w = &op->u.window;
    const struct pare_value *y = &values[op->output];
    struct codes input = input_codes(op, values, data, 0);
    int shift = values[op->inputs[0]].frac - y->frac;
    uint32_t at = 0;
    for (uint32_t channel = 0; channel < w->out_c; channel++) {
        for (uint32_t oy = 0; oy < w->out_h; oy++) {
            for (uint32_t ox = 0; ox < w->out_w; ox++) {
                struct pane p = pane_at(w, oy, ox);
                write_code(data[op->output], y->storage, at++, pane_code(op, &p, &input, channel, shift));
            }
        }
    }
}

void pare_run_reduce_mean(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes input = input_codes(op, values, data, 0);
    uint32_t reduced = op->u.reduce.reduced, inner = op->u.reduce.inner;
    int exponent = y->frac - values[op->inputs[0]].frac;
    for (uint32_t outer = 0; outer < op->u.reduce.outer; outer++) {
        for (uint32_t i = 0; i < inner; i++) {
            pare_accumulator sum = 0;
            for (uint32_t r = 0; r < reduced; r++) {
                sum += code_at(&input, (outer * reduced + r) * inner + i);
            }
            int32_t code = clamp_code(round_divide(sum, exponent, reduced), op->low, op->high);
            write_code(data[op->output], y->storage, outer * inner + i, code);
        }
    }
}
