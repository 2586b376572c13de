/* NumPy's .npy (format 1.0 to 3.0, C and Fortran order, either byte order) and .npz (stored or deflated, through
 * libzip). */
#ifndef PARE_TENSOR_NPY_H
#define PARE_TENSOR_NPY_H

#include "base/bytes.h"
#include "tensor/tensor.h"

struct named_tensor {
    char *name;
    struct tensor tensor;
};

struct tensor_set {
    size_t count;
    struct named_tensor *items;
};

/* Parses the bytes of a .npy file; data are copied into the arena as native C order. PARE_ERROR_INPUT names `place`. */
enum pare_status npy_parse(struct context *ctx, struct arena *a, const char *place, const void *data, size_t size,
                           struct tensor *out);
enum pare_status npy_read(struct context *ctx, struct arena *a, const char *path, struct tensor *out);
enum pare_status npy_append(struct context *ctx, struct buffer *out, const struct tensor *t);

/* All arrays of an .npz, in the archive's order. */
enum pare_status npz_read(struct context *ctx, struct arena *a, const char *path, struct tensor_set *out);
/* Written beside and renamed; the same tensors give the same bytes (fixed timestamps). */
enum pare_status npz_write(struct context *ctx, const char *path, const struct tensor_set *set);

const struct tensor *tensor_set_find(const struct tensor_set *set, const char *name); /* or NULL */

#endif
