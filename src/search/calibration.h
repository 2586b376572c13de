/* Samples that statistics are collected from and weights fitted to; labels are not looked at. */
#ifndef PARE_SEARCH_CALIBRATION_H
#define PARE_SEARCH_CALIBRATION_H

#include "quant/observe.h"
#include "tensor/dataset.h"

struct calibration {
    struct dataset own;  /* that the caller has for it; count 0: none */
    struct dataset more; /* from the search set, where there are fewer of those than wanted */
    size_t count;        /* of both */
    uint64_t hash;
};

/* 1,024 samples: `own` ones, which may be NULL, and where they are fewer, at most half of the search set, which loses
 * them. A search set of less than 1,024 keeps its samples, which then serve both ends, unless there are 512 of our own.
 * The structs are copied, their arrays are not. */
enum pare_status calibration_choose(struct context *ctx, struct arena *a, const struct dataset *own,
                                    struct dataset *search, uint64_t seed, struct calibration *out);
/* Delivers the samples, own ones first; `c` must outlive it. Thread-safe. */
struct sample_source calibration_source(struct calibration *c);

#endif
