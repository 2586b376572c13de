/* Seeded random operators with their values: what the tests of the runtime and of the file format run. */
#ifndef PARE_TESTS_RANDOM_OP_H
#define PARE_TESTS_RANDOM_OP_H

#include "runtime/arith.h"
#include "runtime/codes.h"
#include "runtime/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 32
#define GUARD_BYTE 0xA5
#define MOST_VALUES (PARE_MAX_INPUTS + 1)
#define OUTPUT PARE_MAX_INPUTS /* values[OUTPUT]; inputs are values[0], values[1], ... */

static uint64_t random_state = 1;

static inline void random_seed(uint64_t seed) {
    random_state = seed * 0x9E3779B97F4A7C15u + 1;
}

static inline uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline int32_t pick(int32_t low, int32_t high) {
    return low + (int32_t)(random_bits() % (uint64_t)((int64_t)high - low + 1));
}

static inline bool chance(int percent) {
    return pick(0, 99) < percent;
}

/* A code of the format: any, or an end of its range, or near zero. */
static inline int32_t pick_code(unsigned bits, bool is_signed) {
    int32_t low = code_min(bits, is_signed), high = code_max(bits, is_signed);
    switch (pick(0, 7)) {
    case 0:
        return low;
    case 1:
        return high;
    case 2:
        return is_signed && bits > 1 ? pick(-1, 1) : pick(0, 1) & high;
    default:
        return pick(low, high);
    }
}

/* One operator, everything it points to, and the same data as plain integers. */
struct random_op {
    struct pare_op op;
    struct pare_value values[MOST_VALUES];
    int32_t *codes[MOST_VALUES];  /* of the inputs */
    uint8_t *memory[MOST_VALUES]; /* storage between guards */
    void *data[MOST_VALUES];      /* into memory */
    int32_t *weights, *biases;    /* rows x columns, rows */
    int32_t *zeros;               /* of a convolution's input channels, or NULL */
    void *owned[8];
    unsigned owned_count;
};

static inline void *owned(struct random_op *r, size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL || r->owned_count == sizeof(r->owned) / sizeof(r->owned[0])) {
        fprintf(stderr, "no memory for a random operator\n");
        exit(EXIT_FAILURE);
    }
    r->owned[r->owned_count++] = memory;
    return memory;
}

static inline void random_op_free(struct random_op *r) {
    for (unsigned i = 0; i < MOST_VALUES; i++) {
        free(r->codes[i]);
        free(r->memory[i]);
    }
    for (unsigned i = 0; i < r->owned_count; i++) {
        free(r->owned[i]);
    }
    memset(r, 0, sizeof(*r));
}

/* ---- values ---- */

static inline uint8_t storage_for(unsigned bits, bool is_signed) {
    return (uint8_t)(is_signed ? (bits > 8 ? PARE_I16 : PARE_I8) : (bits > 8 ? PARE_U16 : PARE_U8));
}

static inline void set_format(struct pare_value *v, int most_bits) {
    v->bits = (uint8_t)pick(1, most_bits);
    v->is_signed = chance(60);
    v->frac = (int16_t)pick(-3, 6);
    v->storage = storage_for(v->bits, v->is_signed);
}

static inline void set_shape(struct pare_value *v, uint32_t rank, const uint32_t *dims) {
    v->rank = (uint8_t)rank;
    v->count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        v->dims[i] = dims[i];
        v->count *= dims[i];
    }
}

static inline void set_flat(struct pare_value *v, uint32_t count) {
    set_shape(v, 2, (const uint32_t[]){1, count});
}

/* Memory with guards; the inputs filled with codes. */
static inline void fill_value(struct random_op *r, unsigned i) {
    struct pare_value *v = &r->values[i];
    size_t size = (size_t)v->count * storage_size(v->storage);
    r->memory[i] = malloc(size + 2 * GUARD);
    r->codes[i] = calloc(v->count, sizeof(int32_t));
    if (r->memory[i] == NULL || r->codes[i] == NULL) {
        exit(EXIT_FAILURE);
    }
    memset(r->memory[i], GUARD_BYTE, size + 2 * GUARD);
    r->data[i] = r->memory[i] + GUARD;
    for (uint32_t k = 0; i != OUTPUT && k < v->count; k++) {
        r->codes[i][k] = pick_code(v->bits, v->is_signed);
        write_code(r->data[i], v->storage, k, r->codes[i][k]);
    }
}

static inline bool guards_intact(const struct random_op *r, unsigned i) {
    size_t size = (size_t)r->values[i].count * storage_size(r->values[i].storage);
    for (size_t k = 0; k < GUARD; k++) {
        if (r->memory[i][k] != GUARD_BYTE || r->memory[i][GUARD + size + k] != GUARD_BYTE) {
            return false;
        }
    }
    return true;
}

/* ---- weights ---- */

static inline void put_bits(uint8_t *data, uint64_t at, int32_t code, unsigned bits) {
    for (unsigned i = 0; i < bits; i++, at++) {
        data[at >> 3] |= (uint8_t)(((uint32_t)code >> i & 1) << (at & 7));
    }
}

static inline int8_t *random_fracs(struct random_op *r, uint32_t rows, bool per_row, int low, int high) {
    int8_t *frac = owned(r, rows);
    for (uint32_t i = 0; i < (per_row ? rows : 1); i++) {
        frac[i] = (int8_t)pick(low, high);
    }
    return frac;
}

/* Weights and bias of random widths, packed; `wide` is set where a plain bound asks for it. */
static inline void fill_weights(struct random_op *r, uint32_t rows, uint32_t columns, bool with_bias) {
    struct pare_weights *w = &r->op.weights;
    struct pare_bias *b = &r->op.bias;
    const struct pare_value *x = &r->values[0];
    w->bits = (uint8_t)(chance(5) ? 0 : pick(2, 16));
    w->rows = rows;
    w->columns = columns;
    w->row_bits = columns * w->bits + (w->bits > 0 && chance(50) ? (8 - columns * w->bits % 8) % 8 : 0);
    w->frac_per_row = chance(50);
    w->frac = random_fracs(r, rows, w->frac_per_row, 2, 6);
    uint8_t *data = owned(r, ((size_t)rows * w->row_bits + 7) / 8);
    w->data = w->bits == 0 ? NULL : data;
    r->weights = owned(r, (size_t)rows * columns * sizeof(int32_t));
    r->biases = owned(r, rows * sizeof(int32_t));
    b->bits = (uint8_t)(!with_bias || chance(20) ? 0 : pick(2, 20));
    b->frac_per_row = chance(50);
    b->frac = random_fracs(r, rows, b->frac_per_row, x->frac - 2, x->frac + 2);
    uint8_t *bias_data = owned(r, ((size_t)rows * b->bits + 7) / 8);
    b->data = bias_data;
    for (uint32_t i = 0; i < rows * columns && w->bits > 0; i++) {
        r->weights[i] = pick_code(w->bits, true);
        put_bits(data, (uint64_t)(i / columns) * w->row_bits + (uint64_t)(i % columns) * w->bits, r->weights[i],
                 w->bits);
    }
    for (uint32_t i = 0; i < rows && b->bits > 0; i++) {
        r->biases[i] = pick_code(b->bits, true);
        put_bits(bias_data, (uint64_t)i * b->bits, r->biases[i], b->bits);
    }
    r->op.wide = ((int64_t)columns << (x->bits + w->bits)) + ((int64_t)1 << (b->bits + 6)) > INT32_MAX;
}

/* Zero points of the input's channels: codes of its format, or any of 16 bits. */
static inline void fill_zeros(struct random_op *r, uint32_t channels) {
    const struct pare_value *x = &r->values[0];
    uint8_t *data = owned(r, channels * (size_t)2);
    bool beyond = chance(30);
    r->zeros = owned(r, channels * sizeof(*r->zeros));
    for (uint32_t i = 0; i < channels; i++) {
        r->zeros[i] = clamp32(beyond ? pick_code(16, true) : pick_code(x->bits, x->is_signed), INT16_MIN, INT16_MAX);
        put_bits(data, (uint64_t)i * 16, r->zeros[i], 16);
    }
    r->op.zero = data;
    r->op.wide = r->op.wide || pare_check_op(&r->op, r->values) != NULL;
}

/* What is added to the sums of a convolution: input 1. */
static inline void add_addend(struct random_op *r) {
    const struct pare_window *w = &r->op.u.window;
    r->op.input_count = 2;
    r->op.inputs[1] = 1;
    set_shape(&r->values[1], 4, (const uint32_t[]){1, w->out_c, w->out_h, w->out_w});
    r->op.wide = r->op.wide || pare_check_op(&r->op, r->values) != NULL;
}

/* ---- kinds ---- */

static inline uint32_t window_out(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pads) {
    uint32_t reach = dilation * (kernel - 1) + 1;
    return in + pads < reach ? 0 : (in + pads - reach) / stride + 1;
}

static inline void random_geometry(struct pare_window *w) {
    w->in_h = (uint32_t)pick(1, 7);
    w->in_w = (uint32_t)(chance(20) ? pick(30, 40) : pick(1, 7));
    w->kernel_h = (uint32_t)pick(1, 4);
    w->kernel_w = (uint32_t)pick(1, 4);
    w->stride_h = (uint32_t)pick(1, 3);
    w->stride_w = (uint32_t)pick(1, 3);
    w->dilation_h = (uint32_t)pick(1, 2);
    w->dilation_w = (uint32_t)pick(1, 2);
    w->pad_top = (uint32_t)pick(0, (int32_t)w->kernel_h - 1);
    w->pad_left = (uint32_t)pick(0, (int32_t)w->kernel_w - 1);
    w->pad_bottom = (uint32_t)pick(0, (int32_t)w->kernel_h - 1);
    w->pad_right = (uint32_t)pick(0, (int32_t)w->kernel_w - 1);
}

static inline void random_window(struct random_op *r, bool pool) {
    struct pare_window *w = &r->op.u.window;
    bool transposed = r->op.kind == PARE_CONV_TRANSPOSE;
    do {
        random_geometry(w);
        w->out_h = window_out(w->in_h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top + w->pad_bottom);
        w->out_w = window_out(w->in_w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left + w->pad_right);
        if (transposed) {
            w->out_h = (w->in_h - 1) * w->stride_h + w->dilation_h * (w->kernel_h - 1) + 1;
            w->out_w = (w->in_w - 1) * w->stride_w + w->dilation_w * (w->kernel_w - 1) + 1;
            w->out_h = w->out_h > w->pad_top + w->pad_bottom ? w->out_h - w->pad_top - w->pad_bottom : 0;
            w->out_w = w->out_w > w->pad_left + w->pad_right ? w->out_w - w->pad_left - w->pad_right : 0;
        }
    } while (w->out_h == 0 || w->out_w == 0 ||
             (pool && (w->dilation_h > 1 || w->dilation_w > 1) && (w->in_h < 2 || w->in_w < 2)));
    w->group = pool ? 1 : (uint32_t)pick(1, 3);
    w->in_c = w->group * (uint32_t)pick(1, 3);
    w->out_c = pool ? w->in_c : w->group * (uint32_t)(chance(3) ? pick(15, 19) : pick(1, 3));
    w->count_include_pad = pool && chance(50);
    set_shape(&r->values[0], 4, (const uint32_t[]){1, w->in_c, w->in_h, w->in_w});
    set_shape(&r->values[OUTPUT], 4, (const uint32_t[]){1, w->out_c, w->out_h, w->out_w});
    if (!pool) {
        fill_weights(r, w->out_c, w->in_c / w->group * w->kernel_h * w->kernel_w, true);
    }
    if (r->op.kind == PARE_CONV && chance(50)) {
        fill_zeros(r, w->in_c);
    }
    if (r->op.kind == PARE_CONV && chance(50)) {
        add_addend(r);
    }
}

static inline void random_dense(struct random_op *r) {
    uint32_t rows = (uint32_t)(chance(10) ? pick(15, 40) : pick(1, 9)), columns = (uint32_t)pick(1, 40),
             samples = (uint32_t)(chance(70) ? 1 : pick(2, 10));
    set_shape(&r->values[0], 2, (const uint32_t[]){samples, columns});
    set_shape(&r->values[OUTPUT], 2, (const uint32_t[]){samples, rows});
    fill_weights(r, rows, columns, true);
}

static inline void random_matmul(struct random_op *r) {
    uint32_t batch = (uint32_t)pick(1, 3), m = (uint32_t)pick(1, 5), k = (uint32_t)pick(1, 9), n = (uint32_t)pick(1, 5);
    bool shared_a = chance(20), shared_b = chance(30);
    r->op.u.matmul.batch = batch;
    r->op.u.matmul.m = m;
    r->op.u.matmul.k = k;
    r->op.u.matmul.n = n;
    r->op.u.matmul.stride_a = shared_a ? 0 : m * k;
    r->op.u.matmul.stride_b = shared_b ? 0 : k * n;
    set_shape(&r->values[0], 3, (const uint32_t[]){shared_a ? 1 : batch, m, k});
    set_shape(&r->values[1], 3, (const uint32_t[]){shared_b ? 1 : batch, k, n});
    set_shape(&r->values[OUTPUT], 3, (const uint32_t[]){batch, m, n});
    r->op.wide = (uint64_t)k << (r->values[0].bits + r->values[1].bits) > INT32_MAX;
}

/* Each axis of each input is whole, or broadcast. */
static inline void random_binary(struct random_op *r) {
    uint32_t rank = (uint32_t)pick(1, 4), dims[2][PARE_MAX_RANK];
    r->op.u.binary.rank = (uint8_t)rank;
    r->op.u.binary.subtract = r->op.kind == PARE_ADD && chance(40);
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t size = r->op.u.binary.dims[i] = (uint32_t)pick(1, 5);
        int broadcast = pick(0, 9);
        dims[0][i] = broadcast == 0 ? 1 : size;
        dims[1][i] = broadcast == 1 || broadcast == 2 ? 1 : size;
    }
    for (int side = 0; side < 2; side++) {
        uint32_t step = 1;
        for (uint32_t i = rank; i-- > 0;) {
            r->op.u.binary.stride[side][i] = dims[side][i] == 1 ? 0 : step;
            step *= dims[side][i];
        }
        set_shape(&r->values[side], rank, dims[side]);
    }
    set_shape(&r->values[OUTPUT], rank, r->op.u.binary.dims);
    r->op.wide = chance(20) || r->values[0].bits + r->values[1].bits > 30;
}

static inline void random_concat(struct random_op *r) {
    uint32_t total = 0;
    r->op.input_count = (uint8_t)pick(1, chance(10) ? PARE_MAX_INPUTS : 4);
    uint32_t outer = r->op.u.concat.outer = (uint32_t)pick(1, 4), inner = r->op.u.concat.inner = (uint32_t)pick(1, 5);
    for (uint32_t i = 0; i < r->op.input_count; i++) {
        uint32_t size = r->op.u.concat.size[i] = (uint32_t)pick(1, 4);
        set_shape(&r->values[i], 3, (const uint32_t[]){outer, size, inner});
        total += size;
    }
    set_shape(&r->values[OUTPUT], 3, (const uint32_t[]){outer, total, inner});
}

static inline void random_reduce(struct random_op *r) {
    uint32_t outer = (uint32_t)pick(1, 4), reduced = (uint32_t)pick(1, 20), inner = (uint32_t)pick(1, 4);
    r->op.u.reduce.outer = outer;
    r->op.u.reduce.reduced = reduced;
    r->op.u.reduce.inner = inner;
    set_shape(&r->values[0], 3, (const uint32_t[]){outer, reduced, inner});
    set_shape(&r->values[OUTPUT], 3, (const uint32_t[]){outer, 1, inner});
}

static inline void random_table(struct random_op *r) {
    const struct pare_value *x = &r->values[0], *y = &r->values[OUTPUT];
    uint32_t count = (uint32_t)pick(1, 60), size = (uint32_t)1 << x->bits;
    void *entries = owned(r, (size_t)size * storage_size(y->storage));
    set_flat(&r->values[0], count);
    set_flat(&r->values[OUTPUT], count);
    for (uint32_t i = 0; i < size; i++) {
        write_code(entries, y->storage, i, clamp32(pick_code(y->bits, y->is_signed), r->op.low, r->op.high));
    }
    r->op.u.table.entries = entries;
}

static inline void random_prelu(struct random_op *r) {
    uint32_t channels = (uint32_t)pick(1, 4), inner = (uint32_t)pick(1, 9);
    r->values[0].is_signed = true;
    r->values[0].storage = storage_for(r->values[0].bits, true);
    set_shape(&r->values[0], 3, (const uint32_t[]){1, channels, inner});
    set_shape(&r->values[OUTPUT], 3, (const uint32_t[]){1, channels, inner});
    fill_weights(r, chance(50) ? 1 : channels, 1, false);
}

/* A transposition of a slice, or a fill with a copy inside. */
static inline void random_copy(struct random_op *r) {
    uint32_t rank = (uint32_t)pick(1, 4), in[PARE_MAX_RANK] = {0}, out[PARE_MAX_RANK], order[PARE_MAX_RANK];
    uint32_t in_step = 1, out_step = 1;
    r->op.u.copy.rank = (uint8_t)rank;
    r->op.u.copy.fill = chance(50);
    r->op.u.copy.fill_code = clamp32(0, r->op.low, r->op.high);
    for (uint32_t i = 0; i < rank; i++) {
        r->op.u.copy.dims[i] = (uint32_t)pick(1, 4);
        in[i] = r->op.u.copy.dims[i] + (uint32_t)pick(0, 2);
        order[i] = i;
    }
    for (uint32_t i = rank; i-- > 1;) {
        uint32_t other = (uint32_t)pick(0, (int32_t)i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (uint32_t i = rank; i-- > 0;) {
        uint32_t axis = order[i], size = r->op.u.copy.dims[axis], before = r->op.u.copy.fill ? (uint32_t)pick(0, 2) : 0;
        out[i] = size + before + (r->op.u.copy.fill ? (uint32_t)pick(0, 2) : 0);
        r->op.u.copy.out_stride[axis] = (int32_t)out_step;
        r->op.u.copy.out_base += before * out_step;
        out_step *= out[i];
        uint32_t first = (uint32_t)pick(0, (int32_t)(in[i] - r->op.u.copy.dims[i]));
        bool reversed = chance(20);
        r->op.u.copy.in_stride[i] = chance(10) ? 0 : reversed ? -(int32_t)in_step : (int32_t)in_step;
        r->op.u.copy.in_base += (reversed ? first + r->op.u.copy.dims[i] - 1 : first) * in_step;
        in_step *= in[i];
    }
    set_shape(&r->values[0], rank, in);
    set_shape(&r->values[OUTPUT], rank, out);
}

static inline void random_gather(struct random_op *r) {
    uint32_t outer = (uint32_t)pick(1, 3), axis = (uint32_t)pick(1, 6), chosen = (uint32_t)pick(1, 6),
             inner = (uint32_t)pick(1, 4);
    uint32_t *indices = owned(r, chosen * sizeof(*indices));
    for (uint32_t i = 0; i < chosen; i++) {
        indices[i] = (uint32_t)pick(0, (int32_t)axis - 1);
    }
    r->op.u.gather.outer = outer;
    r->op.u.gather.in_axis = axis;
    r->op.u.gather.out_axis = chosen;
    r->op.u.gather.inner = inner;
    r->op.u.gather.indices = indices;
    set_shape(&r->values[0], 3, (const uint32_t[]){outer, axis, inner});
    set_shape(&r->values[OUTPUT], 3, (const uint32_t[]){outer, chosen, inner});
}

static inline void random_shapes(struct random_op *r) {
    switch ((enum pare_kind)r->op.kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
        random_window(r, false);
        break;
    case PARE_MAX_POOL:
    case PARE_AVERAGE_POOL:
        random_window(r, true);
        break;
    case PARE_DENSE:
        random_dense(r);
        break;
    case PARE_MATMUL:
        random_matmul(r);
        break;
    case PARE_ADD:
    case PARE_MUL:
        random_binary(r);
        break;
    case PARE_PRELU:
        random_prelu(r);
        break;
    case PARE_CONCAT:
        random_concat(r);
        break;
    case PARE_REDUCE_MEAN:
        random_reduce(r);
        break;
    case PARE_TABLE:
        random_table(r);
        break;
    case PARE_COPY:
        random_copy(r);
        break;
    case PARE_GATHER:
        random_gather(r);
        break;
    default:
        set_flat(&r->values[0], (uint32_t)pick(1, 60));
        set_flat(&r->values[OUTPUT], r->values[0].count);
    }
}

/* Bounds of the output: its whole range, or like a Relu or a Clip inside. */
static inline void random_bounds(struct random_op *r) {
    const struct pare_value *y = &r->values[OUTPUT];
    r->op.low = code_min(y->bits, y->is_signed);
    r->op.high = code_max(y->bits, y->is_signed);
    if (chance(30)) {
        r->op.low = 0;
    }
    if (chance(20)) {
        r->op.high = pick(r->op.low, r->op.high);
    }
}

/* A random operator of `kind` that pare_check_op must accept. Free with random_op_free. */
static inline void random_op(struct random_op *r, enum pare_kind kind) {
    memset(r, 0, sizeof(*r));
    r->op.kind = (uint8_t)kind;
    r->op.input_count = kind == PARE_MATMUL || kind == PARE_ADD || kind == PARE_MUL ? 2 : 1;
    r->op.output = OUTPUT;
    for (unsigned i = 0; i < MOST_VALUES; i++) {
        set_format(&r->values[i], kind == PARE_TABLE ? 10 : chance(70) ? 8 : 16);
    }
    random_bounds(r);
    random_shapes(r);
    for (unsigned i = 0; i < r->op.input_count; i++) {
        r->op.inputs[i] = i;
        fill_value(r, i);
    }
    fill_value(r, OUTPUT);
    r->op.wide = r->op.wide || (kind == PARE_ADD && pare_check_op(&r->op, r->values) != NULL);
}

#endif
