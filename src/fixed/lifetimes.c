#include "fixed/lifetimes.h"

#include "runtime/codes.h"
#include "runtime/model.h"

size_t value_size(const struct pare_value *v) {
    return (size_t)v->count * (v->storage == PARE_F32 ? sizeof(float) : storage_size(v->storage));
}

bool value_in_arena(const struct pare_value *v, const struct lifetime *life) {
    return v->constant == NULL && life->used;
}

static void read_at(struct lifetime *life, uint32_t step) {
    life->used = true;
    life->last = step > life->last ? step : life->last;
}

struct lifetime *program_lifetimes(const struct program *p, struct arena *scratch) {
    struct lifetime *lives = ARENA_ARRAY(scratch, p->value_count, struct lifetime);
    if (lives == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < p->input_count; i++) {
        lives[p->inputs[i]].used = true;
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        const struct pare_op *op = &p->ops[i];
        for (uint32_t k = 0; k < op->input_count; k++) {
            read_at(&lives[op->inputs[k]], i + 1);
        }
        lives[op->output].first = i + 1;
        read_at(&lives[op->output], i + 1);
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        read_at(&lives[p->outputs[i]], p->op_count + 1);
    }
    return lives;
}

/* Whether the operator may write over every input that is this value. */
static bool may_overwrite(const struct program *p, const struct pare_op *op, uint32_t value) {
    for (uint32_t k = 0; k < op->input_count; k++) {
        if (op->inputs[k] == value && !pare_may_overwrite(op, p->values, k)) {
            return false;
        }
    }
    return true;
}

int program_overwritten_input(const struct program *p, const struct lifetime *lives, uint32_t op, bool last) {
    const struct pare_op *o = &p->ops[op];
    int found = -1;
    for (uint32_t k = 0; o->kind != PARE_HOST && k < o->input_count && (last || found < 0); k++) {
        uint32_t value = o->inputs[k];
        bool dies = value_in_arena(&p->values[value], &lives[value]) && lives[value].last == op + 1;
        found = dies && may_overwrite(p, o, value) ? (int)k : found;
    }
    return found;
}

size_t program_live_bytes(const struct program *p, const struct lifetime *lives, uint32_t step) {
    size_t bytes = 0;
    for (uint32_t v = 0; v < p->value_count; v++) {
        bool alive = value_in_arena(&p->values[v], &lives[v]) && lives[v].first <= step && step <= lives[v].last;
        bytes += alive ? value_size(&p->values[v]) : 0;
    }
    if (step > 0 && step <= p->op_count && program_overwritten_input(p, lives, step - 1, false) >= 0) {
        bytes -= value_size(&p->values[p->ops[step - 1].output]);
    }
    return bytes;
}

size_t program_lower_bound(const struct program *p, const struct lifetime *lives) {
    size_t bound = 0;
    for (uint32_t step = 0; step <= p->op_count + 1; step++) {
        size_t bytes = program_live_bytes(p, lives, step);
        bound = bytes > bound ? bytes : bound;
    }
    return bound;
}
