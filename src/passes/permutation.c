#include "passes/permutation.h"

#include <string.h>

bool transpose_permutation(const struct node *n, struct permutation *out) {
    struct int_list perm;
    if (!node_is(n, "Transpose") || n->inputs[0]->rank < 0) {
        return false;
    }
    out->rank = n->inputs[0]->rank;
    bool given = attr_ints(n, "perm", &perm);
    if (given && perm.count != out->rank) {
        return false;
    }
    for (int i = 0; i < out->rank; i++) {
        out->at[i] = given ? (int)perm.at[i] : out->rank - 1 - i;
    }
    return true;
}

struct permutation permutation_inverse(const struct permutation *p) {
    struct permutation inverse = {.rank = p->rank};
    for (int i = 0; i < p->rank; i++) {
        inverse.at[p->at[i]] = i;
    }
    return inverse;
}

struct permutation permutation_compose(const struct permutation *first, const struct permutation *second) {
    struct permutation both = {.rank = first->rank};
    for (int i = 0; i < first->rank; i++) {
        both.at[i] = first->at[second->at[i]];
    }
    return both;
}

bool permutation_equal(const struct permutation *a, const struct permutation *b) {
    return a->rank == b->rank && memcmp(a->at, b->at, (size_t)a->rank * sizeof a->at[0]) == 0;
}

bool permutation_is_identity(const struct permutation *p) {
    int i = 0;
    while (i < p->rank && p->at[i] == i) {
        i++;
    }
    return i == p->rank;
}

struct permutation permutation_without(const struct permutation *p, const bool *dropped) {
    struct permutation rest = {.rank = 0};
    int place[TENSOR_MAX_RANK], kept = 0;
    for (int i = 0; i < p->rank; i++) {
        place[i] = kept;
        kept += !dropped[i];
    }
    for (int i = 0; i < p->rank; i++) {
        if (!dropped[p->at[i]]) {
            rest.at[rest.rank++] = place[p->at[i]];
        }
    }
    return rest;
}

struct permutation permutation_with(const struct permutation *p, const bool *added, int rank) {
    struct permutation wide = {.rank = rank};
    int place[TENSOR_MAX_RANK], kept = 0;
    for (int i = 0; i < rank; i++) {
        if (!added[i]) {
            place[kept++] = i;
        }
    }
    kept = 0;
    for (int i = 0; i < rank; i++) {
        wide.at[i] = added[i] ? i : place[p->at[kept++]];
    }
    return wide;
}

enum pare_status set_permutation(struct context *ctx, struct node *n, const struct permutation *p) {
    int64_t perm[TENSOR_MAX_RANK];
    for (int i = 0; i < p->rank; i++) {
        perm[i] = p->at[i];
    }
    return node_set_ints(ctx, n, "perm", perm, (size_t)p->rank);
}

void value_unpermute(struct value *v, const struct permutation *p) {
    struct dim dims[TENSOR_MAX_RANK];
    memcpy(dims, v->dims, sizeof dims);
    for (int i = 0; i < p->rank && v->rank == p->rank; i++) {
        v->dims[p->at[i]] = dims[i];
    }
}

enum pare_status tensor_permute(struct context *ctx, struct arena *a, const struct tensor *t,
                                const struct permutation *p, struct tensor *out) {
    struct shape shape = {.rank = p->rank};
    size_t stride[TENSOR_MAX_RANK] = {0}, walk[TENSOR_MAX_RANK] = {0}, step = 1, from = 0;
    for (int i = p->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= (size_t)t->shape.dim[i];
    }
    for (int i = 0; i < p->rank; i++) {
        shape.dim[i] = t->shape.dim[p->at[i]];
        walk[i] = stride[p->at[i]];
    }
    TRY(tensor_new(ctx, a, t->type, &shape, out));
    int64_t index[TENSOR_MAX_RANK] = {0};
    size_t size = dtype_size(t->type), count = tensor_count(out);
    for (size_t to = 0; to < count; to++) {
        memcpy((char *)out->data + to * size, (const char *)t->data + from * size, size);
        for (int i = p->rank - 1; i >= 0; i--) {
            from += walk[i];
            if (++index[i] < shape.dim[i]) {
                break;
            }
            from -= walk[i] * (size_t)shape.dim[i];
            index[i] = 0;
        }
    }
    return PARE_OK;
}
