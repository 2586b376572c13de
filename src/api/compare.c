#include "api/compare.h"

#include "tensor/scores.h"

#include <math.h>

static struct scores scores_of(const struct tensor *stacked, size_t classes, size_t i) {
    size_t bytes = i * classes * dtype_size(stacked->type);
    return (struct scores){stacked->type, (const char *)stacked->data + bytes, classes};
}

static bool says_class(const struct tensor *scores, size_t classes) {
    return classes == 1 && !dtype_is_float(scores->type);
}

int64_t predicted_class(const struct tensor *scores, size_t samples, size_t i) {
    size_t classes = tensor_count(scores) / samples;
    if (says_class(scores, classes)) {
        return tensor_get_int(scores, i);
    }
    return (int64_t)scores_argmax(scores_of(scores, classes, i));
}

size_t place_of_class(const struct tensor *scores, size_t samples, size_t i, int64_t label) {
    size_t classes = tensor_count(scores) / samples;
    if (says_class(scores, classes)) {
        return tensor_get_int(scores, i) == label ? 0 : SIZE_MAX;
    }
    if (label < 0 || (uint64_t)label >= classes) {
        return SIZE_MAX;
    }
    return scores_place(scores_of(scores, classes, i), (size_t)label);
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
