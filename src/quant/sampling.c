#include "quant/sampling.h"

#define POSITIONS_MIN ((size_t)16) /* of one sample */
#define POSITIONS_MAX ((size_t)1024)

static size_t greatest_common_divisor(size_t a, size_t b) {
    while (b != 0) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Steps near the golden section of the image spread any number of positions evenly. */
static size_t coprime_stride(size_t positions) {
    size_t stride = positions - (size_t)((double)positions * 0.381966);
    while (greatest_common_divisor(stride, positions) != 1) {
        stride--;
    }
    return stride;
}

static size_t positions_taken(size_t positions, size_t samples, size_t all) {
    size_t most = all / samples;
    most = most < POSITIONS_MIN ? POSITIONS_MIN : most > POSITIONS_MAX ? POSITIONS_MAX : most;
    return positions < most ? positions : most;
}

enum pare_status sampling_init(struct context *ctx, const struct linear *l, size_t samples, size_t all,
                               struct sampling *out) {
    TRY(columns_of(ctx, l, &out->columns));
    out->positions = positions_taken(out->columns.positions, samples, all);
    out->stride = out->columns.positions > 0 ? coprime_stride(out->columns.positions) : 0;
    bool counted = size_multiply((size_t)l->groups * l->columns, out->positions, &out->floats);
    return counted ? PARE_OK : fail_memory(ctx);
}

void sampling_gather(const struct sampling *s, size_t number, const float *input, float *tile) {
    const struct columns *c = &s->columns;
    size_t position = s->positions == 0 ? 0 : number * 7919 % c->positions;
    for (size_t i = 0; i < s->positions; i++) {
        columns_gather(c, input, position, tile + i * c->groups * c->columns);
        position = (position + s->stride) % c->positions;
    }
}
