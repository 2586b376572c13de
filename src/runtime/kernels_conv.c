#include "runtime/addend.h"
#include "runtime/codes.h"
#include "runtime/kernels.h"
#include "runtime/window.h"

/* Output elements of one image row that share every weight as it is unpacked. */
#define TILE 16

/* What one output channel needs; `accumulators` starts as its aligned bias. */
struct channel {
    const struct pare_op *op;
    const struct pare_window *window;
    struct codes input;
    struct addend addend;
    struct weight_row weights;
    uint32_t first_input; /* channel of the group */
    uint32_t inputs;      /* channels in the group */
    int32_t zero;         /* point of the input channel at hand */
    pare_accumulator accumulators[TILE];
};

/* Adds one image row times one row of the kernel to elements [ox, ox + count). */
typedef void channel_row(struct channel *c, uint32_t input_row, uint32_t column, int32_t ox, int32_t count);

static void add_product(struct channel *c, int32_t i, int32_t weight, uint32_t input) {
    pare_accumulator product = (pare_accumulator)weight * (code_at(&c->input, input) - c->zero);
    c->accumulators[i] = accumulate(c->accumulators[i], product, c->op->wide);
}

static void conv_row(struct channel *c, uint32_t input_row, uint32_t column, int32_t ox, int32_t count) {
    const struct pare_window *w = c->window;
    for (uint32_t kx = 0; kx < w->kernel_w; kx++) {
        int32_t weight = weight_at(&c->weights, column + kx);
        int32_t ix = ox * (int32_t)w->stride_w + (int32_t)(kx * w->dilation_w) - (int32_t)w->pad_left;
        for (int32_t i = 0; i < count; i++, ix += (int32_t)w->stride_w) {
            if (ix >= 0 && ix < (int32_t)w->in_w) {
                add_product(c, i, weight, input_row + (uint32_t)ix);
            }
        }
    }
}

/* Input ix reaches output ix * stride + kx * dilation - pad. */
static void transposed_row(struct channel *c, uint32_t input_row, uint32_t column, int32_t ox, int32_t count) {
    const struct pare_window *w = c->window;
    for (uint32_t kx = 0; kx < w->kernel_w; kx++) {
        int32_t weight = weight_at(&c->weights, column + kx);
        int32_t from = ox + (int32_t)w->pad_left - (int32_t)(kx * w->dilation_w), stride = (int32_t)w->stride_w;
        int32_t ix = from > 0 ? (from - 1) / stride + 1 : 0;
        for (int32_t i = ix * stride - from; i < count && ix < (int32_t)w->in_w; i += stride, ix++) {
            add_product(c, i, weight, input_row + (uint32_t)ix);
        }
    }
}

/* The input row that tap ky of output row oy reads, or -1. */
static int32_t conv_input_row(const struct pare_window *w, int32_t oy, uint32_t ky) {
    int32_t iy = oy * (int32_t)w->stride_h + (int32_t)(ky * w->dilation_h) - (int32_t)w->pad_top;
    return iy < (int32_t)w->in_h ? iy : -1;
}

static int32_t transposed_input_row(const struct pare_window *w, int32_t oy, uint32_t ky) {
    int32_t from = oy + (int32_t)w->pad_top - (int32_t)(ky * w->dilation_h);
    if (from < 0 || from % (int32_t)w->stride_h != 0) {
        return -1;
    }
    return from / (int32_t)w->stride_h < (int32_t)w->in_h ? from / (int32_t)w->stride_h : -1;
}

static void accumulate_tile(struct channel *c, bool transposed, int32_t oy, int32_t ox, int32_t count) {
    const struct pare_window *w = c->window;
    channel_row *row = transposed ? transposed_row : conv_row;
    for (uint32_t i = 0; i < c->inputs; i++) {
        c->zero = zero_at(c->op, c->first_input + i);
        for (uint32_t ky = 0; ky < w->kernel_h; ky++) {
            int32_t iy = transposed ? transposed_input_row(w, oy, ky) : conv_input_row(w, oy, ky);
            if (iy >= 0) {
                uint32_t input_row = ((c->first_input + i) * w->in_h + (uint32_t)iy) * w->in_w;
                row(c, input_row, (i * w->kernel_h + ky) * w->kernel_w, ox, count);
            }
        }
    }
}

static void run_channel(struct channel *c, bool transposed, uint32_t channel, const struct pare_value *values,
                        void *output) {
    const struct pare_op *op = c->op;
    const struct pare_value *y = &values[op->output];
    int frac = weight_frac(&op->weights, channel) + values[op->inputs[0]].frac;
    int32_t bias = bias_at(&op->bias, channel);
    pare_accumulator start = bias == 0 ? 0 : align_left(bias, frac - bias_frac(&op->bias, channel));
    int32_t width = (int32_t)c->window->out_w;
    uint32_t at = channel * c->window->out_h * c->window->out_w;
    for (int32_t oy = 0; oy < (int32_t)c->window->out_h; oy++) {
        for (int32_t ox = 0; ox < width; ox += TILE) {
            int32_t count = width - ox < TILE ? width - ox : TILE;
            for (int32_t i = 0; i < count; i++) {
                c->accumulators[i] = start;
            }
            accumulate_tile(c, transposed, oy, ox, count);
            for (int32_t i = 0; i < count; i++) {
                int32_t code = round_sum(op, y, &c->addend, c->accumulators[i], frac, at);
                write_code(output, y->storage, at++, code);
            }
        }
    }
}

void pare_run_conv(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_window *w = &op->u.window;
    bool transposed = PARE_BUILT(CONV_TRANSPOSE) && op->kind == PARE_CONV_TRANSPOSE;
    struct channel c;
    c.op = op;
    c.window = w;
    c.input = input_codes(op, values, data, 0);
    c.addend = addend_of(op, values, data);
    c.inputs = w->in_c / w->group;
    for (uint32_t o = 0; o < w->out_c; o++) {
        c.weights = weight_row(&op->weights, o);
        c.first_input = o / (w->out_c / w->group) * c.inputs;
        run_channel(&c, transposed, o, values, data[op->output]);
    }
}
