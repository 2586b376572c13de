#include "float/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static int64_t product(const int64_t *v) {
    return v[0] * v[1] * v[2];
}

int64_t grid_image_size(const struct grid *g) {
    return product(g->image);
}

int64_t grid_output_size(const struct grid *g) {
    return product(g->output);
}

int64_t grid_taps(const struct grid *g) {
    return product(g->kernel);
}

/* Output positions [begin, end) of an axis see the image through a tap; `begin` sees position `image`. */
struct span {
    int64_t begin, end, image;
};

static struct span span_of(const struct grid *g, int axis, int64_t tap) {
    int64_t stride = g->stride[axis];
    int64_t offset = tap * g->dilation[axis] - g->pad_begin[axis];
    int64_t room = g->image[axis] - offset;
    struct span s;
    s.begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    s.end = room <= 0 ? 0 : (room + stride - 1) / stride;
    s.end = s.end < g->output[axis] ? s.end : g->output[axis];
    s.begin = s.begin < s.end ? s.begin : s.end;
    s.image = s.begin * stride + offset;
    return s;
}

static bool row_in_span(const struct span *s, int64_t position) {
    return position >= s->begin && position < s->end;
}

static int64_t position_in_image(const struct grid *g, int axis, const struct span *s, int64_t position) {
    return s->image + (position - s->begin) * g->stride[axis];
}

/* The spans of all three axes for a tap of the kernel. */
static void tap_spans(const struct grid *g, int64_t tap, struct span *s) {
    int64_t plane = g->kernel[1] * g->kernel[2];
    s[0] = span_of(g, 0, tap / plane);
    s[1] = span_of(g, 1, tap / g->kernel[2] % g->kernel[1]);
    s[2] = span_of(g, 2, tap % g->kernel[2]);
}

/* Offset in the image of what the first output of the row's span sees, or -1 when the row lies in padding. */
static int64_t row_image(const struct grid *g, const struct span *s, int64_t row) {
    int64_t p0 = row / g->output[1], p1 = row % g->output[1];
    if (!row_in_span(&s[0], p0) || !row_in_span(&s[1], p1)) {
        return -1;
    }
    int64_t line = position_in_image(g, 0, &s[0], p0) * g->image[1] + position_in_image(g, 1, &s[1], p1);
    return line * g->image[2] + s[2].image;
}

void grid_visit(const struct grid *g, grid_visitor *visit, void *user) {
    int64_t taps = grid_taps(g), rows = g->output[0] * g->output[1];
    for (int64_t tap = 0; tap < taps; tap++) {
        struct span s[GRID_AXES];
        tap_spans(g, tap, s);
        for (int64_t row = 0; row < rows && s[2].begin < s[2].end; row++) {
            struct grid_run run = {tap, row * g->output[2] + s[2].begin, row_image(g, s, row), s[2].end - s[2].begin};
            if (run.image >= 0) {
                visit(user, &run);
            }
        }
    }
}

/* How many rows from `row` on lie one behind the other in the image, as they do in the columns: all up to the end of
 * the span where the window moves over every pixel of an image as wide as the output. */
static int64_t contiguous_rows(const struct grid *g, const struct span *s, int64_t row, int64_t rows) {
    if (g->stride[1] != 1 || g->stride[2] != 1 || g->image[2] != g->output[2]) {
        return 1;
    }
    int64_t left = s[1].end - row % g->output[1];
    return left < rows ? left : rows;
}

/* Positions [begin, end) of each row. */
static void zero_positions(float *rows, int64_t count, int64_t width, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        for (int64_t row = 0; row < count; row++) {
            rows[row * width + i] = 0.0f;
        }
    }
}

/* Copies `rows` contiguous rows (one, for strides above 1), and then zeroes what lies outside the span. */
static void unfold_rows(const float *image, const struct span *s, int64_t stride, int64_t width, int64_t rows,
                        float *column) {
    int64_t inside = s->end - s->begin;
    if (stride == 1 && inside > 0) {
        memcpy(column + s->begin, image, (size_t)((rows - 1) * width + inside) * sizeof *column);
    }
    for (int64_t i = 0; i < inside && stride != 1; i++) {
        column[s->begin + i] = image[i * stride];
    }
    zero_positions(column, rows, width, 0, s->begin);
    zero_positions(column, rows, width, s->end, width);
}

static void unfold_tap(const struct grid *g, const struct span *s, const float *image, int64_t first, int64_t rows,
                       float *column) {
    int64_t width = g->output[2];
    for (int64_t row = 0, count; row < rows; row += count) {
        int64_t at = row_image(g, s, first + row);
        count = 1;
        if (at < 0) {
            memset(column + row * width, 0, (size_t)width * sizeof *column);
        } else {
            count = contiguous_rows(g, s, first + row, rows - row);
            unfold_rows(image + at, &s[2], g->stride[2], width, count, column + row * width);
        }
    }
}

void grid_unfold(const struct grid *g, const float *image, int64_t channels, int64_t first, int64_t rows,
                 float *columns) {
    int64_t taps = grid_taps(g), width = g->output[2];
    for (int64_t tap = 0; tap < taps; tap++) {
        struct span s[GRID_AXES];
        tap_spans(g, tap, s);
        for (int64_t channel = 0; channel < channels; channel++) {
            float *column = columns + (channel * taps + tap) * rows * width;
            unfold_tap(g, s, image + channel * grid_image_size(g), first, rows, column);
        }
    }
}

static void fold_row(const float *column, const struct span *s, int64_t stride, float *image) {
    for (int64_t i = s->begin; i < s->end; i++) {
        image[(i - s->begin) * stride] += column[i];
    }
}

void grid_fold(const struct grid *g, const float *columns, int64_t channels, int64_t first, int64_t rows,
               float *image) {
    int64_t taps = grid_taps(g), width = g->output[2];
    for (int64_t tap = 0; tap < taps; tap++) {
        struct span s[GRID_AXES];
        tap_spans(g, tap, s);
        for (int64_t row = 0; row < rows; row++) {
            int64_t at = row_image(g, s, first + row);
            for (int64_t channel = 0; channel < channels && at >= 0; channel++) {
                const float *column = columns + ((channel * taps + tap) * rows + row) * width;
                fold_row(column, &s[2], g->stride[2], image + channel * grid_image_size(g) + at);
            }
        }
    }
}
