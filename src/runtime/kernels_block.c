/* Convolutions and dense layers by blocks: the weights of a row are unpacked once for POSITIONS outputs, the codes
 * under these are gathered once for CHANNELS rows, DEPTH products of each sum at a time. Sums are exact, so that
 * their order does not matter: the codes are those of the reference kernels. */
#include "runtime/addend.h"
#include "runtime/codes.h"
#include "runtime/dot.h"
#include "runtime/kernels.h"

#define POSITIONS 8
#define CHANNELS 16
#define DEPTH 32 /* a multiple of 4 */

struct block;

/* Fills factors[p][0 .. depth) with what weights [column, column + depth) of a row meet at position p of the tile. */
typedef void gather_factors(struct block *b, uint32_t column, uint32_t depth);

struct block {
    const struct pare_op *op;
    const struct pare_value *values;
    struct codes input;
    struct addend addend;
    gather_factors *gather;
    uint32_t first_input;         /* channel of the group of a convolution */
    uint32_t position, positions; /* of the tile: first and count */
    pare_factor factors[POSITIONS][DEPTH];
    pare_factor weights[DEPTH];
    int fracs[CHANNELS]; /* of the sums */
    pare_accumulator sums[CHANNELS][POSITIONS];
};

/* ---- what the weights meet ---- */

static void gather_row(struct block *b, uint32_t column, uint32_t depth) {
    for (uint32_t p = 0; p < b->positions; p++) {
        uint32_t at = (b->position + p) * b->op->weights.columns + column;
        for (uint32_t d = 0; d < depth; d++) {
            b->factors[p][d] = (pare_factor)code_at(&b->input, at + d);
        }
    }
}

/* One tap of every position; `channel` counts in the whole input, and `zero` is its zero point. */
static void gather_tap(struct block *b, uint32_t channel, int32_t zero, uint32_t ky, uint32_t kx, uint32_t d) {
    const struct pare_window *w = &b->op->u.window;
    uint32_t ox = b->position % w->out_w, oy = b->position / w->out_w;
    for (uint32_t p = 0; p < b->positions; p++) {
        /* Outside of the input, above and left too, as unsigned numbers they are too large. */
        uint32_t iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
        uint32_t ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
        bool inside = iy < w->in_h && ix < w->in_w;
        int32_t code = inside ? code_at(&b->input, (channel * w->in_h + iy) * w->in_w + ix) - zero : 0;
        b->factors[p][d] = (pare_factor)code;
        ox++;
        if (ox == w->out_w) {
            ox = 0;
            oy++;
        }
    }
}

static void gather_window(struct block *b, uint32_t column, uint32_t depth) {
    const struct pare_window *w = &b->op->u.window;
    uint32_t kx = column % w->kernel_w, ky = column / w->kernel_w % w->kernel_h;
    uint32_t channel = b->first_input + column / w->kernel_w / w->kernel_h;
    int32_t zero = 0;
    for (uint32_t d = 0; d < depth; d++) {
        if (d == 0 || (kx == 0 && ky == 0)) {
            zero = zero_at(b->op, channel);
        }
        gather_tap(b, channel, zero, ky, kx, d);
        if (++kx == w->kernel_w) {
            kx = 0;
            if (++ky == w->kernel_h) {
                ky = 0;
                channel++;
            }
        }
    }
}

/* ---- sums ---- */

static void unpack(const struct weight_row *row, uint32_t column, uint32_t depth, pare_factor *out) {
    uint32_t at = row->first_bit + column * row->bits, bits = row->bits, reservoir = 0, have = 0;
    uint32_t sign = (uint32_t)1 << bits >> 1;
    const uint8_t *byte = row->data + (at >> 3);
    if ((at & 7) != 0) {
        reservoir = *byte++ >> (at & 7);
        have = 8 - (at & 7);
    }
    for (uint32_t d = 0; bits == 8 && have == 0 && d < depth; d++) {
        out[d] = (pare_factor)((byte[d] ^ 0x80) - 0x80);
    }
    for (uint32_t d = 0; (bits != 8 || have != 0) && d < depth; d++) {
        for (; have < bits; have += 8) {
            reservoir |= (uint32_t)*byte++ << have;
        }
        out[d] = (pare_factor)((int32_t)((reservoir & (sign * 2 - 1)) ^ sign) - (int32_t)sign);
        reservoir >>= bits;
        have -= bits;
    }
}

/* Row r of the tile, `row` of the operator: its sums begin with the bias. */
static void begin_sums(struct block *b, uint32_t r, uint32_t row) {
    const struct pare_op *op = b->op;
    int frac = weight_frac(&op->weights, row) + b->values[op->inputs[0]].frac;
    int32_t bias = bias_at(&op->bias, row);
    pare_accumulator aligned = bias == 0 ? 0 : align_left(bias, frac - bias_frac(&op->bias, row));
    b->fracs[r] = frac;
    for (uint32_t p = 0; p < b->positions; p++) {
        b->sums[r][p] = aligned;
    }
}

static void add_products(struct block *b, uint32_t first_row, uint32_t rows, uint32_t column, uint32_t depth) {
    uint32_t whole = (depth + 3) / 4 * 4;
    b->gather(b, column, depth);
    for (uint32_t d = depth; d < whole; d++) {
        b->weights[d] = 0; /* whatever it then meets */
    }
    for (uint32_t r = 0; r < rows; r++) {
        struct weight_row row = weight_row(&b->op->weights, first_row + r);
        unpack(&row, column, depth, b->weights);
        for (uint32_t p = 0; p < b->positions; p++) {
            b->sums[r][p] = pare_dot(b->weights, b->factors[p], whole, b->sums[r][p]);
        }
    }
}

/* The outputs of rows [first, first + rows) at the tile's positions; output (row, position) lies at row * row_stride +
 * position * position_stride. */
static void run_tile(struct block *b, uint32_t first, uint32_t rows, uint32_t row_stride, uint32_t position_stride,
                     void *output) {
    const struct pare_op *op = b->op;
    const struct pare_value *y = &b->values[op->output];
    for (uint32_t r = 0; r < rows; r++) {
        begin_sums(b, r, first + r);
    }
    uint32_t columns = op->weights.bits == 0 ? 0 : op->weights.columns;
    for (uint32_t column = 0; column < columns; column += DEPTH) {
        add_products(b, first, rows, column, columns - column < DEPTH ? columns - column : DEPTH);
    }
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t p = 0; p < b->positions; p++) {
            uint32_t at = (first + r) * row_stride + (b->position + p) * position_stride;
            write_code(output, y->storage, at, round_sum(op, y, &b->addend, b->sums[r][p], b->fracs[r], at));
        }
    }
}

/* All positions of rows [first, end). */
static void run_rows(struct block *b, uint32_t first, uint32_t end, uint32_t positions, uint32_t row_stride,
                     uint32_t position_stride, void *output) {
    for (b->position = 0; b->position < positions; b->position += POSITIONS) {
        b->positions = positions - b->position < POSITIONS ? positions - b->position : POSITIONS;
        for (uint32_t row = first; row < end; row += CHANNELS) {
            run_tile(b, row, end - row < CHANNELS ? end - row : CHANNELS, row_stride, position_stride, output);
        }
    }
}

void pare_run_conv_block(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_window *w = &op->u.window;
    struct block b;
    memset(&b, 0, sizeof(b));
    b.op = op;
    b.values = values;
    b.input = input_codes(op, values, data, 0);
    b.addend = addend_of(op, values, data);
    b.gather = gather_window;
    uint32_t rows = w->out_c / w->group, plane = w->out_h * w->out_w;
    for (uint32_t group = 0; group < w->group; group++) {
        b.first_input = group * (w->in_c / w->group);
        run_rows(&b, group * rows, (group + 1) * rows, plane, plane, 1, data[op->output]);
    }
}

void pare_run_dense_block(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    struct block b;
    memset(&b, 0, sizeof(b));
    b.op = op;
    b.values = values;
    b.input = input_codes(op, values, data, 0);
    b.gather = gather_row;
    uint32_t positions = values[op->inputs[0]].count / op->weights.columns;
    run_rows(&b, 0, op->weights.rows, positions, 1, op->weights.rows, data[op->output]);
}

pare_kernel *const pare_block_kernels[PARE_KIND_COUNT] = {
    [PARE_CONV] = PARE_IF_BUILT(CONV, pare_run_conv_block),
    [PARE_DENSE] = PARE_IF_BUILT(DENSE, pare_run_dense_block),
    PARE_COMMON_KERNELS,
};
