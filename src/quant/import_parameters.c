/* Weights and biases of a rewritten ONNX: their codes as they were before they were aligned and widened. */
#include "quant/codes.h"
#include "quant/import.h"
#include "quant/parameters.h"
#include "quant/scaling.h"

#define WEIGHT_BITS_MAX 16
#define BIAS_BITS_MAX 32
#define SHIFT_MAX 31

/* Integers of the file seen as the linear operator sees them. */
struct matrix {
    const struct folded *folded;
    const struct linear *linear;
    bool is_bias;
    uint32_t rows, columns;
    int bits_max;
};

static size_t source_of(const struct matrix *m, uint32_t row, uint32_t column) {
    if (m->is_bias) {
        return tensor_count(m->folded->integers->constant) == 1 ? 0 : row;
    }
    return linear_source(m->linear, row, column);
}

static int largest_frac(const struct matrix *m, uint32_t row) {
    bool bounded = m->is_bias;
    int products = bounded ? format_frac(&m->linear->weights->format, (int)row) + m->linear->in->format.frac : 0;
    return bounded && products < SCALING_FRAC_MAX ? products : SCALING_FRAC_MAX;
}

/* code * 2^shift; false where that is no integer of 32 bits. */
static bool shift_code(int64_t code, int shift, int64_t *out) {
    *out = 0;
    if (code == 0) {
        return true;
    }
    if (shift < -SHIFT_MAX || shift > SHIFT_MAX) {
        return false;
    }
    int64_t factor = (int64_t)1 << (shift < 0 ? -shift : shift);
    *out = shift < 0 ? code / factor : code * factor;
    return (shift >= 0 || code % factor == 0) && *out >= INT32_MIN && *out <= INT32_MAX;
}

/* The codes at the fractions of `f`; false where one is no integer or outside the format. */
static bool read_codes(const struct matrix *m, const struct format *f, int32_t *codes) {
    const struct tensor *t = m->folded->integers->constant;
    int32_t low = format_min(f), high = format_max(f);
    for (uint32_t r = 0; r < m->rows; r++) {
        int frac = format_frac(f, (int)r);
        if (frac < -SCALING_FRAC_MAX || frac > largest_frac(m, r)) {
            return false;
        }
        for (uint32_t c = 0; c < m->columns; c++) {
            size_t i = source_of(m, r, c);
            int64_t code = 0;
            if (!shift_code(tensor_get_int(t, i), frac - folded_frac(m->folded, i), &code) || code < low ||
                code > high) {
                return false;
            }
            codes[(size_t)r * m->columns + c] = (int32_t)code;
        }
    }
    return true;
}

static bool announcement_fits(const struct matrix *m) {
    const struct format *f = m->folded->integers->format;
    bool per_row = f != NULL && f->channel_frac != NULL && f->channels == (int)m->rows;
    return f != NULL && f->is_signed && f->bits <= m->bits_max && (f->channel_frac == NULL || per_row);
}

/* What the file's own scales say: a fraction per row. */
static void format_of_scales(const struct matrix *m, struct format *f) {
    bool narrow = m->folded->stored.bits <= m->bits_max;
    f->bits = narrow ? m->folded->stored.bits : m->bits_max;
    f->is_signed = true;
    for (uint32_t r = 0; r < m->rows; r++) {
        int frac = folded_frac(m->folded, source_of(m, r, 0)), limit = largest_frac(m, r);
        f->channel_frac[r] = frac < limit ? frac : limit;
    }
}

/* The narrowest width that holds the codes, where nothing announces one. */
static int bits_of_codes(const int32_t *codes, size_t count) {
    int bits = 2;
    for (size_t i = 0; i < count; i++) {
        while (bits < 32 && (codes[i] < -((int64_t)1 << (bits - 1)) || codes[i] > ((int64_t)1 << (bits - 1)) - 1)) {
            bits++;
        }
    }
    return bits;
}

static enum pare_status copy_fractions(struct import *im, const struct format *from, uint32_t rows, struct format *f) {
    *f = (struct format){.is_signed = true};
    f->channels = (int)rows;
    f->channel_frac = ARENA_ARRAY(&im->scheme->arena, rows, int);
    if (f->channel_frac == NULL) {
        return fail_memory(im->ctx);
    }
    for (uint32_t r = 0; from != NULL && r < rows; r++) {
        f->channel_frac[r] = format_frac(from, (int)r);
    }
    return PARE_OK;
}

static enum pare_status recover(struct import *im, const struct matrix *m, struct format *f, int32_t *codes) {
    const struct format *announced = m->folded->integers->format;
    if (announcement_fits(m) && read_codes(m, announced, codes)) {
        TRY(copy_fractions(im, announced, m->rows, f));
        f->bits = announced->bits;
        f->frac = announced->frac;
        if (announced->channel_frac == NULL && !m->is_bias) {
            f->channel_frac = NULL;
        }
        return PARE_OK;
    }
    TRY(copy_fractions(im, NULL, m->rows, f));
    format_of_scales(m, f);
    if (!m->folded->stored.is_signed || !read_codes(m, f, codes)) {
        return fail(im->ctx, PARE_ERROR_UNSUPPORTED,
                    "%s: its integers fit no signed format of at most %d bits per "
                    "output channel",
                    m->folded->integers->name, m->bits_max);
    }
    f->bits = m->is_bias ? bits_of_codes(codes, m->rows) : f->bits;
    return PARE_OK;
}

static const struct folded *folded_of(struct import *im, const struct value *v) {
    const struct folded *f = map_get(&im->folded, v);
    if (f == NULL) {
        fail(im->ctx, PARE_ERROR_UNSUPPORTED, "%s: integers with a DequantizeLinear are expected", v->name);
    }
    return f;
}

static enum pare_status import_weights(struct import *im, struct linear *l) {
    struct arena *a = &im->scheme->arena;
    struct matrix m = {.folded = folded_of(im, l->weight),
                       .linear = l,
                       .rows = l->rows,
                       .columns = l->columns,
                       .bits_max = WEIGHT_BITS_MAX};
    if (m.folded == NULL) {
        return PARE_ERROR_UNSUPPORTED;
    }
    struct weight_choice *choice = ARENA_NEW(a, struct weight_choice);
    int32_t *codes = ARENA_ARRAY(a, (size_t)l->rows * l->columns, int32_t);
    if (choice == NULL || codes == NULL) {
        return fail_memory(im->ctx);
    }
    choice->codes = codes;
    TRY(recover(im, &m, &choice->format, codes));
    TRY(weight_choice_finish(im->ctx, a, l, choice));
    l->weights = choice;
    return PARE_OK;
}

static enum pare_status import_bias(struct import *im, struct linear *l) {
    struct arena *a = &im->scheme->arena;
    struct matrix m = {.folded = folded_of(im, l->bias),
                       .linear = l,
                       .is_bias = true,
                       .rows = l->rows,
                       .columns = 1,
                       .bits_max = BIAS_BITS_MAX};
    if (m.folded == NULL) {
        return PARE_ERROR_UNSUPPORTED;
    }
    struct bias_choice *choice = ARENA_NEW(a, struct bias_choice);
    int32_t *codes = ARENA_ARRAY(a, l->rows, int32_t);
    if (choice == NULL || codes == NULL) {
        return fail_memory(im->ctx);
    }
    choice->codes = codes;
    TRY(recover(im, &m, &choice->format, codes));
    return linear_set_bias(im->ctx, a, l, choice);
}

enum pare_status import_linear(struct import *im, struct linear *l) {
    if (l->in == NULL) {
        return fail(im->ctx, PARE_ERROR_UNSUPPORTED, "%s: is not quantised", l->input->name);
    }
    TRY(import_weights(im, l));
    return l->bias == NULL ? PARE_OK : import_bias(im, l);
}
