#include "graph/resize.h"

#include "graph/axes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SIZE_LIMIT ((int64_t)1 << 31)

static const char *const mode_names[] = {"nearest", "linear", "cubic", NULL};
static const char *const coordinate_names[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
    NULL};
static const char *const nearest_names[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};

static enum pare_status read_choice(struct context *ctx, const struct node *n, const char *name,
                                    const char *const *choices, int *out) {
    const char *given = node_string(n, name);
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(given, choices[i]) == 0) {
            *out = i;
            return PARE_OK;
        }
    }
    return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s is %s, which is not known", name, given);
}

static enum pare_status read_modes(struct context *ctx, const struct node *n, struct resize *r) {
    int mode = 0;
    int coordinate = 0;
    int nearest = 0;
    TRY(read_choice(ctx, n, "mode", mode_names, &mode));
    TRY(read_choice(ctx, n, "coordinate_transformation_mode", coordinate_names, &coordinate));
    TRY(read_choice(ctx, n, "nearest_mode", nearest_names, &nearest));
    r->mode = (enum resize_mode)mode;
    r->coordinate = (enum resize_coordinate)coordinate;
    r->nearest = (enum resize_nearest)nearest;
    return PARE_OK;
}

/* The axes that scales, sizes and roi speak of, in their order. */
static enum pare_status read_axes(struct context *ctx, const struct node *n, int rank, int *axes, int *count) {
    size_t given = 0;
    const int64_t *list = node_ints(n, "axes", &given);
    bool marked[TENSOR_MAX_RANK];
    if (list != NULL && given > (size_t)rank) {
        return fail(ctx, PARE_ERROR_INPUT, "axes has %zu entries, the input has rank %d", given, rank);
    }
    TRY(axes_mark(ctx, list, (int)given, rank, marked));
    *count = list == NULL ? rank : (int)given;
    for (int i = 0; i < *count; i++) {
        axes[i] = i;
        if (list != NULL) {
            axis_resolve(list[i], rank, &axes[i]);
        }
    }
    return PARE_OK;
}

static enum pare_status scale_axis(struct context *ctx, struct resize *r, int axis, float scale) {
    if (!(scale > 0) || !isfinite(scale)) {
        return fail(ctx, PARE_ERROR_INPUT, "the scale along axis %d is %g", axis, (double)scale);
    }
    r->scale[axis] = scale;
    if (r->input[axis] < 0) {
        r->output[axis] = scale == 1.0F ? r->input[axis] : -1;
        return PARE_OK;
    }
    float size = scale * (float)r->input[axis];
    if (!(size < (float)SIZE_LIMIT)) {
        return fail(ctx, PARE_ERROR_INPUT, "the scale along axis %d makes the output too large", axis);
    }
    r->output[axis] = (int64_t)size;
    return PARE_OK;
}

static enum pare_status size_axis(struct context *ctx, struct resize *r, int axis, int64_t size) {
    if (size < 1 || size > SIZE_LIMIT || r->input[axis] == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "cannot resize axis %d from %" PRId64 " to %" PRId64, axis, r->input[axis],
                    size);
    }
    r->output[axis] = size;
    r->scale[axis] = r->input[axis] < 0 ? 0 : (float)size / (float)r->input[axis];
    return PARE_OK;
}

/* not_larger, not_smaller: one scale for all named axes, such that each size is met or not passed. */
static enum pare_status keep_aspect_ratio(struct context *ctx, struct resize *r, bool larger, const int *axes,
                                          int count) {
    float scale = 0;
    for (int i = 0; i < count; i++) {
        float s = r->scale[axes[i]];
        if (s == 0) { /* an unknown input size leaves every output unknown */
            for (int j = 0; j < count; j++) {
                r->output[axes[j]] = -1;
            }
            return PARE_OK;
        }
        scale = i == 0 || (larger ? s > scale : s < scale) ? s : scale;
    }
    for (int i = 0; i < count; i++) {
        float size = floorf(scale * (float)r->input[axes[i]] + 0.5F);
        if (!(size < (float)SIZE_LIMIT)) {
            return fail(ctx, PARE_ERROR_INPUT, "the common scale makes axis %d too large", axes[i]);
        }
        r->scale[axes[i]] = scale;
        r->output[axes[i]] = (int64_t)size;
    }
    return PARE_OK;
}

static enum pare_status apply_sizes(struct context *ctx, const struct node *n, const int64_t *sizes, const int *axes,
                                    int count, struct resize *r) {
    for (int i = 0; i < count; i++) {
        TRY(size_axis(ctx, r, axes[i], sizes[i]));
    }
    const char *policy = node_string(n, "keep_aspect_ratio_policy");
    if (strcmp(policy, "stretch") == 0) {
        return PARE_OK;
    }
    bool larger = strcmp(policy, "not_smaller") == 0;
    if (!larger && strcmp(policy, "not_larger") != 0) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "keep_aspect_ratio_policy is %s, which is not known", policy);
    }
    return keep_aspect_ratio(ctx, r, larger, axes, count);
}

static enum pare_status apply_roi(struct context *ctx, const struct resize_inputs *in, const int *axes, int count,
                                  struct resize *r) {
    if (r->coordinate != RESIZE_TF_CROP_AND_RESIZE) {
        return PARE_OK;
    }
    if (in->roi_count != 2 * count) {
        return fail(ctx, PARE_ERROR_INPUT, "roi has %d entries, expected %d", in->roi_count, 2 * count);
    }
    for (int i = 0; i < count; i++) {
        if (!isfinite(in->roi[i]) || !isfinite(in->roi[count + i])) {
            return fail(ctx, PARE_ERROR_INPUT, "roi is not finite along axis %d", axes[i]);
        }
        r->roi_start[axes[i]] = in->roi[i];
        r->roi_end[axes[i]] = in->roi[count + i];
    }
    return PARE_OK;
}

enum pare_status resize_resolve(struct context *ctx, const struct node *n, const struct resize_inputs *in,
                                const struct shape *input, struct resize *out) {
    struct resize r = {.rank = input->rank};
    int axes[TENSOR_MAX_RANK];
    int count = 0;
    TRY(read_modes(ctx, n, &r));
    TRY(read_axes(ctx, n, r.rank, axes, &count));
    for (int i = 0; i < r.rank; i++) {
        r.input[i] = input->dim[i];
        r.output[i] = input->dim[i];
        r.scale[i] = 1;
        r.roi_end[i] = 1;
    }
    int given = in->scale_count > 0 ? in->scale_count : in->size_count;
    if ((in->scale_count > 0) == (in->size_count > 0) || given != count) {
        return fail(ctx, PARE_ERROR_INPUT, "has %d scales and %d sizes, expected %d of one of them", in->scale_count,
                    in->size_count, count);
    }
    TRY(apply_roi(ctx, in, axes, count, &r));
    for (int i = 0; i < in->scale_count; i++) {
        TRY(scale_axis(ctx, &r, axes[i], in->scales[i]));
    }
    if (in->size_count > 0) {
        TRY(apply_sizes(ctx, n, in->sizes, axes, count, &r));
    }
    *out = r;
    return PARE_OK;
}

float resize_coordinate(const struct resize *r, int axis, int64_t o) {
    float x = (float)o;
    float scale = r->scale[axis];
    float in = (float)r->input[axis];
    float length = (float)r->output[axis];
    switch (r->coordinate) {
    case RESIZE_HALF_PIXEL:
        return (x + 0.5F) / scale - 0.5F;
    case RESIZE_HALF_PIXEL_SYMMETRIC: {
        float adjustment = length / (scale * in);
        float center = in / 2;
        return center * (1 - adjustment) + (x + 0.5F) / scale - 0.5F;
    }
    case RESIZE_PYTORCH_HALF_PIXEL:
        return length > 1 ? (x + 0.5F) / scale - 0.5F : 0;
    case RESIZE_ALIGN_CORNERS:
        return length == 1 ? 0 : x * (in - 1) / (length - 1);
    case RESIZE_ASYMMETRIC:
        return x / scale;
    case RESIZE_TF_CROP_AND_RESIZE: {
        float start = r->roi_start[axis];
        float end = r->roi_end[axis];
        return length > 1 ? start * (in - 1) + x * (end - start) * (in - 1) / (length - 1)
                          : 0.5F * (start + end) * (in - 1);
    }
    }
    return x;
}

static float round_coordinate(enum resize_nearest rule, float x) {
    switch (rule) {
    case RESIZE_ROUND_PREFER_FLOOR:
        return ceilf(x - 0.5F);
    case RESIZE_ROUND_PREFER_CEIL:
        return floorf(x + 0.5F);
    case RESIZE_FLOOR:
        return floorf(x);
    case RESIZE_CEIL:
        return ceilf(x);
    }
    return x;
}

int64_t resize_nearest_index(const struct resize *r, int axis, int64_t o) {
    if (r->scale[axis] == 1.0F && r->input[axis] == r->output[axis] && r->coordinate != RESIZE_TF_CROP_AND_RESIZE) {
        return o;
    }
    float x = round_coordinate(r->nearest, resize_coordinate(r, axis, o));
    float last = (float)(r->input[axis] - 1);
    return x < 0 || r->input[axis] == 0 ? 0 : x > last ? r->input[axis] - 1 : (int64_t)x;
}
