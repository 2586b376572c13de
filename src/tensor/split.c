/* Subsets of a dataset, and the joining of sets of arrays. */
#include "tensor/dataset.h"

#include <stdlib.h>
#include <string.h>

struct ticket {
    int64_t label;
    uint64_t key;
    size_t index; /* in the whole data */
};

/* The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int by_label_then_key(const void *left, const void *right) {
    const struct ticket *a = left;
    const struct ticket *b = right;
    if (a->label != b->label) {
        return a->label < b->label ? -1 : 1;
    }
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_index(const void *left, const void *right) {
    const size_t *a = left;
    const size_t *b = right;
    return *a < *b ? -1 : *a > *b;
}

static struct ticket *draw(const struct dataset *d, uint64_t seed) {
    struct ticket *tickets = calloc(d->count, sizeof *tickets);
    for (size_t i = 0; tickets != NULL && i < d->count; i++) {
        size_t index = d->indices != NULL ? d->indices[i] : i;
        tickets[i] = (struct ticket){d->labels != NULL ? d->labels[index] : 0, mix(mix(seed) ^ index), index};
    }
    if (tickets != NULL) {
        qsort(tickets, d->count, sizeof *tickets, by_label_then_key);
    }
    return tickets;
}

static void make_subset(const struct dataset *d, size_t *indices, size_t count, struct dataset *out) {
    qsort(indices, count, sizeof *indices, by_index);
    *out = *d;
    out->count = count;
    out->indices = indices;
    for (size_t i = 0; i < count; i++) {
        uint64_t v = indices[i];
        uint8_t bytes[8];
        for (int k = 0; k < 8; k++) {
            bytes[k] = (uint8_t)(v >> (8 * k));
        }
        out->hash = hash_of(bytes, sizeof bytes, out->hash);
    }
}

/* Tickets stand by label, in random order within it: taking them at even distances divides every label in the same
 * proportion. The remainder carries over, so exactly first_count are taken. */
static void divide(const struct ticket *tickets, size_t count, size_t first_count, size_t *first, size_t *second) {
    size_t remainder = 0;
    for (size_t i = 0; i < count; i++) {
        bool taken = remainder >= count - first_count;
        remainder = taken ? remainder - (count - first_count) : remainder + first_count;
        if (taken) {
            *first++ = tickets[i].index;
        } else {
            *second++ = tickets[i].index;
        }
    }
}

enum pare_status dataset_split(struct context *ctx, struct arena *a, const struct dataset *d, uint64_t seed,
                               size_t first_count, struct dataset *first, struct dataset *second) {
    if (first_count == 0 || first_count >= d->count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: %zu samples cannot be divided into %zu and the rest; give more data",
                    d->place, d->count, first_count);
    }
    size_t *indices[2] = {ARENA_ARRAY(a, first_count, size_t), ARENA_ARRAY(a, d->count - first_count, size_t)};
    struct ticket *tickets = draw(d, seed);
    if (indices[0] == NULL || indices[1] == NULL || tickets == NULL) {
        free(tickets);
        return fail_memory(ctx);
    }
    divide(tickets, d->count, first_count, indices[0], indices[1]);
    free(tickets);
    struct dataset whole = *d; /* `d` may be one of the results */
    make_subset(&whole, indices[0], first_count, first);
    if (second != NULL) {
        make_subset(&whole, indices[1], whole.count - first_count, second);
    }
    return PARE_OK;
}

enum pare_status dataset_take(struct context *ctx, struct arena *a, const struct dataset *d, uint64_t seed,
                              size_t count, struct dataset *out) {
    if (count >= d->count) {
        *out = *d;
        return PARE_OK;
    }
    return dataset_split(ctx, a, d, seed, count, out, NULL);
}

static enum pare_status check_joinable(struct context *ctx, const char *name, const struct tensor *first,
                                       const struct tensor *next) {
    char text[2][256];
    bool same = next != NULL && next->type == first->type && next->shape.rank == first->shape.rank;
    for (int d = 1; same && d < first->shape.rank; d++) {
        same = first->shape.dim[d] == next->shape.dim[d];
    }
    if (next == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is missing in a part of the data", name);
    }
    if (!same || first->shape.rank == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: %s %s and %s %s cannot be joined along the first axis", name,
                    dtype_name(first->type), shape_text(&first->shape, text[0], sizeof text[0]), dtype_name(next->type),
                    shape_text(&next->shape, text[1], sizeof text[1]));
    }
    return PARE_OK;
}

static enum pare_status join_one(struct context *ctx, struct arena *a, const struct tensor_set *sets, size_t count,
                                 const struct named_tensor *first, struct tensor *out) {
    struct shape shape = first->tensor.shape;
    shape.dim[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const struct tensor *t = tensor_set_find(&sets[i], first->name);
        TRY(check_joinable(ctx, first->name, &first->tensor, t));
        if (t->shape.dim[0] > INT64_MAX - shape.dim[0]) {
            return fail(ctx, PARE_ERROR_INPUT, "%s: too many samples", first->name);
        }
        shape.dim[0] += t->shape.dim[0];
    }
    TRY(tensor_new(ctx, a, first->tensor.type, &shape, out));
    uint8_t *to = out->data;
    for (size_t i = 0; i < count; i++) {
        const struct tensor *t = tensor_set_find(&sets[i], first->name);
        size_t bytes = tensor_bytes(t);
        if (bytes > 0) {
            memcpy(to, t->data, bytes);
        }
        to += bytes;
    }
    return PARE_OK;
}

enum pare_status tensor_set_join(struct context *ctx, struct arena *a, const struct tensor_set *sets, size_t count,
                                 struct tensor_set *out) {
    *out = (struct tensor_set){0};
    if (count == 0) {
        return PARE_OK;
    }
    out->items = ARENA_ARRAY(a, sets[0].count, struct named_tensor);
    if (out->items == NULL) {
        return fail_memory(ctx);
    }
    for (size_t k = 0; k < sets[0].count; k++) {
        out->items[k].name = arena_string(a, sets[0].items[k].name);
        if (out->items[k].name == NULL) {
            return fail_memory(ctx);
        }
        TRY(join_one(ctx, a, sets, count, &sets[0].items[k], &out->items[k].tensor));
        out->count++;
    }
    return PARE_OK;
}
