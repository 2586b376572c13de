/* Which unfolded inputs of a linear operator stand for all of them, where there are many output positions. */
#ifndef PARE_QUANT_SAMPLING_H
#define PARE_QUANT_SAMPLING_H

#include "quant/columns.h"

struct sampling {
    struct columns columns;
    size_t positions; /* taken of each sample */
    size_t stride;    /* between them, coprime to their number */
    size_t floats;    /* of a sample's tile: [positions][groups][columns] */
};

/* So many positions of each of `samples` samples that there are about `all` in all. */
enum pare_status sampling_init(struct context *ctx, const struct linear *l, size_t samples, size_t all,
                               struct sampling *out);
/* The unfolded inputs of sample `number` into its tile. Each sample begins somewhere else. */
void sampling_gather(const struct sampling *s, size_t number, const float *input, float *tile);
/* The outputs of the same positions into out[positions][rows]. Not for PRelu. */
void sampling_gather_outputs(const struct sampling *s, size_t number, const float *output, float *out);

#endif
