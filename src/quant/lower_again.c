/* Lowering again after formats or parameters changed, keeping what stayed equal where it is: executors and their
 * cached prefixes stay valid for those operators. */
#include "quant/lower.h"

#include <stdint.h>
#include <string.h>

static size_t table_bytes(const struct program *p, const struct pare_op *op) {
    size_t entries = (size_t)1 << p->values[op->inputs[0]].bits;
    return entries * (p->values[op->output].bits > 8 ? 2 : 1);
}

static bool format_same(const struct pare_value *a, const struct pare_value *b) {
    return a->storage == b->storage && a->bits == b->bits && a->is_signed == b->is_signed && a->frac == b->frac;
}

static bool constant_same(const struct pare_value *a, const struct pare_value *b) {
    return a->constant == NULL ||
           memcmp(a->constant, b->constant, (size_t)a->count * (a->storage >= PARE_U16 ? 2 : 1)) == 0;
}

static bool value_same(const struct pare_value *a, const struct pare_value *b) {
    return format_same(a, b) && constant_same(a, b);
}

static bool parameters_same(const struct pare_op *a, const struct pare_op *b) {
    return a->weights.data == b->weights.data && a->weights.bits == b->weights.bits &&
           a->weights.frac == b->weights.frac && a->bias.data == b->bias.data && a->bias.bits == b->bias.bits &&
           a->bias.frac == b->bias.frac;
}

static bool op_same(const struct program *p, const struct pare_op *a, const struct program *q,
                    const struct pare_op *b) {
    for (uint32_t i = 0; i < a->input_count; i++) {
        if (!value_same(&p->values[a->inputs[i]], &q->values[b->inputs[i]])) {
            return false;
        }
    }
    return value_same(&p->values[a->output], &q->values[b->output]) && a->low == b->low && a->high == b->high &&
           a->wide == b->wide && parameters_same(a, b) &&
           (a->kind != PARE_COPY || a->u.copy.fill_code == b->u.copy.fill_code) &&
           (a->kind != PARE_TABLE || memcmp(a->u.table.entries, b->u.table.entries, table_bytes(p, a)) == 0);
}

/* A copy that takes the place of `owner`'s last one where that was as large: a search lowers many thousand times. */
static enum pare_status keep_copy(struct context *ctx, struct program *p, size_t owner, const void *last,
                                  const void *bytes, size_t size, const void **out) {
    void *copy = (void *)(uintptr_t)last;
    if (p->rooms[owner] < size) {
        copy = arena_alloc(p->arena, size);
        if (copy == NULL) {
            return fail_memory(ctx);
        }
        p->rooms[owner] = size;
    }
    *out = memcpy(copy, bytes, size);
    return PARE_OK;
}

static enum pare_status adopt_op(struct context *ctx, struct program *p, uint32_t i, const struct program *q) {
    struct pare_op *to = &p->ops[i];
    struct pare_op op = q->ops[i];
    if (op.kind == PARE_TABLE) {
        const void *entries = NULL;
        TRY(keep_copy(ctx, p, i, to->u.table.entries, op.u.table.entries, table_bytes(q, &op), &entries));
        op.u.table.entries = entries;
    } else if (op.kind == PARE_GATHER) {
        op.u.gather.indices = to->u.gather.indices; /* structure: never changes */
    } else if (op.kind == PARE_HOST) {
        op.u.host = to->u.host;
    }
    *to = op;
    return PARE_OK;
}

static enum pare_status adopt_value(struct context *ctx, struct program *p, uint32_t i, const struct pare_value *from) {
    struct pare_value *to = &p->values[i];
    if (value_same(from, to)) {
        return PARE_OK;
    }
    struct pare_value v = *from;
    if (from->constant != NULL) {
        size_t bytes = (size_t)from->count * (from->storage >= PARE_U16 ? 2 : 1);
        const void *codes = NULL;
        TRY(keep_copy(ctx, p, (size_t)p->op_count + i, to->constant, from->constant, bytes, &codes));
        v.constant = codes;
    }
    *to = v;
    return PARE_OK;
}

static enum pare_status make_rooms(struct context *ctx, struct program *p) {
    if (p->rooms == NULL) {
        p->rooms = ARENA_ARRAY(p->arena, (size_t)p->op_count + p->value_count, size_t);
    }
    return p->rooms == NULL ? fail_memory(ctx) : PARE_OK;
}

enum pare_status lower_again(struct context *ctx, const struct scheme *s, struct program *p, uint32_t *changed,
                             size_t *changed_count) {
    struct program *q = NULL;
    *changed_count = 0;
    TRY(make_rooms(ctx, p));
    TRY(lower(ctx, s, &q));
    enum pare_status status = PARE_OK;
    if (q->op_count != p->op_count || q->value_count != p->value_count) {
        status = fail(ctx, PARE_ERROR_INTERNAL, "lowering twice gave %u and %u operators", p->op_count, q->op_count);
    }
    for (uint32_t i = 0; status == PARE_OK && i < p->op_count; i++) {
        if (!op_same(p, &p->ops[i], q, &q->ops[i])) {
            changed[(*changed_count)++] = i;
        }
    }
    for (size_t k = 0; status == PARE_OK && k < *changed_count; k++) {
        status = adopt_op(ctx, p, changed[k], q);
    }
    for (uint32_t i = 0; status == PARE_OK && i < p->value_count; i++) {
        status = adopt_value(ctx, p, i, &q->values[i]);
    }
    program_free(q);
    return status;
}
