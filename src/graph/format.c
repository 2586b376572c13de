#include "graph/format.h"

int32_t format_min(const struct format *f) {
    return f->bits == 0 || !f->is_signed ? 0 : (int32_t) - ((int64_t)1 << (f->bits - 1));
}

int32_t format_max(const struct format *f) {
    int magnitude = f->is_signed ? f->bits - 1 : f->bits;
    return f->bits == 0 ? 0 : (int32_t)(((int64_t)1 << (magnitude > 31 ? 31 : magnitude)) - 1);
}

int format_frac(const struct format *f, int channel) {
    return f->channel_frac == NULL ? f->frac : f->channel_frac[channel];
}

static bool channels_equal(const struct format *a, const struct format *b) {
    if (a->channel_frac == NULL || b->channel_frac == NULL) {
        return a->channel_frac == b->channel_frac && a->frac == b->frac;
    }
    if (a->axis != b->axis || a->channels != b->channels) {
        return false;
    }
    for (int i = 0; i < a->channels; i++) {
        if (a->channel_frac[i] != b->channel_frac[i]) {
            return false;
        }
    }
    return true;
}

bool format_equal(const struct format *a, const struct format *b) {
    return a->bits == b->bits && a->is_signed == b->is_signed && channels_equal(a, b);
}

enum dtype format_storage(const struct format *f) {
    if (f->bits <= 8) {
        return f->is_signed ? DTYPE_INT8 : DTYPE_UINT8;
    }
    if (f->bits <= 16) {
        return f->is_signed ? DTYPE_INT16 : DTYPE_UINT16;
    }
    return DTYPE_INT32;
}
