#include "tensor/tensor.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool shape_count(const struct shape *s, size_t *count) {
    *count = 1;
    bool empty = false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0) {
            return false;
        }
        empty = empty || s->dim[i] == 0;
    }
    for (int i = 0; i < s->rank && !empty; i++) {
        if ((uint64_t)s->dim[i] > SIZE_MAX || !size_multiply(*count, (size_t)s->dim[i], count) ||
            *count > SIZE_MAX / 16) {
            return false;
        }
    }
    *count = empty ? 0 : *count;
    return true;
}

bool shape_equal(const struct shape *a, const struct shape *b) {
    return a->rank == b->rank && memcmp(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->rank) == 0;
}

char *shape_text(const struct shape *s, char *text, size_t size) {
    if (size == 0) {
        return text;
    }
    size_t at = 0;
    for (int i = 0; i < s->rank && at < size; i++) {
        const char *before = i > 0 ? "," : "[";
        int n = s->dim[i] >= 0 ? snprintf(text + at, size - at, "%s%lld", before, (long long)s->dim[i])
                               : snprintf(text + at, size - at, "%s?", before);
        at += n > 0 ? (size_t)n : 0;
    }
    if (at < size) {
        snprintf(text + at, size - at, "%s", s->rank > 0 ? "]" : "[]");
    }
    return text;
}

size_t tensor_count(const struct tensor *t) {
    size_t count = 0;
    return shape_count(&t->shape, &count) ? count : 0;
}

size_t tensor_bytes(const struct tensor *t) {
    return tensor_count(t) * dtype_size(t->type);
}

static enum pare_status size_of(struct context *ctx, enum dtype type, const struct shape *shape, size_t *bytes) {
    size_t count = 0;
    if (dtype_size(type) == 0) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "a tensor of element type %s (%d) cannot be held", dtype_name(type),
                    (int)type);
    }
    if (shape->rank < 0 || shape->rank > TENSOR_MAX_RANK) {
        return fail(ctx, PARE_ERROR_INPUT, "a tensor of %d dimensions; at most %d are possible", shape->rank,
                    TENSOR_MAX_RANK);
    }
    if (!shape_count(shape, &count)) {
        char text[256];
        return fail(ctx, PARE_ERROR_INPUT, "a tensor of the impossible shape %s", shape_text(shape, text, sizeof text));
    }
    *bytes = count * dtype_size(type); /* shape_count leaves room for 16 bytes each */
    return PARE_OK;
}

enum pare_status tensor_new(struct context *ctx, struct arena *a, enum dtype type, const struct shape *shape,
                            struct tensor *out) {
    size_t bytes = 0;
    TRY(size_of(ctx, type, shape, &bytes));
    void *data = arena_alloc(a, bytes);
    if (data == NULL) {
        return fail_memory(ctx);
    }
    *out = (struct tensor){.type = type, .shape = *shape, .data = data};
    return PARE_OK;
}

enum pare_status tensor_alloc(struct context *ctx, enum dtype type, const struct shape *shape, struct tensor *out) {
    size_t bytes = 0;
    TRY(size_of(ctx, type, shape, &bytes));
    void *data = aligned_alloc(64, bytes / 64 * 64 + 64);
    if (data == NULL) {
        return fail_memory(ctx);
    }
    *out = (struct tensor){.type = type, .shape = *shape, .data = data};
    return PARE_OK;
}

void tensor_free(struct tensor *t) {
    free(t->data);
    *t = (struct tensor){0};
}
