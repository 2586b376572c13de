#include "quant/parameters.h"

#include "graph/zero_point.h"
#include "quant/codes.h"

#include <math.h>

/* ---- packing: as struct pare_weights says ---- */

static void put_bits(uint8_t *data, uint64_t at, uint32_t code, unsigned bits) {
    for (unsigned done = 0; done < bits;) {
        unsigned offset = (unsigned)((at + done) & 7);
        unsigned take = bits - done < 8 - offset ? bits - done : 8 - offset;
        uint32_t part = (code >> done) & ((1u << take) - 1);
        data[(at + done) >> 3] |= (uint8_t)(part << offset);
        done += take;
    }
}

/* Rows start at whole bytes where that costs less than 1 %. */
static uint32_t row_stride(uint32_t columns, unsigned bits) {
    uint32_t exact = columns * bits, whole = (exact + 7) / 8 * 8;
    return (whole - exact) * 100 < exact ? whole : exact;
}

static uint8_t *pack(struct arena *a, const int32_t *codes, uint32_t rows, uint32_t columns, unsigned bits,
                     uint32_t stride) {
    uint64_t total = (uint64_t)rows * stride;
    uint8_t *data = arena_alloc(a, (size_t)((total + 7) / 8));
    for (uint32_t r = 0; data != NULL && r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            put_bits(data, (uint64_t)r * stride + (uint64_t)c * bits, (uint32_t)codes[(size_t)r * columns + c], bits);
        }
    }
    return data;
}

static bool all_zero(const int32_t *codes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (codes[i] != 0) {
            return false;
        }
    }
    return true;
}

static const int8_t *pack_fracs(struct arena *a, const struct format *f) {
    int count = f->channel_frac == NULL ? 1 : f->channels;
    int8_t *fracs = arena_alloc(a, (size_t)count);
    for (int i = 0; fracs != NULL && i < count; i++) {
        fracs[i] = (int8_t)format_frac(f, i);
    }
    return fracs;
}

/* ---- weights ---- */

static int64_t *sum_rows(struct arena *a, const struct linear *l, const int32_t *codes) {
    int64_t *sums = arena_array(a, (size_t)l->rows * 2, sizeof(*sums));
    for (uint32_t r = 0; sums != NULL && r < l->rows; r++) {
        for (uint32_t c = 0; c < l->columns; c++) {
            int32_t q = codes[(size_t)r * l->columns + c];
            sums[2 * r + (q < 0)] += q;
        }
    }
    return sums;
}

enum pare_status weight_choice_finish(struct context *ctx, struct arena *a, const struct linear *l,
                                      struct weight_choice *choice) {
    struct pare_weights *w = &choice->packed;
    *w = (struct pare_weights){.bits = (uint8_t)choice->format.bits, .rows = l->rows, .columns = l->columns};
    if (all_zero(choice->codes, (size_t)l->rows * l->columns)) {
        w->bits = 0;
        choice->format.bits = 0;
    } else {
        w->row_bits = row_stride(l->columns, w->bits);
        w->data = pack(a, choice->codes, l->rows, l->columns, w->bits, w->row_bits);
    }
    w->frac_per_row = choice->format.channel_frac != NULL;
    w->frac = pack_fracs(a, &choice->format);
    choice->row_sums = sum_rows(a, l, choice->codes);
    bool complete = w->frac != NULL && choice->row_sums != NULL && (w->bits == 0 || w->data != NULL);
    return complete ? PARE_OK : fail_memory(ctx);
}

/* ---- zero points ---- */

int32_t zero_point_code(const struct node *zero_point, int64_t channel, int frac) {
    struct format f = {.bits = ZERO_POINT_BITS, .is_signed = true, .frac = frac};
    return quantize(zero_point_of(zero_point, channel), &f, 0);
}

static uint32_t channel_of_column(const struct linear *l, uint32_t row, uint32_t column) {
    uint32_t per_group = (uint32_t)l->weight->constant->shape.dim[1], taps = l->columns / per_group;
    return row / (l->rows / l->groups) * per_group + column / taps;
}

static enum pare_status pack_zero_points(struct context *ctx, struct arena *a, const struct linear *l,
                                         struct bias_choice *b) {
    if (l->zero_point == NULL) {
        return PARE_OK;
    }
    uint32_t channels = (uint32_t)l->weight->constant->shape.dim[1] * l->groups;
    uint8_t *packed = arena_array(a, channels, 2);
    if (packed == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t c = 0; c < channels; c++) {
        uint32_t code = (uint32_t)zero_point_code(l->zero_point, c, b->input_frac);
        packed[(size_t)2 * c] = (uint8_t)(code & 0xff);
        packed[(size_t)2 * c + 1] = (uint8_t)(code >> 8 & 0xff);
    }
    b->zero = packed;
    return PARE_OK;
}

/* What rounding the zero points takes away from each output whose window lies inside of the input. */
static double zero_point_shift(const struct linear *l, int input_frac, uint32_t row) {
    double sum = 0;
    for (uint32_t c = 0; l->zero_point != NULL && c < l->columns; c++) {
        uint32_t channel = channel_of_column(l, row, c);
        double rounded = ldexp(zero_point_code(l->zero_point, channel, input_frac), -input_frac);
        double error = rounded - zero_point_of(l->zero_point, channel);
        sum += l->weights->codes[(size_t)row * l->columns + c] * error;
    }
    return ldexp(sum, -format_frac(&l->weights->format, (int)row));
}

/* ---- biases ---- */

static double corrected_bias(const struct linear *l, int input_frac, uint32_t row) {
    double shift = l->weights->mean_shift == NULL ? 0 : l->weights->mean_shift[row];
    return l->bias_float[row] + shift + (l->weights->is_fitted ? 0 : zero_point_shift(l, input_frac, row));
}

static int bias_frac(double b, int bits, int limit) {
    int frac = b == 0 || bits == 0 ? limit : frac_for_range(fabs(b), bits, true);
    int finest = limit < FRAC_LIMIT ? limit : FRAC_LIMIT;
    return frac < finest ? frac : finest;
}

static enum pare_status pack_bias(struct context *ctx, struct arena *a, const struct linear *l, struct bias_choice *b) {
    b->packed =
        (struct pare_bias){.bits = (uint8_t)b->format.bits, .frac_per_row = true, .frac = pack_fracs(a, &b->format)};
    if (all_zero(b->codes, l->rows)) {
        b->packed.bits = 0;
        b->format.bits = 0;
    } else {
        b->packed.data = pack(a, b->codes, l->rows, 1, b->packed.bits, b->packed.bits);
    }
    bool complete = b->packed.frac != NULL && (b->packed.bits == 0 || b->packed.data != NULL);
    return complete ? PARE_OK : fail_memory(ctx);
}

static enum pare_status round_bias(struct context *ctx, struct arena *a, const struct linear *l,
                                   struct bias_choice *b) {
    int32_t *codes = ARENA_ARRAY(a, l->rows, int32_t);
    int *fracs = ARENA_ARRAY(a, l->rows, int);
    if (codes == NULL || fracs == NULL) {
        return fail_memory(ctx);
    }
    b->format =
        (struct format){.bits = l->bias_bits, .is_signed = true, .channels = (int)l->rows, .channel_frac = fracs};
    for (uint32_t r = 0; r < l->rows; r++) {
        double value = corrected_bias(l, b->input_frac, r);
        fracs[r] = bias_frac(value, l->bias_bits, format_frac(&l->weights->format, (int)r) + b->input_frac);
        codes[r] = l->bias_bits == 0 ? 0 : quantize(value, &b->format, (int)r);
    }
    b->codes = codes;
    TRY(pack_zero_points(ctx, a, l, b));
    return pack_bias(ctx, a, l, b);
}

static int input_frac(const struct linear *l) {
    return l->in == NULL ? 0 : l->in->format.frac;
}

static void keep_bias(struct linear *l, struct bias_choice *b) {
    b->next = l->bias_choices;
    l->bias_choices = b;
}

enum pare_status linear_set_bias(struct context *ctx, struct arena *a, struct linear *l, struct bias_choice *b) {
    b->weights = l->weights;
    b->input_frac = input_frac(l);
    TRY(pack_zero_points(ctx, a, l, b));
    TRY(pack_bias(ctx, a, l, b));
    l->bias_bits = b->format.bits;
    keep_bias(l, b);
    return PARE_OK;
}

enum pare_status linear_bias_choice(struct context *ctx, struct arena *a, struct linear *l,
                                    const struct bias_choice **out) {
    for (const struct bias_choice *b = l->bias_choices; b != NULL; b = b->next) {
        bool same_bits = b->format.bits == l->bias_bits || b->format.bits == 0;
        if (b->weights == l->weights && b->input_frac == input_frac(l) && same_bits) {
            *out = b;
            return PARE_OK;
        }
    }
    struct bias_choice *b = ARENA_NEW(a, struct bias_choice);
    if (b == NULL) {
        return fail_memory(ctx);
    }
    b->weights = l->weights;
    b->input_frac = input_frac(l);
    TRY(round_bias(ctx, a, l, b));
    keep_bias(l, b);
    *out = b;
    return PARE_OK;
}
