#include "search/calibration.h"

#include "base/bytes.h"

#define SAMPLES 1024

enum pare_status calibration_choose(struct context *ctx, struct arena *a, const struct dataset *own,
                                    const struct dataset *search, uint64_t seed, struct calibration *out) {
    *out = (struct calibration){0};
    if (own != NULL) {
        TRY(dataset_take(ctx, a, own, seed, SAMPLES, &out->own));
    }
    if (out->own.count < SAMPLES) {
        TRY(dataset_take(ctx, a, search, seed, SAMPLES - out->own.count, &out->more));
    }
    out->count = out->own.count + out->more.count;
    uint64_t hashes[] = {out->own.hash, out->more.hash};
    out->hash = hash_of(hashes, sizeof(hashes), 0);
    return PARE_OK;
}

static enum pare_status load(void *user, struct context *ctx, size_t sample, struct tensor *inputs) {
    (void)ctx;
    const struct calibration *c = user;
    if (sample < c->own.count) {
        dataset_load(&c->own, sample, inputs);
    } else {
        dataset_load(&c->more, sample - c->own.count, inputs);
    }
    return PARE_OK;
}

struct sample_source calibration_source(struct calibration *c) {
    return (struct sample_source){load, c, NULL};
}
