/* test_vector.npz: what quantize leaves for verify. */
#include "api/test_vector.h"

#include "fixed/lifetimes.h"
#include "runtime/codes.h"

#include <string.h>

uint64_t test_vector_hash(const struct pare_value *v, const void *codes, size_t count) {
    struct codes c = codes_of(codes, v->storage, false);
    uint64_t hash = 0;
    for (size_t s = 0; s < count; s++) {
        for (uint32_t i = 0; i < v->count; i++) {
            uint32_t code = (uint32_t)code_at(&c, i);
            const uint8_t bytes[4] = {(uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(code >> 16),
                                      (uint8_t)(code >> 24)};
            hash = hash_of(bytes, sizeof bytes, hash);
        }
        c.data += value_size(v);
    }
    return hash;
}

static enum dtype type_of(const struct pare_value *v) {
    static const enum dtype types[] = {
        [PARE_U8] = DTYPE_UINT8, [PARE_I8] = DTYPE_INT8, [PARE_U16] = DTYPE_UINT16, [PARE_I16] = DTYPE_INT16};
    return types[v->storage];
}

static const char *array_name(struct arena *arena, const char *side, const char *port) {
    return arena_format(arena, "%s:%s", side, port);
}

/* [count, codes of one sample] */
static enum pare_status add_codes(struct context *ctx, struct pare_tensors *set, const char *side, const char *port,
                                  const struct pare_value *v, const void *codes, size_t count) {
    struct shape shape = {.rank = 2, .dim = {(int64_t)count, v->count}};
    struct tensor t;
    const char *name = array_name(&set->arena, side, port);
    TRY(tensor_new(ctx, &set->arena, type_of(v), &shape, &t));
    memcpy(t.data, codes, tensor_bytes(&t));
    return name == NULL ? fail_memory(ctx) : tensors_append(ctx, set, name, &t);
}

static enum pare_status add_hashes(struct context *ctx, struct pare_tensors *set, const struct program *p,
                                   void *const *codes, size_t count) {
    struct shape shape = {.rank = 1, .dim = {p->value_count}};
    struct tensor t;
    TRY(tensor_new(ctx, &set->arena, DTYPE_UINT64, &shape, &t));
    for (uint32_t v = 0; v < p->value_count; v++) {
        ((uint64_t *)t.data)[v] = codes[v] == NULL ? 0 : test_vector_hash(&p->values[v], codes[v], count);
    }
    return tensors_append(ctx, set, "hashes", &t);
}

static enum pare_status fill_set(struct context *ctx, struct pare_tensors *set, const struct pare_network *n,
                                 const struct dataset *d) {
    const struct program *p = n->program;
    struct test_vector vector;
    void **codes;
    TRY(test_vector_of_data(ctx, &set->arena, p, d, 4, &vector));
    TRY(test_vector_run(ctx, &set->arena, p, &vector, NULL, &codes));
    for (uint32_t k = 0; k < p->input_count; k++) {
        TRY(add_codes(ctx, set, "input", n->inputs[k].name, &p->values[p->inputs[k]], codes[p->inputs[k]],
                      vector.count));
    }
    for (uint32_t k = 0; k < p->output_count; k++) {
        if (codes[p->outputs[k]] != NULL) {
            TRY(add_codes(ctx, set, "output", n->outputs[k].name, &p->values[p->outputs[k]], codes[p->outputs[k]],
                          vector.count));
        }
    }
    return add_hashes(ctx, set, p, codes, vector.count);
}

enum pare_status test_vector_write(struct context *ctx, const struct pare_network *n, const struct dataset *d,
                                   const char *path) {
    struct pare_tensors *set;
    TRY(tensors_new(ctx, &set));
    enum pare_status status = fill_set(ctx, set, n, d);
    if (status == PARE_OK) {
        status = npz_write(ctx, path, &set->set);
    }
    pare_tensors_free(set);
    return status;
}

/* ---- reading ---- */

static enum pare_status fail_other(struct context *ctx, const char *path) {
    return fail(ctx, PARE_ERROR_INPUT, "%s: it belongs to another network; quantize again, or give --data", path);
}

static bool holds_codes(const struct tensor *t, const struct pare_value *v, int64_t count) {
    if (t->type != type_of(v) || t->shape.rank != 2 || t->shape.dim[0] != count || t->shape.dim[1] != v->count) {
        return false;
    }
    for (size_t i = 0; i < tensor_count(t); i++) {
        int64_t code = tensor_get_int(t, i);
        if (code < code_min(v->bits, v->is_signed) || code > code_max(v->bits, v->is_signed)) {
            return false;
        }
    }
    return true;
}

static enum pare_status take_inputs(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                    const char *path, const struct tensor_set *set, struct test_vector *out) {
    const struct program *p = n->program;
    int64_t count = 0;
    for (uint32_t k = 0; k < p->input_count; k++) {
        const struct pare_value *v = &p->values[p->inputs[k]];
        const char *name = array_name(arena, "input", n->inputs[k].name);
        const struct tensor *t = name == NULL ? NULL : tensor_set_find(set, name);
        count = k == 0 && t != NULL && t->shape.rank == 2 ? t->shape.dim[0] : count;
        if (t == NULL || count < 1 || !holds_codes(t, v, count)) {
            return fail_other(ctx, path);
        }
        if (k == 0) {
            *out = (struct test_vector){.count = (size_t)count, .input_count = p->input_count};
            out->inputs = ARENA_ARRAY(arena, out->count * p->input_count, void *);
        }
        for (size_t s = 0; out->inputs != NULL && s < out->count; s++) {
            out->inputs[s * p->input_count + k] = (uint8_t *)t->data + s * value_size(v);
        }
    }
    return out->inputs != NULL ? PARE_OK : fail_memory(ctx);
}

enum pare_status test_vector_read(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  const char *path, struct test_vector *out, const uint64_t **hashes) {
    struct tensor_set set;
    TRY(npz_read(ctx, arena, path, &set));
    const struct tensor *t = tensor_set_find(&set, "hashes");
    if (t == NULL || t->type != DTYPE_UINT64 || tensor_count(t) != n->program->value_count ||
        n->program->input_count == 0) {
        return fail_other(ctx, path);
    }
    *hashes = t->data;
    return take_inputs(ctx, arena, n, path, &set, out);
}
