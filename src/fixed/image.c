#include "fixed/image.h"

#include "base/bytes.h"

#include <string.h>

/* Planes an odd number of cache lines apart do not compete for the same sets of the cache. */
static size_t odd_lines(size_t words) {
    return ((words + 15) / 16 | 1) * 16;
}

bool image_pairs_taps(uint32_t channels_per_group, uint32_t kernel_width) {
    uint64_t by_channel = ((uint64_t)channels_per_group + 1) / 2 * kernel_width;
    return (uint64_t)channels_per_group * ((kernel_width + 1) / 2) < by_channel;
}

enum pare_status image_plan(struct context *ctx, struct image *im, uint32_t channels, uint32_t group) {
    uint32_t per_group = channels / group;
    im->channels = channels;
    im->group = group;
    im->depth = im->x.pairs ? per_group : (per_group + 1) / 2;
    im->row = im->x.extent;
    im->row_bytes = (im->row + 31) / 32 * 32 * 2 * sizeof(int16_t);
    size_t phases;
    if (!size_multiply(im->row, im->y.extent, &im->plane) || im->plane > SIZE_MAX / 8 ||
        !size_multiply(im->y.phase_count, im->x.phase_count, &phases)) {
        return fail_memory(ctx);
    }
    im->plane = odd_lines(im->plane);
    if (!size_multiply(im->plane, phases, &im->group_words) ||
        !size_multiply(im->group_words, im->depth, &im->group_words) || im->group_words > UINT32_MAX) {
        return fail_memory(ctx);
    }
    return PARE_OK;
}

size_t image_words(const struct image *im, const struct lattice *y, const struct lattice *x) {
    size_t across = im->x.pairs ? (x->tap_count + 1) / 2 : x->tap_count;
    return im->depth * y->tap_count * across;
}

/* Elements of one padded row: sample j is input j * spacing + phase - margin + shift. */
static void fill_row(const struct axis *x, uint32_t phase, uint32_t shift, const void *row, uint8_t storage,
                     enum code_part part, int16_t *out) {
    int64_t origin = (int64_t)x->phase[phase] + shift - x->margin;
    int64_t first = origin >= 0 ? 0 : (-origin + x->spacing - 1) / x->spacing;
    int64_t last = origin >= (int64_t)x->in_size ? 0 : ((int64_t)x->in_size - origin + x->spacing - 1) / x->spacing;
    last = last > x->extent ? x->extent : last;
    if (first >= last) {
        memset(out, 0, x->extent * sizeof *out);
        return;
    }
    size_t bytes = storage == PARE_U8 || storage == PARE_I8 ? 1 : 2;
    const char *start = (const char *)row + (size_t)(origin + first * x->spacing) * bytes;
    memset(out, 0, (size_t)first * sizeof *out);
    codes_to_int16(start, storage, part, x->spacing, (size_t)(last - first), out + first);
    memset(out + last, 0, (size_t)(x->extent - last) * sizeof *out);
}

struct source { /* of a word plane: two rows, the second NULL where there is no second channel */
    const char *first, *second;
    uint32_t shift; /* of the second */
    size_t row_bytes;
    uint8_t storage;
    enum code_part part;
};

static void fill_plane(const struct image *im, const struct source *from, uint32_t phase_y, uint32_t phase_x,
                       int32_t *words, int16_t *scratch) {
    int16_t *first = scratch, *second = scratch + im->row_bytes / 2 / sizeof *scratch;
    memset(second, 0, im->row_bytes / 2);
    for (uint32_t i = 0; i < im->y.extent; i++, words += im->row) {
        int64_t y = (int64_t)i * im->y.spacing + im->y.phase[phase_y] - im->y.margin;
        if (y < 0 || y >= im->y.in_size) {
            memset(words, 0, im->row * sizeof *words);
            continue;
        }
        size_t at = (size_t)y * from->row_bytes;
        fill_row(&im->x, phase_x, 0, from->first + at, from->storage, from->part, first);
        if (from->second != NULL) {
            fill_row(&im->x, phase_x, from->shift, from->second + at, from->storage, from->part, second);
        }
        for (size_t j = 0; j < im->row; j++) {
            words[j] = code_pair(first[j], second[j]);
        }
    }
}

void image_fill(const struct image *im, const void *codes, uint8_t storage, enum code_part part, int32_t *words,
                int16_t *scratch) {
    uint32_t per_group = im->channels / im->group;
    size_t row_bytes = (size_t)im->x.in_size * (storage == PARE_U8 || storage == PARE_I8 ? 1 : 2);
    size_t channel_bytes = row_bytes * im->y.in_size;
    for (uint32_t i = 0; i < im->group * im->depth; i++) {
        uint32_t within = im->x.pairs ? i % im->depth : i % im->depth * 2;
        const char *first = (const char *)codes + (size_t)(i / im->depth * per_group + within) * channel_bytes;
        struct source from = {first, NULL, 0, row_bytes, storage, part};
        if (im->x.pairs) {
            from.second = im->x.kernel > 1 ? first : NULL;
            from.shift = im->x.dilation;
        } else if (within + 1 < per_group) {
            from.second = first + channel_bytes;
        }
        for (uint32_t py = 0; py < im->y.phase_count; py++) {
            for (uint32_t px = 0; px < im->x.phase_count; px++, words += im->plane) {
                fill_plane(im, &from, py, px, words, scratch);
            }
        }
    }
}
