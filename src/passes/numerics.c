#include "passes/numerics.h"

#include "float/float.h"

#include <math.h>
#include <stdlib.h>

/* Sizes for dimensions that the model leaves open. */
#define MADE_UP_BATCH 2
#define MADE_UP_SIZE 64
#define MAX_ELEMENTS ((size_t)1 << 27)

struct sizes {
    const char *symbol[TENSOR_MAX_RANK];
    int64_t size[TENSOR_MAX_RANK];
    int count;
};

static int64_t size_of(struct sizes *known, const struct dim *d, int axis) {
    int64_t size = axis == 0 ? MADE_UP_BATCH : MADE_UP_SIZE;
    if (d->value >= 0) {
        return d->value;
    }
    for (int i = 0; d->symbol != NULL && i < known->count; i++) {
        if (known->symbol[i] == d->symbol) {
            return known->size[i];
        }
    }
    if (d->symbol != NULL && known->count < TENSOR_MAX_RANK) {
        known->symbol[known->count] = d->symbol;
        known->size[known->count++] = size;
    }
    return size;
}

/* splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void fill(struct tensor *t, uint64_t *state) {
    bool real = dtype_is_float(t->type);
    for (size_t i = 0; i < tensor_count(t); i++) {
        double uniform = (double)(next_random(state) >> 11) * 0x1p-53;
        tensor_set_double(t, i, real ? 2 * uniform - 1 : (double)(uniform < 0.5));
    }
}

/* Refuses a graph with a value too large to be made for a mere check. */
static enum pare_status check_sizes(struct context *ctx, const struct graph *g) {
    for (int i = 0; i < g->value_count; i++) {
        struct shape shape;
        size_t count;
        if (value_shape(g->values[i], MADE_UP_BATCH, &shape) &&
            (!shape_count(&shape, &count) || count > MAX_ELEMENTS)) {
            return fail(ctx, PARE_ERROR_INPUT, "%s: too large to be computed for a check", g->values[i]->name);
        }
    }
    return PARE_OK;
}

static enum pare_status make_input(struct context *ctx, struct arena *a, const struct value *v, struct sizes *sizes,
                                   uint64_t *state, struct tensor *out) {
    struct shape shape = {.rank = v->rank};
    size_t count;
    for (int i = 0; i < v->rank; i++) {
        shape.dim[i] = size_of(sizes, &v->dims[i], i);
    }
    if (v->rank < 0 || dtype_size(v->type) == 0 || !shape_count(&shape, &count) || count > MAX_ELEMENTS) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: no input can be made up for this type and shape", v->name);
    }
    TRY(tensor_new(ctx, a, v->type, &shape, out));
    fill(out, state);
    return PARE_OK;
}

static enum pare_status compute(struct context *ctx, struct arena *a, const struct graph *g, uint64_t seed,
                                struct outputs *out) {
    struct sizes sizes = {.count = 0};
    struct tensor *inputs = ARENA_ARRAY(a, (size_t)g->input_count, struct tensor);
    if (inputs == NULL) {
        return fail_memory(ctx);
    }
    TRY(check_sizes(ctx, g));
    for (int i = 0; i < g->input_count; i++) {
        TRY(make_input(ctx, a, g->inputs[i], &sizes, &seed, &inputs[i]));
    }
    return outputs_of(ctx, g, inputs, out);
}

enum pare_status outputs_of(struct context *ctx, const struct graph *g, const struct tensor *inputs,
                            struct outputs *out) {
    *out = (struct outputs){.tensors = calloc((size_t)g->output_count + 1, sizeof *out->tensors)};
    if (out->tensors == NULL) {
        return fail_memory(ctx);
    }
    out->count = g->output_count;
    enum pare_status status = float_run(ctx, g, inputs, out->tensors, NULL, NULL);
    if (status != PARE_OK) {
        outputs_free(out);
    }
    return status;
}

enum pare_status outputs_compute(struct context *ctx, const struct graph *g, uint64_t seed, struct outputs *out) {
    struct arena a;
    arena_init(&a);
    *out = (struct outputs){0};
    enum pare_status status = compute(ctx, &a, g, seed, out);
    arena_free(&a);
    return status;
}

void outputs_free(struct outputs *o) {
    for (int i = 0; i < o->count; i++) {
        tensor_free(&o->tensors[i]);
    }
    free(o->tensors);
    *o = (struct outputs){0};
}

static double tensor_difference(const struct tensor *a, const struct tensor *b) {
    double largest = 0, difference = 0;
    if (a->type != b->type || !shape_equal(&a->shape, &b->shape)) {
        return INFINITY;
    }
    for (size_t i = 0; dtype_is_float(a->type) && i < tensor_count(a); i++) {
        double x = tensor_get_double(a, i), y = tensor_get_double(b, i);
        if (isfinite(x) && isfinite(y)) {
            largest = fmax(largest, fabs(x));
            difference = fmax(difference, fabs(x - y));
        } else if (isnan(x) != isnan(y) || (!isnan(x) && x != y)) {
            return INFINITY;
        }
    }
    return difference == 0 ? 0 : difference / largest;
}

double outputs_difference(const struct outputs *a, const struct outputs *b) {
    double difference = a->count == b->count ? 0 : INFINITY;
    for (int i = 0; i < a->count && a->count == b->count; i++) {
        difference = fmax(difference, tensor_difference(&a->tensors[i], &b->tensors[i]));
    }
    return difference;
}
