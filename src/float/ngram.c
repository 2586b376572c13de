/* TfIdfVectorizer over numbers: how often each n-gram of a pool occurs. */
#include "float/kernels.h"

#include <string.h>

struct pool {
    const int64_t *items, *starts, *indexes; /* starts: where the n-grams of length 1, 2, ... begin in items */
    size_t item_count, lengths, ngrams;
    int64_t shortest, longest, skips;
};

static enum pare_status read_pool(struct float_call *c, struct pool *p) {
    const struct node *n = c->node;
    p->items = node_ints(n, "pool_int64s", &p->item_count);
    p->starts = node_ints(n, "ngram_counts", &p->lengths);
    p->indexes = node_ints(n, "ngram_indexes", &p->ngrams);
    p->shortest = node_int(n, "min_gram_length");
    p->longest = node_int(n, "max_gram_length");
    p->skips = node_int(n, "max_skip_count");
    bool fits = p->items != NULL && p->shortest >= 1 && p->longest >= p->shortest && p->skips >= 0 &&
                (size_t)p->longest <= p->lengths && p->skips < ((int64_t)1 << 31);
    for (size_t i = 0; fits && i < p->lengths; i++) {
        int64_t end = i + 1 < p->lengths ? p->starts[i + 1] : (int64_t)p->item_count;
        fits = p->starts[i] >= 0 && p->starts[i] <= end && end <= (int64_t)p->item_count &&
               (end - p->starts[i]) % (int64_t)(i + 1) == 0;
    }
    return fits ? PARE_OK : fail(c->ctx, PARE_ERROR_INPUT, "the pool and the n-gram lengths do not fit each other");
}

/* Whether the n-gram at `gram` stands in the row from `begin` on, `step` apart. */
static bool occurs(const struct tensor *row, size_t begin, size_t step, const int64_t *gram, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (tensor_get_int(row, begin + i * step) != gram[i]) {
            return false;
        }
    }
    return true;
}

/* Counts every n-gram of one length in the row [begin, begin + count). */
static void count_length(const struct tensor *in, size_t begin, size_t count, const struct pool *p, size_t length,
                         double *counts) {
    size_t first = (size_t)p->starts[length - 1], number = 0;
    size_t end = length < p->lengths ? (size_t)p->starts[length] : p->item_count;
    for (size_t k = 0; k + 1 < length; k++) { /* the number of the first n-gram of this length */
        number += ((size_t)p->starts[k + 1] - (size_t)p->starts[k]) / (k + 1);
    }
    for (size_t at = first; at < end && number < p->ngrams; at += length, number++) {
        for (size_t skip = 0; skip <= (length == 1 ? 0 : (size_t)p->skips); skip++) {
            size_t reach = (length - 1) * (skip + 1);
            for (size_t i = 0; i + reach < count; i++) {
                counts[p->indexes[number]] += occurs(in, begin + i, skip + 1, p->items + at, length);
            }
        }
    }
}

/* What a count becomes: itself, the weight of its n-gram, or both multiplied. */
static double score(const struct float_call *c, double count, double weight) {
    const char *mode = node_string(c->node, "mode");
    bool only_weight = strcmp(mode, "IDF") == 0;
    return only_weight ? (count > 0.0 ? weight : 0.0) : strcmp(mode, "TFIDF") == 0 ? count * weight : count;
}

/* Weights are listed by n-gram; places that none has keep 1. */
static void find_weights(const struct float_call *c, const struct pool *p, double *weights, size_t places) {
    const struct attr *given = node_attr(c->node, "weights");
    for (size_t i = 0; i < places; i++) {
        weights[i] = 1.0;
    }
    for (size_t i = 0; given != NULL && given->type == ATTR_FLOATS && i < given->count && i < p->ngrams; i++) {
        weights[p->indexes[i]] = (double)given->floats[i];
    }
}

enum pare_status float_tf_idf_vectorizer(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    struct pool p;
    TRY(read_pool(c, &p));
    size_t places = (size_t)out->shape.dim[out->shape.rank - 1], rows = tensor_count(out) / (places > 0 ? places : 1);
    size_t count = in->shape.rank > 0 ? (size_t)in->shape.dim[in->shape.rank - 1] : 1;
    double *counts = call_scratch(c, places, sizeof *counts), *weights = call_scratch(c, places, sizeof *weights);
    if (counts == NULL || weights == NULL) {
        return PARE_ERROR_MEMORY;
    }
    find_weights(c, &p, weights, places);
    for (size_t row = 0; row < rows; row++) {
        memset(counts, 0, places * sizeof *counts);
        for (int64_t length = p.shortest; length <= p.longest; length++) {
            count_length(in, row * count, count, &p, (size_t)length, counts);
        }
        for (size_t i = 0; i < places; i++) {
            tensor_set_double(out, row * places + i, score(c, counts[i], weights[i]));
        }
    }
    return PARE_OK;
}
