#include "fixed/lifetimes.h"

#include "runtime/codes.h"

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
