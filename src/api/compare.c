#include "api/compare.h"

#include <math.h>

static double score_at(const struct tensor *scores, size_t index) {
    double score = tensor_get_double(scores, index);
    return isnan(score) ? -INFINITY : score;
}

static bool says_class(const struct tensor *scores, size_t classes) {
    return classes == 1 && !dtype_is_float(scores->type);
}

int64_t predicted_class(const struct tensor *scores, size_t samples, size_t i) {
    size_t classes = tensor_count(scores) / samples;
    if (says_class(scores, classes)) {
        return tensor_get_int(scores, i);
    }
    size_t best = 0;
    double highest = score_at(scores, i * classes);
    for (size_t c = 1; c < classes; c++) {
        double score = score_at(scores, i * classes + c);
        if (score > highest) {
            highest = score;
            best = c;
        }
    }
    return (int64_t)best;
}

size_t place_of_class(const struct tensor *scores, size_t samples, size_t i, int64_t label) {
    size_t classes = tensor_count(scores) / samples;
    if (says_class(scores, classes)) {
        return tensor_get_int(scores, i) == label ? 0 : SIZE_MAX;
    }
    if (label < 0 || (uint64_t)label >= classes) {
        return SIZE_MAX;
    }
    double own = score_at(scores, i * classes + (size_t)label);
    size_t place = 0;
    for (size_t c = 0; c < classes; c++) {
        double score = score_at(scores, i * classes + c);
        place += score > own || (score == own && c < (size_t)label);
    }
    return place;
}

enum pare_status difference_add(struct context *ctx, struct difference *d, const struct named_tensor *output,
                                const struct tensor *expected) {
    if (!shape_equal(&output->tensor.shape, &expected->shape)) {
        char own[256], other[256];
        return fail(ctx, PARE_ERROR_INPUT, "output '%s' is %s, that of the reference is %s: they cannot be compared",
                    output->name, shape_text(&output->tensor.shape, own, sizeof own),
                    shape_text(&expected->shape, other, sizeof other));
    }
    double largest_expected = 0, largest_difference = 0;
    size_t count = tensor_count(expected);
    for (size_t i = 0; i < count; i++) {
        double wanted = tensor_get_double(expected, i);
        double error = tensor_get_double(&output->tensor, i) - wanted;
        d->signal += wanted * wanted;
        d->noise += error * error;
        largest_expected = fmax(largest_expected, fabs(wanted));
        largest_difference = fmax(largest_difference, fabs(error));
    }
    double relative = largest_difference > 0 ? largest_difference / largest_expected : 0;
    d->largest = fmax(d->largest, relative);
    return PARE_OK;
}
