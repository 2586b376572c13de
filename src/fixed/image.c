#include "fixed/image.h"

#include "base/bytes.h"

#include <string.h>

/* Planes an odd number of cache lines apart do not compete for the same sets of the cache. */
static size_t odd_lines(size_t words) {
    return ((words + 15) / 16 | 1) * 16;
}

static uint32_t divide_up(uint32_t a, uint32_t b) {
    return a / b + (a % b > 0);
}

uint32_t image_taps_per_word(uint32_t channels_per_group, uint32_t kernel_width, uint32_t elements) {
    uint64_t by_channel = (uint64_t)divide_up(channels_per_group, elements) * kernel_width;
    return (uint64_t)channels_per_group * divide_up(kernel_width, elements) < by_channel ? elements : 1;
}

enum pare_status image_plan(struct context *ctx, struct image *im, uint32_t channels, uint32_t group) {
    im->channels = channels;
    im->group = group;
    im->channels_per_word = im->x.taps_per_word == 1 ? im->elements : 1;
    im->depth = divide_up(channels / group, im->channels_per_word);
    im->row = im->x.extent;
    im->row_bytes = im->row * im->elements * sizeof(int16_t);
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
    return (size_t)im->depth * y->tap_count * divide_up(x->tap_count, im->x.taps_per_word);
}

static void fill_outside(int16_t zero, int64_t count, int16_t *out) {
    for (int64_t i = 0; i < count; i++) {
        out[i] = zero;
    }
}

/* Elements of one padded row: sample j is input j * spacing + phase - margin + shift. */
static void fill_row(const struct axis *x, uint32_t phase, uint32_t shift, const void *row, uint8_t storage,
                     enum code_part part, int16_t zero, int16_t *out) {
    int64_t origin = (int64_t)x->phase[phase] + shift - x->margin;
    int64_t first = origin >= 0 ? 0 : (-origin + x->spacing - 1) / x->spacing;
    int64_t last = origin >= (int64_t)x->in_size ? 0 : ((int64_t)x->in_size - origin + x->spacing - 1) / x->spacing;
    last = last > x->extent ? x->extent : last;
    if (first >= last) {
        fill_outside(zero, x->extent, out);
        return;
    }
    size_t bytes = storage_size(storage);
    const char *start = (const char *)row + (size_t)(origin + first * x->spacing) * bytes;
    fill_outside(zero, first, out);
    codes_to_int16(start, storage, part, x->spacing, (size_t)(last - first), out + first);
    fill_outside(zero, x->extent - last, out + last);
}

struct source { /* of a word plane */
    const char *first;
    uint32_t count;      /* elements; the others of the word are zero */
    size_t channel_step; /* bytes from one element to the next, where they are channels */
    uint32_t tap_step;   /* samples, where they are taps */
    size_t row_bytes;
    uint8_t storage;
    enum code_part part;
    int16_t zero[4]; /* of every element, outside of the input */
};

/* words[j] = elements rows[0][j], rows[1][j], ... of rows `length` apart */
static void join_rows(const struct image *im, const int16_t *rows, int32_t *words) {
    size_t length = im->row;
    if (im->elements == 2) {
        for (size_t j = 0; j < length; j++) {
            words[j] = code_pair(rows[j], rows[length + j]);
        }
        return;
    }
    for (size_t j = 0; j < length; j++) {
        words[j] = code_bytes(rows[j], rows[length + j], rows[2 * length + j], rows[3 * length + j]) ^ im->flip;
    }
}

static int32_t word_outside(const struct image *im, const int16_t *zero) {
    return im->elements == 2 ? code_pair(zero[0], zero[1]) : code_bytes(zero[0], zero[1], zero[2], zero[3]) ^ im->flip;
}

static void fill_plane(const struct image *im, const struct source *from, uint32_t phase_y, uint32_t phase_x,
                       int32_t *words, int16_t *rows) {
    int32_t outside = word_outside(im, from->zero);
    memset(rows, 0, im->row_bytes);
    for (uint32_t i = 0; i < im->y.extent; i++, words += im->row) {
        int64_t y = (int64_t)i * im->y.spacing + im->y.phase[phase_y] - im->y.margin;
        if (y < 0 || y >= im->y.in_size) {
            for (size_t j = 0; j < im->row; j++) {
                words[j] = outside;
            }
            continue;
        }
        const char *row = from->first + (size_t)y * from->row_bytes;
        for (uint32_t e = 0; e < from->count; e++) {
            fill_row(&im->x, phase_x, e * from->tap_step, row + e * from->channel_step, from->storage, from->part,
                     from->zero[e], rows + e * im->row);
        }
        join_rows(im, rows, words);
    }
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* `channel` is that of the plane's first element. */
static void set_zero(const struct image *im, uint32_t channel, struct source *plane) {
    for (uint32_t e = 0; e < im->elements; e++) {
        uint32_t of = im->channels_per_word > 1 ? channel + e : channel;
        plane->zero[e] = e < plane->count ? part_of_code(im->op == NULL ? 0 : zero_at(im->op, of), plane->part) : 0;
    }
}

void image_fill(const struct image *im, const void *codes, uint8_t storage, enum code_part part, int32_t *words,
                int16_t *scratch) {
    uint32_t per_group = im->channels / im->group;
    size_t row_bytes = (size_t)im->x.in_size * storage_size(storage);
    size_t channel_bytes = row_bytes * im->y.in_size;
    struct source from = {.row_bytes = row_bytes, .storage = storage, .part = part};
    for (uint32_t i = 0; i < im->group * im->depth; i++) {
        uint32_t group = i / im->depth, channel = i % im->depth * im->channels_per_word;
        from.first = (const char *)codes + (size_t)(group * per_group + channel) * channel_bytes;
        if (im->channels_per_word > 1) {
            from.count = smaller(im->elements, per_group - channel);
            from.channel_step = channel_bytes;
        } else {
            from.count = smaller(im->x.taps_per_word, im->x.kernel);
            from.tap_step = im->x.dilation;
        }
        set_zero(im, group * per_group + channel, &from);
        for (uint32_t py = 0; py < im->y.phase_count; py++) {
            for (uint32_t px = 0; px < im->x.phase_count; px++, words += im->plane) {
                fill_plane(im, &from, py, px, words, scratch);
            }
        }
    }
}
