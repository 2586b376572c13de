/* Samples for calibration, search and measurement: held as read, delivered one by one as the model's inputs.
 *
 *   .npz, .npy, tensors ──▶ arrays [samples, ...] ──▶ dataset ──▶ subsets (indices into the same arrays)
 *                                                        └──▶ sample i: one tensor per input, batch 1, preprocessed */
#ifndef PARE_TENSOR_DATASET_H
#define PARE_TENSOR_DATASET_H

#include "tensor/npy.h"
#include "tensor/sample.h"

#include <stdint.h>

enum label_use {
    LABELS_TAKEN,    /* `y` must be labels, where it is there */
    LABELS_OPTIONAL, /* ... or is not used, with a warning */
    LABELS_IGNORED   /* it is not looked at */
};

/* What the data must fit. */
struct dataset_spec {
    const struct input_spec *inputs;
    int input_count;
    int64_t classes; /* labels must be below; 0: unknown */
    enum label_use label_use;
    const struct preprocess *preprocess; /* NULL: none */
};

struct dataset {
    const char *place; /* where the data come from, for messages */
    size_t count;      /* samples */
    int input_count;
    const struct sample_plan *inputs; /* type and shape of input k as delivered: inputs[k].type, .shape */
    const int64_t *labels;            /* of the whole data, NULL when unlabelled: use dataset_label */
    const size_t *indices;            /* ascending positions in the whole data; NULL: all of it */
    uint64_t hash; /* of the arrays' types, shapes, contents, preprocessing and, in a subset, indices */
};

/* Reads an .npz or .npy, told apart by content. An .npz holds arrays named like the model's inputs, or `x` for a model
 * with one input, and labels (tensor/labels.h) in `y`, which is optional; an .npy holds the samples of the only input.
 * Every error is PARE_ERROR_INPUT and names file, array and index: arrays that are missing, empty, of the wrong shape
 * or type or of different lengths, values that are not finite, labels that are no whole numbers, negative, or not below
 * the number of classes. Everything lies in the arena. */
enum pare_status dataset_read(struct context *ctx, struct arena *a, const char *path, const struct dataset_spec *spec,
                              struct dataset *out);
/* The same from arrays in memory, which must outlive the dataset; `place` is copied. */
enum pare_status dataset_from_arrays(struct context *ctx, struct arena *a, const char *place,
                                     const struct tensor_set *arrays, const struct dataset_spec *spec,
                                     struct dataset *out);
/* Joins sets with the same names, types and shapes along the first axis, as for a folder per sample. */
enum pare_status tensor_set_join(struct context *ctx, struct arena *a, const struct tensor_set *sets, size_t count,
                                 struct tensor_set *out);

/* Whether two sets read from files hold the same inputs, whatever their labels. */
bool dataset_same_inputs(const struct dataset *a, const struct dataset *b);

/* Two disjoint parts, the first of `first_count` samples, 0 < first_count < d->count (else PARE_ERROR_INPUT): chosen by
 * a hash of seed and index, every label divided in the same proportion. `second` may be NULL. The same data and seed
 * give the same parts. */
enum pare_status dataset_split(struct context *ctx, struct arena *a, const struct dataset *d, uint64_t seed,
                               size_t first_count, struct dataset *first, struct dataset *second);
/* At most `count` samples, chosen as by dataset_split. */
enum pare_status dataset_take(struct context *ctx, struct arena *a, const struct dataset *d, uint64_t seed,
                              size_t count, struct dataset *out);

/* Tensors of the delivered types and shapes, one per input, for dataset_load. */
enum pare_status dataset_new_sample(struct context *ctx, struct arena *a, const struct dataset *d,
                                    struct tensor **inputs);
/* Fills the inputs with sample i < d->count. Thread-safe. */
void dataset_load(const struct dataset *d, size_t i, struct tensor *inputs);
int64_t dataset_label(const struct dataset *d, size_t i); /* the dataset must have labels */

#endif
