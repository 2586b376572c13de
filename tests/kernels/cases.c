#include "cases.h"

#include "runtime/codes.h"
#include "runtime/model.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- random numbers (splitmix64) ---- */

static uint64_t random_next(struct random *r) {
    r->state += 0x9e3779b97f4a7c15u;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t random_below(struct random *r, uint32_t bound) {
    return (uint32_t)(random_next(r) % bound);
}

int32_t random_between(struct random *r, int32_t low, int32_t high) {
    return (int32_t)(low + (int64_t)(random_next(r) % ((uint64_t)((int64_t)high - low) + 1)));
}

static bool one_in(struct random *r, uint32_t n) {
    return random_below(r, n) == 0;
}

static void *take(struct kernel_case *c, size_t count, size_t size) {
    void *memory = arena_array(&c->arena, count, size);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

/* ---- values ---- */

static void set_format(struct pare_value *v, unsigned bits, bool is_signed, int frac) {
    v->bits = (uint8_t)bits;
    v->is_signed = is_signed;
    v->frac = (int16_t)frac;
    v->storage = bits <= 8 ? (is_signed ? PARE_I8 : PARE_U8) : (is_signed ? PARE_I16 : PARE_U16);
}

static void random_format(struct random *r, struct pare_value *v) {
    unsigned bits = one_in(r, 3) ? (unsigned)random_between(r, 9, 16) : (unsigned)random_between(r, 1, 8);
    set_format(v, bits, one_in(r, 2), random_between(r, -2, 10));
}

static void set_shape(struct pare_value *v, unsigned rank, const uint32_t *dims) {
    v->rank = (uint8_t)rank;
    v->count = 1;
    for (unsigned i = 0; i < rank; i++) {
        v->dims[i] = dims[i];
        v->count *= dims[i];
    }
}

/* Anything, only extremes, or mostly zeros. */
static int32_t random_code(struct random *r, unsigned style, int32_t low, int32_t high) {
    switch (style) {
    case 0:
        return one_in(r, 2) ? low : high;
    case 1:
        return one_in(r, 4) ? random_between(r, low, high) : 0;
    case 2:
        return high;
    default:
        return random_between(r, low, high);
    }
}

static void *random_codes(struct kernel_case *c, struct random *r, const struct pare_value *v) {
    void *codes = take(c, v->count, 2);
    unsigned style = random_below(r, 6);
    for (uint32_t i = 0; i < v->count; i++) {
        write_code(codes, v->storage, i,
                   random_code(r, style, code_min(v->bits, v->is_signed), code_max(v->bits, v->is_signed)));
    }
    return codes;
}

/* ---- weights ---- */

static void put_bits(uint8_t *data, uint64_t at, unsigned bits, int32_t code) {
    for (unsigned i = 0; i < bits; i++, at++) {
        data[at >> 3] = (uint8_t)(data[at >> 3] | ((uint32_t)code >> i & 1) << (at & 7));
    }
}

static const int8_t *random_fracs(struct kernel_case *c, struct random *r, uint32_t rows, bool per_row, int low,
                                  int high) {
    int8_t *frac = take(c, per_row ? rows : 1, 1);
    for (uint32_t i = 0; i < (per_row ? rows : 1); i++) {
        frac[i] = (int8_t)random_between(r, low, high);
    }
    return frac;
}

static void random_weights(struct kernel_case *c, struct random *r, uint32_t rows, uint32_t columns, unsigned bits) {
    struct pare_weights *w = &c->op.weights;
    w->bits = (uint8_t)bits;
    w->rows = rows;
    w->columns = columns;
    w->row_bits = columns * bits + random_below(r, 9);
    w->frac_per_row = one_in(r, 2);
    w->frac = random_fracs(c, r, rows, w->frac_per_row, 0, 9);
    uint8_t *data = take(c, ((size_t)rows * w->row_bits + 7) / 8, 1);
    unsigned style = random_below(r, 6);
    for (uint32_t row = 0; row < rows && bits > 0; row++) {
        for (uint32_t i = 0; i < columns; i++) {
            int32_t code = random_code(r, style, code_min(bits, true), code_max(bits, true));
            put_bits(data, (uint64_t)row * w->row_bits + (uint64_t)i * bits, bits, code);
        }
    }
    w->data = data;
}

static void random_bias(struct kernel_case *c, struct random *r, uint32_t rows) {
    struct pare_bias *b = &c->op.bias;
    b->bits = (uint8_t)(one_in(r, 4) ? 0 : random_between(r, 2, 20));
    b->frac_per_row = c->op.weights.frac_per_row;
    int8_t *frac = take(c, rows, 1);
    uint8_t *data = take(c, ((size_t)rows * b->bits + 7) / 8, 1);
    for (uint32_t row = 0; row < rows && b->bits > 0; row++) {
        if (row == 0 || b->frac_per_row) {
            frac[row] = (int8_t)(weight_frac(&c->op.weights, row) + c->values[0].frac - random_between(r, 0, 6));
        }
        put_bits(data, (uint64_t)row * b->bits, b->bits, (int32_t)(random_next(r) & 0xffffffff));
    }
    b->data = data;
    b->frac = frac;
}

/* Zero points among the codes of the input, or any, or the largest. Returns about the bits of what is left of a code.
 */
static unsigned random_zeros(struct kernel_case *c, struct random *r) {
    const struct pare_value *x = &c->values[0];
    uint32_t channels = c->op.u.window.in_c;
    bool codes = one_in(r, 2);
    int32_t low = codes ? code_min(x->bits, x->is_signed) : INT16_MIN;
    int32_t high = codes ? code_max(x->bits, x->is_signed) : INT16_MAX;
    unsigned style = random_below(r, 4);
    uint8_t *zero = take(c, channels, 2);
    for (uint32_t i = 0; i < channels; i++) {
        put_bits(zero, (uint64_t)i * 16, 16, clamp32(random_code(r, style, low, high), INT16_MIN, INT16_MAX));
    }
    c->op.zero = zero;
    return codes ? x->bits : 16;
}

static unsigned random_weight_bits(struct random *r) {
    return one_in(r, 12) ? 0 : one_in(r, 4) ? (unsigned)random_between(r, 9, 16) : (unsigned)random_between(r, 2, 8);
}

/* ---- the output ---- */

static int log2_of(uint32_t n) {
    int power = 0;
    while (n >> power > 1) {
        power++;
    }
    return power;
}

/* For accumulators of about `bits` bits with the fraction `frac`: mostly codes that fill the format, some that
 * saturate. */
static void random_output(struct kernel_case *c, struct random *r, int frac, int bits) {
    struct pare_value *y = &c->values[c->op.output];
    random_format(r, y);
    int shift = one_in(r, 12) ? random_between(r, -20, 70) : bits - y->bits + random_between(r, -3, 2);
    y->frac = (int16_t)(frac - shift);
    c->op.low = code_min(y->bits, y->is_signed);
    c->op.high = code_max(y->bits, y->is_signed);
    if (one_in(r, 3)) { /* Relu or Clip folded in */
        c->op.low = random_between(r, c->op.low, c->op.high);
        c->op.high = random_between(r, c->op.low, c->op.high);
    }
}

/* ---- kinds ---- */

static uint32_t dim(struct random *r, enum case_size size, uint32_t small, uint32_t large) {
    return 1 + random_below(r, size == CASE_SMALL ? small : large);
}

static void random_axis(struct random *r, enum case_size size, uint32_t *in, uint32_t *kernel, uint32_t *stride,
                        uint32_t *dilation, uint32_t *before, uint32_t *after, bool covered) {
    *in = dim(r, size, 12, 40);
    *kernel = one_in(r, 3) ? 1 : dim(r, size, 4, 7);
    *stride = one_in(r, 2) ? 1 : dim(r, size, 4, 5);
    *dilation = one_in(r, 2) ? 1 : dim(r, size, 3, 3);
    uint32_t most = covered ? *kernel - 1 : *kernel + 1; /* a pool's window must meet the input */
    *dilation = covered ? 1 : *dilation;
    *before = random_below(r, most + 1);
    *after = random_below(r, most + 1);
    uint32_t reach = (*kernel - 1) * *dilation + 1;
    while (*in + *before + *after < reach) {
        ++*in;
    }
}

static void random_window(struct kernel_case *c, struct random *r, enum case_size size, bool covered) {
    struct pare_window *w = &c->op.u.window;
    random_axis(r, size, &w->in_h, &w->kernel_h, &w->stride_h, &w->dilation_h, &w->pad_top, &w->pad_bottom, covered);
    random_axis(r, size, &w->in_w, &w->kernel_w, &w->stride_w, &w->dilation_w, &w->pad_left, &w->pad_right, covered);
    if (c->op.kind == PARE_CONV_TRANSPOSE) {
        int64_t h = (int64_t)(w->in_h - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1;
        int64_t x = (int64_t)(w->in_w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
        h -= w->pad_top + w->pad_bottom;
        x -= w->pad_left + w->pad_right;
        w->out_h = h < 1 ? 1 : (uint32_t)h;
        w->out_w = x < 1 ? 1 : (uint32_t)x;
        return;
    }
    w->out_h = (w->in_h + w->pad_top + w->pad_bottom - (w->kernel_h - 1) * w->dilation_h - 1) / w->stride_h + 1;
    w->out_w = (w->in_w + w->pad_left + w->pad_right - (w->kernel_w - 1) * w->dilation_w - 1) / w->stride_w + 1;
}

static void window_shapes(struct kernel_case *c) {
    const struct pare_window *w = &c->op.u.window;
    set_shape(&c->values[0], 4, (const uint32_t[]){1, w->in_c, w->in_h, w->in_w});
    for (uint32_t i = 1; i <= c->op.output; i++) { /* the addend has the shape of the output */
        set_shape(&c->values[i], 4, (const uint32_t[]){1, w->out_c, w->out_h, w->out_w});
    }
}

/* Codes of some fraction to be added to sums of fraction `frac`. */
static void random_addend(struct kernel_case *c, struct random *r, int frac) {
    c->op.input_count = 2;
    c->op.output = 2;
    random_format(r, &c->values[1]);
    c->values[1].frac = (int16_t)(frac + random_between(r, -12, 6));
}

static void make_conv(struct kernel_case *c, struct random *r, enum case_size size) {
    struct pare_window *w = &c->op.u.window;
    random_window(c, r, size, false);
    bool depthwise = one_in(r, 4);
    if (one_in(r, 10)) { /* one tap per channel */
        *w = (struct pare_window){.in_h = w->in_h,
                                  .in_w = w->in_w,
                                  .out_h = w->in_h,
                                  .out_w = w->in_w,
                                  .kernel_h = 1,
                                  .kernel_w = 1,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .dilation_h = 1,
                                  .dilation_w = 1};
        depthwise = true;
    }
    w->group = one_in(r, 2) ? 1 : dim(r, size, 4, 8);
    w->in_c = w->group * (depthwise ? 1 : dim(r, size, 5, 20));
    w->out_c = w->group * (depthwise ? dim(r, size, 2, 2) : dim(r, size, 15, 40));
    random_format(r, &c->values[0]);
    uint32_t columns = w->in_c / w->group * w->kernel_h * w->kernel_w;
    unsigned bits = random_weight_bits(r);
    random_weights(c, r, w->out_c, columns, bits);
    random_bias(c, r, w->out_c);
    bits += c->op.kind == PARE_CONV && one_in(r, 2) ? random_zeros(c, r) : c->values[0].bits;
    if (c->op.kind == PARE_CONV && one_in(r, 2)) {
        random_addend(c, r, c->values[0].frac + c->op.weights.frac[0]);
    }
    random_output(c, r, c->values[0].frac + c->op.weights.frac[0], (int)bits + log2_of(c->op.weights.columns) / 2);
    window_shapes(c);
}

static void make_dense(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t samples = one_in(r, 2) ? 1 : dim(r, size, 20, 50), columns = dim(r, size, 40, 700);
    uint32_t rows = dim(r, size, 50, 200);
    random_format(r, &c->values[0]);
    unsigned bits = random_weight_bits(r);
    random_weights(c, r, rows, columns, bits);
    random_bias(c, r, rows);
    random_output(c, r, c->values[0].frac + c->op.weights.frac[0],
                  c->values[0].bits + (int)bits + log2_of(c->op.weights.columns) / 2);
    set_shape(&c->values[0], 2, (const uint32_t[]){samples, columns});
    set_shape(&c->values[1], 2, (const uint32_t[]){samples, rows});
}

static void make_matmul(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t batch = dim(r, size, 3, 4), m = dim(r, size, 20, 40), k = dim(r, size, 20, 300), n = dim(r, size, 50, 80);
    bool shared_a = one_in(r, 3), shared_b = one_in(r, 3);
    random_format(r, &c->values[0]);
    random_format(r, &c->values[1]);
    c->op.u.matmul.batch = batch;
    c->op.u.matmul.m = m;
    c->op.u.matmul.k = k;
    c->op.u.matmul.n = n;
    c->op.u.matmul.stride_a = shared_a ? 0 : m * k;
    c->op.u.matmul.stride_b = shared_b ? 0 : k * n;
    set_shape(&c->values[0], 3, (const uint32_t[]){shared_a ? 1 : batch, m, k});
    set_shape(&c->values[1], 3, (const uint32_t[]){shared_b ? 1 : batch, k, n});
    set_shape(&c->values[2], 3, (const uint32_t[]){batch, m, n});
    random_output(c, r, c->values[0].frac + c->values[1].frac, c->values[0].bits + c->values[1].bits + log2_of(k) / 2);
}

static void make_binary(struct kernel_case *c, struct random *r, enum case_size size) {
    unsigned rank = random_below(r, PARE_MAX_RANK + 1);
    uint32_t dims[PARE_MAX_RANK] = {0}, own[2][PARE_MAX_RANK] = {{0}};
    c->op.u.binary.rank = (uint8_t)rank;
    c->op.u.binary.subtract = one_in(r, 2);
    for (unsigned i = 0; i < rank; i++) {
        dims[i] = i + 1 == rank ? dim(r, size, 50, 500) : dim(r, size, 4, 5);
        c->op.u.binary.dims[i] = dims[i];
    }
    unsigned broadcast = random_below(r, 3); /* 2: none */
    for (unsigned side = 0; side < 2; side++) {
        uint32_t stride = 1;
        for (unsigned i = rank; i-- > 0;) {
            own[side][i] = side == broadcast && one_in(r, 2) ? 1 : dims[i];
            c->op.u.binary.stride[side][i] = own[side][i] == 1 ? 0 : stride;
            stride *= own[side][i];
        }
        random_format(r, &c->values[side]);
        set_shape(&c->values[side], rank, own[side]);
    }
    set_shape(&c->values[2], rank, dims);
    int a = c->values[0].frac, b = c->values[1].frac;
    int finer = a > b ? a : b, bits_a = c->values[0].bits, bits_b = c->values[1].bits;
    int reach_a = bits_a + finer - a, reach_b = bits_b + finer - b, reach = reach_a > reach_b ? reach_a : reach_b;
    bool product = c->op.kind == PARE_MUL;
    random_output(c, r, product ? a + b : finer, product ? bits_a + bits_b : reach);
}

static void make_prelu(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t dims[3] = {1, dim(r, size, 6, 20), dim(r, size, 40, 300)};
    random_format(r, &c->values[0]);
    unsigned bits = random_weight_bits(r);
    random_weights(c, r, one_in(r, 2) ? 1 : dims[1], 1, bits);
    random_output(c, r, c->values[0].frac, c->values[0].bits + 2);
    set_shape(&c->values[0], 3, dims);
    set_shape(&c->values[1], 3, dims);
}

static void make_concat(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t inputs = dim(r, size, 4, PARE_MAX_INPUTS), total = 0;
    c->op.u.concat.outer = dim(r, size, 4, 6);
    c->op.u.concat.inner = dim(r, size, 6, 100);
    for (uint32_t i = 0; i < inputs; i++) {
        random_format(r, &c->values[i]);
        c->op.u.concat.size[i] = dim(r, size, 5, 8);
        total += c->op.u.concat.size[i];
        set_shape(&c->values[i], 3,
                  (const uint32_t[]){c->op.u.concat.outer, c->op.u.concat.size[i], c->op.u.concat.inner});
    }
    c->op.input_count = (uint8_t)inputs;
    c->op.output = inputs;
    set_shape(&c->values[inputs], 3, (const uint32_t[]){c->op.u.concat.outer, total, c->op.u.concat.inner});
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    if (one_in(r, 2)) { /* as the search prefers it: all of one format */
        for (uint32_t i = 0; i < inputs; i++) {
            struct pare_value *y = &c->values[inputs];
            set_format(&c->values[i], y->bits, y->is_signed, y->frac);
        }
    }
}

static void make_pool(struct kernel_case *c, struct random *r, enum case_size size) {
    struct pare_window *w = &c->op.u.window;
    random_window(c, r, size, true);
    w->group = 1;
    w->in_c = w->out_c = dim(r, size, 5, 20);
    w->count_include_pad = one_in(r, 2);
    random_format(r, &c->values[0]);
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    if (c->op.kind == PARE_MAX_POOL && one_in(r, 2)) {
        set_format(&c->values[1], c->values[0].bits, c->values[0].is_signed, c->values[0].frac);
        c->op.low = code_min(c->values[0].bits, c->values[0].is_signed);
        c->op.high = code_max(c->values[0].bits, c->values[0].is_signed);
    }
    window_shapes(c);
}

static void make_reduce(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t outer = dim(r, size, 6, 20), reduced = dim(r, size, 50, 300),
             inner = one_in(r, 2) ? 1 : dim(r, size, 9, 40);
    c->op.u.reduce.outer = outer;
    c->op.u.reduce.reduced = reduced;
    c->op.u.reduce.inner = inner;
    random_format(r, &c->values[0]);
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    set_shape(&c->values[0], 3, (const uint32_t[]){outer, reduced, inner});
    set_shape(&c->values[1], 2, (const uint32_t[]){outer, inner});
}

static void make_table(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t dims[1] = {dim(r, size, 300, 5000)};
    random_format(r, &c->values[0]);
    random_output(c, r, 0, 0);
    set_shape(&c->values[0], 1, dims);
    set_shape(&c->values[1], 1, dims);
    void *entries = take(c, (size_t)1 << c->values[0].bits, 2);
    for (uint32_t i = 0; i < (uint32_t)1 << c->values[0].bits; i++) {
        write_code(entries, c->values[1].storage, i, random_between(r, c->op.low, c->op.high));
    }
    c->op.u.table.entries = entries;
}

static void make_requantize(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t dims[1] = {dim(r, size, 300, 5000)};
    random_format(r, &c->values[0]);
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    set_shape(&c->values[0], 1, dims);
    set_shape(&c->values[1], 1, dims);
}

/* A transposition of a slice, sometimes backwards, into a padded output. */
static void make_copy(struct kernel_case *c, struct random *r, enum case_size size) {
    unsigned rank = 1 + random_below(r, 4);
    uint32_t in[PARE_MAX_RANK], out[PARE_MAX_RANK], order[PARE_MAX_RANK], begin[PARE_MAX_RANK];
    uint32_t in_stride = 1, out_stride = 1;
    bool fill = one_in(r, 2), transpose = one_in(r, 2), slice = one_in(r, 2);
    c->op.u.copy.rank = (uint8_t)rank;
    c->op.u.copy.fill = fill;
    for (unsigned i = 0; i < rank; i++) {
        c->op.u.copy.dims[i] = i + 1 == rank ? dim(r, size, 20, 100) : dim(r, size, 5, 10);
        order[i] = i;
        begin[i] = fill ? random_below(r, 3) : 0;
        out[i] = c->op.u.copy.dims[i] + begin[i] + (fill ? random_below(r, 3) : 0);
    }
    for (unsigned i = rank; transpose && i-- > 1;) {
        unsigned other = random_below(r, i + 1);
        uint32_t swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
    }
    for (unsigned i = rank; i-- > 0;) {
        uint32_t extent = c->op.u.copy.dims[order[i]], step = slice ? 1 + random_below(r, 3) : 1;
        bool backwards = slice && one_in(r, 3);
        in[i] = (extent - 1) * step + 1;
        c->op.u.copy.in_stride[order[i]] = (int32_t)(backwards ? -(int64_t)(in_stride * step) : in_stride * step);
        c->op.u.copy.in_base += backwards ? in_stride * (in[i] - 1) : 0;
        in_stride *= in[i];
        c->op.u.copy.out_stride[i] = (int32_t)out_stride;
        c->op.u.copy.out_base += out_stride * begin[i];
        out_stride *= out[i];
    }
    random_format(r, &c->values[0]);
    set_shape(&c->values[0], rank, in);
    set_shape(&c->values[1], rank, out);
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    if (one_in(r, 2)) {
        set_format(&c->values[1], c->values[0].bits, c->values[0].is_signed, c->values[0].frac);
        c->op.low = code_min(c->values[0].bits, c->values[0].is_signed);
        c->op.high = code_max(c->values[0].bits, c->values[0].is_signed);
    }
    c->op.u.copy.fill_code = random_between(r, c->op.low, c->op.high);
}

static void make_gather(struct kernel_case *c, struct random *r, enum case_size size) {
    uint32_t outer = dim(r, size, 4, 6), axis = dim(r, size, 9, 30), taken = dim(r, size, 9, 30);
    uint32_t inner = one_in(r, 2) ? 1 : dim(r, size, 20, 100);
    uint8_t *indices = take(c, taken, 4);
    for (uint32_t i = 0; i < taken; i++) {
        put_bits(indices, (uint64_t)i * 32, 32, (int32_t)random_below(r, axis));
    }
    c->op.u.gather.outer = outer;
    c->op.u.gather.in_axis = axis;
    c->op.u.gather.out_axis = taken;
    c->op.u.gather.inner = inner;
    c->op.u.gather.indices = (const uint32_t *)(void *)indices;
    random_format(r, &c->values[0]);
    random_output(c, r, c->values[0].frac, c->values[0].bits);
    set_shape(&c->values[0], 3, (const uint32_t[]){outer, axis, inner});
    set_shape(&c->values[1], 3, (const uint32_t[]){outer, taken, inner});
}

static const struct {
    const char *name;
    uint8_t inputs;
    void (*make)(struct kernel_case *c, struct random *r, enum case_size size);
} kinds[PARE_KIND_COUNT] = {
    [PARE_CONV] = {"conv", 1, make_conv},
    [PARE_CONV_TRANSPOSE] = {"conv_transpose", 1, make_conv},
    [PARE_DENSE] = {"dense", 1, make_dense},
    [PARE_MATMUL] = {"matmul", 2, make_matmul},
    [PARE_ADD] = {"add", 2, make_binary},
    [PARE_MUL] = {"mul", 2, make_binary},
    [PARE_PRELU] = {"prelu", 1, make_prelu},
    [PARE_CONCAT] = {"concat", 0, make_concat},
    [PARE_MAX_POOL] = {"max_pool", 1, make_pool},
    [PARE_AVERAGE_POOL] = {"average_pool", 1, make_pool},
    [PARE_REDUCE_MEAN] = {"reduce_mean", 1, make_reduce},
    [PARE_TABLE] = {"table", 1, make_table},
    [PARE_REQUANTIZE] = {"requantize", 1, make_requantize},
    [PARE_COPY] = {"copy", 1, make_copy},
    [PARE_GATHER] = {"gather", 1, make_gather},
};

const char *kind_name(uint8_t kind) {
    return kinds[kind].name;
}

static void case_begin(struct kernel_case *c, uint8_t kind) {
    *c = (struct kernel_case){0};
    arena_init(&c->arena);
    c->op.kind = kind;
    c->op.input_count = kinds[kind].inputs;
    for (uint32_t i = 0; i < PARE_MAX_INPUTS; i++) {
        c->op.inputs[i] = i;
    }
    c->op.output = kinds[kind].inputs;
}

/* The accumulator's width is what the program's check asks for, or sometimes wider than that. */
static void case_end(struct kernel_case *c, struct random *r) {
    c->op.wide = one_in(r, 8) || pare_check_op(&c->op, c->values) != NULL;
    for (uint32_t i = 0; i < c->op.input_count; i++) {
        c->codes[i] = random_codes(c, r, &c->values[i]);
    }
}

void case_make(struct kernel_case *c, struct random *r, uint8_t kind, enum case_size size) {
    case_begin(c, kind);
    kinds[kind].make(c, r, size);
    case_end(c, r);
}

void case_make_padded(struct kernel_case *c, struct random *r, uint8_t kind) {
    uint32_t far = (uint32_t)1 << 24;
    case_begin(c, kind);
    c->op.u.window = (struct pare_window){.in_c = 2,
                                          .in_h = 1,
                                          .in_w = 5,
                                          .out_c = 3,
                                          .out_h = 1,
                                          .out_w = 5,
                                          .kernel_h = 1,
                                          .kernel_w = 2,
                                          .stride_h = 1,
                                          .stride_w = 1,
                                          .dilation_h = 1,
                                          .dilation_w = far,
                                          .pad_left = random_below(r, 2) * far,
                                          .group = 1};
    random_format(r, &c->values[0]);
    random_weights(c, r, 3, 4, 8);
    random_bias(c, r, 3);
    if (kind == PARE_CONV && one_in(r, 2)) {
        random_zeros(c, r);
    }
    random_output(c, r, c->values[0].frac + c->op.weights.frac[0], c->values[0].bits + 8);
    window_shapes(c);
    case_end(c, r);
}

void case_make_conv(struct kernel_case *c, struct random *r, const struct pare_window *window, unsigned bits) {
    case_begin(c, PARE_CONV);
    c->op.u.window = *window;
    set_format(&c->values[0], 8, false, 8);
    set_format(&c->values[1], 8, false, 4);
    c->op.high = 255;
    random_weights(c, r, window->out_c, window->in_c / window->group * window->kernel_h * window->kernel_w, bits);
    random_bias(c, r, window->out_c);
    window_shapes(c);
    c->codes[0] = random_codes(c, r, &c->values[0]);
}

void case_make_dense(struct kernel_case *c, struct random *r, uint32_t samples, uint32_t columns, uint32_t rows) {
    case_begin(c, PARE_DENSE);
    set_format(&c->values[0], 8, false, 8);
    set_format(&c->values[1], 8, false, 4);
    c->op.high = 255;
    random_weights(c, r, rows, columns, 8);
    random_bias(c, r, rows);
    set_shape(&c->values[0], 2, (const uint32_t[]){samples, columns});
    set_shape(&c->values[1], 2, (const uint32_t[]){samples, rows});
    c->codes[0] = random_codes(c, r, &c->values[0]);
}
