/* A window sliding over an image, as convolutions and pools see it: always three spatial axes, of which the leading
 * ones have size 1 where the operator has fewer.
 *
 * Output position o of an axis sees, through tap k of the kernel, image position o * stride + k * dilation - pad. */
#ifndef PARE_FLOAT_GRID_H
#define PARE_FLOAT_GRID_H

#include <stdint.h>

#define GRID_AXES 3

struct grid {
    int64_t image[GRID_AXES];  /* of the side that the window slides over */
    int64_t output[GRID_AXES]; /* window positions */
    int64_t kernel[GRID_AXES];
    int64_t stride[GRID_AXES];
    int64_t dilation[GRID_AXES];
    int64_t pad_begin[GRID_AXES], pad_end[GRID_AXES];
};

int64_t grid_image_size(const struct grid *g);  /* elements of one channel */
int64_t grid_output_size(const struct grid *g); /* elements of one channel */
int64_t grid_taps(const struct grid *g);        /* elements of one kernel */

/* `count` outputs of one row, from offset `output` on, see through `tap` the image from offset `image` on, in
 * steps of the last axis' stride. Offsets are within a channel. */
struct grid_run {
    int64_t tap, output, image, count;
};

/* Calls `visit` for every run inside the image: taps in order, rows in order within each. */
typedef void grid_visitor(void *user, const struct grid_run *run);
void grid_visit(const struct grid *g, grid_visitor *visit, void *user);

/* Output rows are numbered over the first two axes. Unfolds rows [first, first + rows) into
 * columns[channels * taps][rows * output[2]]; padding is zero. */
void grid_unfold(const struct grid *g, const float *image, int64_t channels, int64_t first, int64_t rows,
                 float *columns);
/* The transpose of grid_unfold: adds the columns to the image positions that they came from. */
void grid_fold(const struct grid *g, const float *columns, int64_t channels, int64_t first, int64_t rows, float *image);

#endif
