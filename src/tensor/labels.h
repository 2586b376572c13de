/* Labels of samples, in the forms that data files have them. */
#ifndef PARE_TENSOR_LABELS_H
#define PARE_TENSOR_LABELS_H

#include "tensor/tensor.h"

struct label_spec {
    const char *place; /* of the array, for messages */
    size_t samples;
    int64_t classes; /* labels must be below; 0: unknown */
};

/* From an array [samples] or [samples,1] of whole numbers of any type but bool, or a one-hot [samples,classes]. The
 * labels lie in the arena; PARE_ERROR_INPUT names the entry that is none. */
enum pare_status labels_read(struct context *ctx, struct arena *a, const struct tensor *y,
                             const struct label_spec *spec, int64_t **out);

#endif
