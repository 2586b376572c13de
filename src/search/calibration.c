#include "search/calibration.h"

#include "base/bytes.h"

#define SAMPLES ((size_t)1024)
#define ENOUGH ((size_t)512) /* of either kind, to keep them apart */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Weights fitted to a sample do better on it than on others: it is lost for the search, which has to have enough. */
static enum pare_status fill_up(struct context *ctx, struct arena *a, struct dataset *search, uint64_t seed,
                                struct calibration *out) {
    size_t missing = SAMPLES - out->own.count;
    if (search->count >= 2 * ENOUGH) {
        struct dataset all = *search;
        return dataset_split(ctx, a, &all, seed, least(missing, all.count / 2), &out->more, search);
    }
    return out->own.count >= ENOUGH ? PARE_OK : dataset_take(ctx, a, search, seed, missing, &out->more);
}

enum pare_status calibration_choose(struct context *ctx, struct arena *a, const struct dataset *own,
                                    struct dataset *search, uint64_t seed, struct calibration *out) {
    *out = (struct calibration){0};
    if (own != NULL) {
        TRY(dataset_take(ctx, a, own, seed, SAMPLES, &out->own));
    }
    if (out->own.count < SAMPLES) {
        TRY(fill_up(ctx, a, search, seed, out));
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
