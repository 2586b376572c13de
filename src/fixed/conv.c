/* Convolution and transposed convolution: one matrix product per group and pair of lattices. */
#include "base/bytes.h"
#include "fixed/addend.h"
#include "fixed/image.h"
#include "fixed/plan.h"
#include "fixed/product.h"
#include "fixed/scale.h"
#include "fixed/weights.h"

#include <string.h>

/* Signed bytes become unsigned ones when their top bit is flipped; zero is then 128, which the bias takes back. */
#define FLIP_BYTES ((int32_t)-0x7f7f7f80)
#define FLIPPED_ZERO 128

struct part { /* of the output: the points of one lattice in y and one in x */
    const struct lattice *y, *x;
    uint32_t *offset;     /* of every word, in the image */
    int32_t *weights;     /* [group][panel][word][row in the panel] */
    size_t group_weights; /* words of one group */
    uint32_t words;
    bool by_row;            /* a tile's columns end with the output row; otherwise they run on over the image */
    uint32_t tiles_per_row; /* by_row */
    size_t tiles;
};

struct conv {
    struct image image;
    struct channels channels;
    struct addend_shifts addend; /* where there is one */
    struct operand input;
    bool wide, bytes;
    uint32_t panel;
    size_t image_words; /* with the lanes that a tile reads past the end */
    uint32_t part_count;
    struct part *parts;
};

/* Columns of one tile that lie in one row of the output. */
struct run {
    size_t lane, count;
    size_t to; /* element of the output channel */
};

static void conv_window(const struct plan *plan, struct image *image) {
    const struct pare_window *w = &plan->op->u.window;
    image->y = (struct axis){.in_size = w->in_h,
                             .out_size = w->out_h,
                             .kernel = w->kernel_h,
                             .stride = w->stride_h,
                             .dilation = w->dilation_h,
                             .pad = w->pad_top,
                             .taps_per_word = 1};
    image->x = (struct axis){.in_size = w->in_w,
                             .out_size = w->out_w,
                             .kernel = w->kernel_w,
                             .stride = w->stride_w,
                             .dilation = w->dilation_w,
                             .pad = w->pad_left,
                             .taps_per_word = 1};
    if (plan->op->kind == PARE_CONV) {
        image->x.taps_per_word = image_taps_per_word(w->in_c / w->group, w->kernel_w, image->elements);
    }
}

static enum pare_status conv_axes(struct context *ctx, struct plan *plan, struct image *image) {
    enum pare_status (*plan_axis)(struct context *, struct arena *, struct axis *) =
        plan->op->kind == PARE_CONV_TRANSPOSE ? axis_plan_transpose : axis_plan_conv;
    TRY(plan_axis(ctx, &plan->arena, &image->y));
    TRY(plan_axis(ctx, &plan->arena, &image->x));
    return image_plan(ctx, image, plan->op->u.window.in_c, plan->op->u.window.group);
}

/* The word's offset in the image, and where its elements stand in a row of the kernel's weights: `count` of them, the
 * others are zero. */
struct word {
    uint32_t offset, count;
    size_t first, step;
};

static struct word conv_word(const struct image *im, const struct part *part, uint32_t k) {
    uint32_t taps = im->x.taps_per_word, across = (part->x->tap_count + taps - 1) / taps;
    uint32_t depth = k / (across * part->y->tap_count), channel = depth * im->channels_per_word;
    const struct tap *y = &part->y->taps[k / across % part->y->tap_count];
    const struct tap *x = &part->x->taps[k % across * taps];
    size_t kernel = (size_t)im->y.kernel * im->x.kernel;
    size_t plane = ((size_t)depth * im->y.phase_count + y->phase) * im->x.phase_count + x->phase;
    uint32_t rest = taps == 1 ? im->channels / im->group - channel : part->x->tap_count - k % across * taps;
    return (struct word){.offset = (uint32_t)(plane * im->plane + y->index * im->row + x->index),
                         .count = rest < im->elements ? rest : im->elements,
                         .first = channel * kernel + (size_t)y->kernel * im->x.kernel + x->kernel,
                         .step = taps == 1 ? kernel : 1};
}

static int32_t word_weights(const struct image *im, const struct word *word, const int16_t *row_codes) {
    int16_t e[4] = {0};
    for (uint32_t i = 0; i < word->count; i++) {
        e[i] = row_codes[word->first + i * word->step];
    }
    return im->elements == 2 ? code_pair(e[0], e[1]) : code_bytes(e[0], e[1], e[2], e[3]);
}

static void part_weights(const struct plan *plan, const struct conv *conv, struct part *part, const struct word *words,
                         int16_t *row_codes) {
    uint32_t rows = plan->op->weights.rows / conv->image.group;
    for (uint32_t r = 0; r < plan->op->weights.rows; r++) {
        weights_unpack_row(&plan->op->weights, r, row_codes);
        int32_t *group = part->weights + (size_t)(r / rows) * part->group_weights;
        for (uint32_t k = 0; k < part->words; k++) {
            group[panel_index(rows, conv->panel, part->words, r % rows, k)] =
                word_weights(&conv->image, &words[k], row_codes);
        }
        for (uint32_t i = 0; conv->image.flip != 0 && i < plan->op->weights.columns; i++) {
            conv->channels.bias[r] -= FLIPPED_ZERO * row_codes[i];
        }
    }
}

/* Tiles either stop at the end of each output row, or run over the padding between rows: whichever needs fewer. */
static void part_tiles(const struct plan *plan, const struct conv *conv, struct part *part) {
    size_t lanes = plan->isa->lanes;
    size_t columns = (part->y->count - 1) * conv->image.row + part->x->count;
    part->tiles_per_row = (uint32_t)((part->x->count + lanes - 1) / lanes);
    size_t by_row = (size_t)part->tiles_per_row * part->y->count;
    part->tiles = (columns + lanes - 1) / lanes;
    part->by_row = by_row <= part->tiles;
    part->tiles = part->by_row ? by_row : part->tiles;
}

static enum pare_status part_plan(struct context *ctx, struct plan *plan, struct conv *conv, struct part *part,
                                  int16_t *row_codes) {
    size_t words = plan->op->weights.bits == 0 ? 0 : image_words(&conv->image, part->y, part->x);
    size_t rows = plan->op->weights.rows / conv->image.group;
    size_t bytes;
    if (words > UINT32_MAX || !size_multiply(words, rows, &part->group_weights) ||
        !size_multiply(part->group_weights, sizeof(int32_t) * conv->image.group, &bytes)) {
        return fail_memory(ctx);
    }
    part->words = (uint32_t)words;
    part->offset = ARENA_ARRAY(&plan->arena, words, uint32_t);
    part->weights = arena_alloc(&plan->arena, bytes);
    struct word *word = ARENA_ARRAY(&plan->arena, words, struct word);
    if (part->offset == NULL || part->weights == NULL || word == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t k = 0; k < part->words; k++) {
        word[k] = conv_word(&conv->image, part, k);
        part->offset[k] = word[k].offset;
    }
    part_weights(plan, conv, part, word, row_codes);
    part_tiles(plan, conv, part);
    return PARE_OK;
}

static enum pare_status conv_parts(struct context *ctx, struct plan *plan, struct conv *conv) {
    const struct axis *y = &conv->image.y, *x = &conv->image.x;
    conv->parts = ARENA_ARRAY(&plan->arena, (size_t)y->lattice_count * x->lattice_count, struct part);
    int16_t *row_codes = ARENA_ARRAY(&plan->arena, plan->op->weights.columns, int16_t);
    if (conv->parts == NULL || row_codes == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < y->lattice_count; i++) {
        for (uint32_t j = 0; j < x->lattice_count; j++) {
            struct part *part = &conv->parts[conv->part_count++];
            part->y = &y->lattices[i];
            part->x = &x->lattices[j];
            TRY(part_plan(ctx, plan, conv, part, row_codes));
        }
    }
    return PARE_OK;
}

/* Whether the padding, which holds the zero points, is made of bytes like the input. */
static bool input_is_bytes(const struct plan *plan) {
    const struct pare_value *x = plan_input(plan, 0);
    int32_t low = code_min(8, x->is_signed), high = code_max(8, x->is_signed);
    for (uint32_t i = 0; plan->op->zero != NULL && i < plan->op->u.window.in_c; i++) {
        int32_t zero = zero_at(plan->op, i);
        if (zero < low || zero > high) {
            return false;
        }
    }
    return storage_is_byte(x->storage);
}

/* A transposed convolution splits its taps between parts, and a flipped sign has to be undone for each: left out. With
 * few rows per group, laying out the words takes longer than multiplying them. */
static bool can_use_bytes(const struct plan *plan, bool wide) {
    const struct pare_op *op = plan->op;
    return plan->isa->multiply_bytes != NULL && !wide && op->kind == PARE_CONV && op->weights.bits <= 8 &&
           op->weights.rows / op->u.window.group >= 4 && input_is_bytes(plan);
}

static enum pare_status use_kernel(struct context *ctx, struct plan *plan, const struct kernel *kernel) {
    plan->kernel = kernel;
    return kernel->plan(ctx, plan);
}

/* An image much larger than its values is padding: not worth its memory. */
#define IMAGE_WORDS ((size_t)1 << 22)

static bool image_too_large(const struct plan *plan, const struct image *im) {
    size_t values = (size_t)plan_input(plan, 0)->count + plan_output(plan)->count;
    return im->group_words > (IMAGE_WORDS + 16 * values) / im->group;
}

static enum pare_status conv_scratch(struct context *ctx, struct plan *plan, struct conv *conv) {
    conv->image_words = conv->image.group_words * conv->image.group + ISA_MAX_LANES;
    size_t bytes;
    if (!size_multiply(conv->image_words, sizeof(int32_t) * conv->input.parts, &bytes) ||
        !size_add(bytes, conv->image.row_bytes, &plan->scratch)) {
        return fail_memory(ctx);
    }
    return PARE_OK;
}

static enum pare_status conv_plan(struct context *ctx, struct plan *plan) {
    if (scale_fits(plan)) {
        return use_kernel(ctx, plan, &kernel_scale);
    }
    struct conv *conv = ARENA_NEW(&plan->arena, struct conv);
    if (conv == NULL) {
        return fail_memory(ctx);
    }
    plan->state = conv;
    conv->wide = plan->op->wide || !codes_fit_int16(plan_input(plan, 0));
    conv->bytes = can_use_bytes(plan, conv->wide);
    conv->input = operand_of(input_is_bytes(plan), conv->wide);
    conv->image.elements = conv->bytes ? 4 : 2;
    conv->image.op = plan->op;
    conv->image.flip = conv->bytes && plan_input(plan, 0)->is_signed ? FLIP_BYTES : 0;
    conv_window(plan, &conv->image);
    if (!axis_fits(&conv->image.y) || !axis_fits(&conv->image.x)) {
        return use_kernel(ctx, plan, &kernel_reference);
    }
    TRY(conv_axes(ctx, plan, &conv->image));
    if (image_too_large(plan, &conv->image)) {
        return use_kernel(ctx, plan, &kernel_reference);
    }
    conv->panel = product_panel(plan->isa, plan->op->weights.rows / conv->image.group);
    TRY(channels_new(ctx, plan, &conv->channels));
    TRY(conv_parts(ctx, plan, conv));
    TRY(plan->op->input_count < 2 ? PARE_OK : addend_plan(ctx, plan, &conv->channels, &conv->addend));
    return conv_scratch(ctx, plan, conv);
}

static size_t tile_column(const struct conv *conv, const struct part *part, size_t lanes, size_t tile) {
    if (!part->by_row) {
        return tile * lanes;
    }
    return tile / part->tiles_per_row * conv->image.row + tile % part->tiles_per_row * lanes;
}

/* The runs of a tile, without the columns that lie in the padding. */
static size_t tile_runs(const struct conv *conv, const struct part *part, size_t column, size_t lanes,
                        struct run *runs) {
    size_t count = 0;
    for (size_t lane = 0; lane < lanes;) {
        size_t y = (column + lane) / conv->image.row, x = (column + lane) % conv->image.row;
        size_t rest = lanes - lane, row_rest = conv->image.row - x;
        if (y >= part->y->count) {
            break;
        }
        if (x < part->x->count) {
            size_t to =
                (part->y->start + y * part->y->step) * conv->image.x.out_size + part->x->start + x * part->x->step;
            size_t length = part->x->count - x < rest ? part->x->count - x : rest;
            runs[count++] = (struct run){lane, length, to};
        }
        if (part->by_row) {
            break;
        }
        lane += row_rest < rest ? row_rest : rest;
    }
    return count;
}

static void store_run(const struct run *run, size_t step, size_t bytes, const char *codes, char *channel) {
    const char *from = codes + run->lane * bytes;
    char *to = channel + run->to * bytes;
    if (step == 1) {
        memcpy(to, from, run->count * bytes);
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        memcpy(to + i * step * bytes, from + i * bytes, bytes);
    }
}

/* The codes of the addend that belong to one output channel, by lane of the tile; lanes in the padding keep what they
 * have. */
static void gather_addend(const struct plan *plan, const struct part *part, const struct run *runs, size_t run_count,
                          const char *channel, int32_t *lanes) {
    uint8_t storage = plan_input(plan, 1)->storage;
    for (size_t i = 0; i < run_count; i++) {
        codes_to_int32(channel + runs[i].to * storage_size(storage), storage, part->x->step, runs[i].count,
                       lanes + runs[i].lane);
    }
}

static void conv_tile(const struct plan *plan, const struct part *part, const struct product *product, uint32_t group,
                      size_t column, void *const *data) {
    char *output = data[plan->op->output];
    const char *addend = plan->op->input_count < 2 ? NULL : data[plan->op->inputs[1]];
    const struct conv *conv = plan->state;
    struct code_range range = plan_range(plan);
    size_t bytes = storage_size(range.storage), lanes = plan->isa->lanes;
    size_t plane = (size_t)conv->image.y.out_size * conv->image.x.out_size;
    size_t addend_bytes = addend == NULL ? 0 : plane * storage_size(plan_input(plan, 1)->storage);
    int32_t addend_codes[ISA_MAX_LANES] = {0};
    struct run runs[ISA_MAX_LANES];
    size_t run_count = tile_runs(conv, part, column, lanes, runs);
    uint16_t codes[ISA_MAX_LANES];
    struct tile tile;
    for (uint32_t first = 0; first < product->rows; first += product->panel) {
        product_tile(plan->isa, product, first, column, &tile);
        for (uint32_t r = 0; r < product_panel_rows(product, first); r++) {
            size_t row = (size_t)group * product->rows + first + r;
            if (addend != NULL) {
                gather_addend(plan, part, runs, run_count, addend + row * addend_bytes, addend_codes);
                addend_product_codes(plan, product, &tile, r, row, &conv->channels, &conv->addend, addend_codes, codes);
            } else {
                product_codes(plan->isa, product, &tile, r, lanes, conv->channels.bias[row], conv->channels.shift[row],
                              &range, codes);
            }
            for (size_t i = 0; i < run_count; i++) {
                store_run(&runs[i], part->x->step, bytes, (const char *)codes, output + row * plane * bytes);
            }
        }
    }
}

static void conv_run(const struct plan *plan, void *const *data, void *scratch) {
    const struct conv *conv = plan->state;
    const struct image *im = &conv->image;
    struct product product = {.rows = plan->op->weights.rows / im->group,
                              .panel = conv->panel,
                              .wide = conv->wide,
                              .bytes = conv->bytes,
                              .a = {.parts = 1},
                              .b = conv->input};
    int32_t *images = scratch;
    int16_t *row = (int16_t *)(images + conv->input.parts * conv->image_words);
    for (uint32_t i = 0; plan->op->weights.bits > 0 && i < conv->input.parts; i++) {
        image_fill(im, data[plan->op->inputs[0]], plan_input(plan, 0)->storage, conv->input.part[i],
                   images + i * conv->image_words, row);
    }
    for (uint32_t group = 0; group < im->group; group++) {
        for (uint32_t i = 0; i < conv->input.parts; i++) {
            product.b.words[i] = images + i * conv->image_words + group * im->group_words;
        }
        for (uint32_t i = 0; i < conv->part_count; i++) {
            const struct part *part = &conv->parts[i];
            product.words = part->words;
            product.offset = part->offset;
            product.a.words[0] = part->weights + group * part->group_weights;
            for (size_t tile = 0; tile < part->tiles; tile++) {
                size_t column = tile_column(conv, part, plan->isa->lanes, tile);
                conv_tile(plan, part, &product, group, column, data);
            }
        }
    }
}

const struct kernel kernel_conv = {conv_plan, conv_run};
