#include "api/scale_check.h"

#include "api/compare.h"

#include <math.h>

enum { FEW_SAMPLES = 200 };

struct trial {
    const struct pare_network *network;
    struct arena arena;
    struct dataset few, scaled;
    bool *right[2]; /* per sample: as declared, and scaled */
    size_t right_count[2];
    size_t classes;
};

static bool lacks_scale(const struct sample_plan *p) {
    return !dtype_is_float(p->source->type) && dtype_is_float(p->type) && !p->affine;
}

/* False where every input is scaled, or has floats. */
static bool scale_samples(struct trial *t) {
    struct sample_plan *plans = ARENA_ARRAY(&t->arena, (size_t)t->few.input_count, struct sample_plan);
    bool scaled = false;
    for (int k = 0; plans != NULL && k < t->few.input_count; k++) {
        plans[k] = t->few.inputs[k];
        if (lacks_scale(&plans[k])) {
            plans[k].affine = true;
            plans[k].scale = 1.0f / 255;
            scaled = true;
        }
    }
    t->scaled = t->few;
    t->scaled.inputs = plans;
    return scaled;
}

static void mark_right(struct trial *t, const struct tensor *scores, int which) {
    size_t count = t->few.count;
    t->classes = tensor_count(scores) / count;
    for (size_t i = 0; t->classes > 0 && i < count; i++) {
        t->right[which][i] = place_of_class(scores, count, i, dataset_label(&t->few, i)) == 0;
        t->right_count[which] += t->right[which][i];
    }
}

static enum pare_status try_samples(struct context *ctx, struct trial *t, const struct dataset *d, int which) {
    struct pare_tensors *outputs;
    t->right[which] = ARENA_ARRAY(&t->arena, d->count, bool);
    if (t->right[which] == NULL) {
        return fail_memory(ctx);
    }
    TRY(tensors_new(ctx, &outputs));
    struct samples samples = dataset_samples(d);
    enum pare_status status = network_run(ctx, t->network, &samples, false, outputs);
    if (status == PARE_OK) {
        mark_right(t, &outputs->set.items[0].tensor, which);
    }
    pare_tensors_free(outputs);
    return status;
}

/* By more than twice the standard error of McNemar's test. */
static bool clearly_better(const struct trial *t) {
    double won = 0, lost = 0;
    for (size_t i = 0; i < t->few.count; i++) {
        won += t->right[1][i] && !t->right[0][i];
        lost += t->right[0][i] && !t->right[1][i];
    }
    return won - lost > 2 * sqrt(won + lost);
}

/* Hardly more than by chance; of samples without a scale, which may want a mean too, half is expected. */
static bool poor(const struct trial *t, bool without_scale) {
    double chance = t->classes > 1 ? 1.0 / (double)t->classes : 1;
    double least = fmax(chance + 0.1 * (1 - chance), without_scale ? 0.5 : 0);
    return t->network->kind == PARE_NETWORK_FLOAT && t->classes > 1 && t->few.count >= FEW_SAMPLES / 10 &&
           (double)t->right_count[0] < least * (double)t->few.count;
}

static enum pare_status try_and_warn(struct context *ctx, struct trial *t) {
    const char *place = t->few.place;
    TRY(try_samples(ctx, t, &t->few, 0));
    bool without_scale = scale_samples(t);
    if (without_scale) {
        TRY(try_samples(ctx, t, &t->scaled, 1));
    }
    if (without_scale && clearly_better(t)) {
        context_warn(
            ctx,
            "%s: the samples are integers without a declared scale: with --scale 1/255 the network is right on "
            "%zu of %zu, without on %zu; is --scale (--mean, --std) missing?",
            place, t->right_count[1], t->few.count, t->right_count[0]);
    } else if (poor(t, without_scale)) {
        context_warn(ctx,
                     "%s: the float network is right on only %zu of %zu samples (%zu classes): are the preprocessing "
                     "(--scale, --mean, --std, --layout) and the labels its own?",
                     place, t->right_count[0], t->few.count, t->classes);
    }
    return PARE_OK;
}

enum pare_status warn_of_missing_scale(struct context *ctx, const struct pare_network *n, const struct dataset *data) {
    if (data->labels == NULL) {
        return PARE_OK;
    }
    struct trial trial = {.network = n};
    arena_init(&trial.arena);
    enum pare_status status = dataset_take(ctx, &trial.arena, data, 0, FEW_SAMPLES, &trial.few);
    if (status == PARE_OK) {
        status = try_and_warn(ctx, &trial);
    }
    arena_free(&trial.arena);
    return status;
}
