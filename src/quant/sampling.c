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

static size_t position_of(const struct sampling *s, size_t number, size_t i) {
    return (number * 7919 + i * s->stride) % s->columns.positions;
}

void sampling_gather(const struct sampling *s, size_t number, const float *input, float *tile) {
    const struct columns *c = &s->columns;
    for (size_t i = 0; i < s->positions; i++) {
        columns_gather(c, input, position_of(s, number, i), tile + i * c->groups * c->columns);
    }
}

void sampling_gather_outputs(const struct sampling *s, size_t number, const float *output, float *out) {
    uint32_t rows = s->columns.linear->rows;
    for (size_t i = 0; i < s->positions; i++) {
        size_t position = position_of(s, number, i);
        for (uint32_t r = 0; r < rows; r++) {
            out[i * rows + r] = output[columns_output(&s->columns, r, position)];
        }
    }
}
