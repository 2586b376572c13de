#include "api/test_vector.h"

#include "api/data.h"
#include "fixed/lifetimes.h"
#include "quant/feed.h"
#include "runtime/codes.h"

#include <string.h>

static const struct pare_value *input_value(const struct program *p, uint32_t k) {
    return &p->values[p->inputs[k]];
}

static const struct pare_value *output_value(const struct program *p, uint32_t k) {
    return &p->values[p->outputs[k]];
}

static enum pare_status make_room(struct context *ctx, struct arena *arena, const struct program *p,
                                  struct test_vector *v) {
    v->input_count = p->input_count;
    v->output_count = p->output_count;
    v->inputs = ARENA_ARRAY(arena, v->count * p->input_count, void *);
    v->outputs = ARENA_ARRAY(arena, v->count * p->output_count, void *);
    bool complete = v->inputs != NULL && v->outputs != NULL;
    for (size_t s = 0; complete && s < v->count; s++) {
        for (uint32_t k = 0; k < p->input_count; k++) {
            void **input = &v->inputs[s * p->input_count + k];
            complete = (*input = arena_alloc(arena, value_size(input_value(p, k)))) != NULL && complete;
        }
        for (uint32_t k = 0; k < p->output_count; k++) {
            void **output = &v->outputs[s * p->output_count + k];
            complete = (*output = arena_alloc(arena, value_size(output_value(p, k)))) != NULL && complete;
        }
    }
    return complete ? PARE_OK : fail_memory(ctx);
}

/* ---- inputs ---- */

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t random_bits(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void fill_randomly(const struct program *p, uint64_t seed, struct test_vector *v) {
    for (size_t i = 0; i < v->count * v->input_count; i++) {
        const struct pare_value *value = input_value(p, (uint32_t)(i % v->input_count));
        int32_t smallest = code_min(value->bits, value->is_signed);
        for (uint32_t e = 0; e < value->count; e++) {
            uint64_t code = random_bits(&seed) & (((uint64_t)1 << value->bits) - 1);
            write_code(v->inputs[i], value->storage, e, smallest + (int32_t)code);
        }
    }
}

static enum pare_status fill_sample(struct context *ctx, struct arena *arena, const struct program *p,
                                    const struct dataset *d, size_t s, struct test_vector *v) {
    struct tensor *sample;
    TRY(dataset_new_sample(ctx, arena, d, &sample));
    dataset_load(d, s, sample);
    for (uint32_t k = 0; k < p->input_count; k++) {
        if (sample[k].type != DTYPE_FLOAT || tensor_count(&sample[k]) != input_value(p, k)->count) {
            return fail(ctx, PARE_ERROR_INPUT, "%s: its samples are not what the program takes (pare inspect tells)",
                        d->place);
        }
        feed_input(input_value(p, k), sample[k].data, v->inputs[s * v->input_count + k]);
    }
    return PARE_OK;
}

enum pare_status test_vector_of_data(struct context *ctx, struct arena *arena, const struct program *p,
                                     const struct dataset *d, size_t count, struct test_vector *out) {
    *out = (struct test_vector){.count = count < d->count ? count : d->count};
    TRY(make_room(ctx, arena, p, out));
    for (size_t s = 0; s < out->count; s++) {
        TRY(fill_sample(ctx, arena, p, d, s, out));
    }
    return PARE_OK;
}

enum pare_status test_vector_of_settings(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                         const struct pare_settings *settings, const struct program *p,
                                         struct test_vector *out) {
    struct preprocess preprocess;
    struct dataset d;
    TRY(network_preprocess(ctx, n, settings, &preprocess));
    TRY(network_read_data(ctx, arena, n, settings->data, &preprocess, LABELS_IGNORED, &d));
    return test_vector_of_data(ctx, arena, p, &d, settings->samples, out);
}

/* ---- outputs ---- */

struct vector_run {
    const struct program *program;
    const struct test_vector *vector;
    void **codes;
};

static enum pare_status load(void *user, struct context *ctx, size_t sample, void *const *inputs) {
    (void)ctx;
    const struct vector_run *run = user;
    const struct test_vector *v = run->vector;
    for (uint32_t k = 0; k < v->input_count; k++) {
        memcpy(inputs[k], v->inputs[sample * v->input_count + k], value_size(input_value(run->program, k)));
    }
    return PARE_OK;
}

static enum pare_status store(void *user, struct context *ctx, size_t sample, int worker, const void *const *values) {
    (void)ctx;
    (void)worker;
    const struct vector_run *run = user;
    for (uint32_t v = 0; v < run->program->value_count; v++) {
        if (run->codes[v] != NULL && values[v] != NULL) {
            size_t size = value_size(&run->program->values[v]);
            memcpy((uint8_t *)run->codes[v] + sample * size, values[v], size);
        }
    }
    return PARE_OK;
}

enum pare_status test_vector_room(struct context *ctx, struct arena *arena, const struct program *p, size_t count,
                                  void ***codes) {
    struct lifetime *lives = program_lifetimes(p, arena);
    *codes = ARENA_ARRAY(arena, p->value_count, void *);
    if (*codes == NULL || lives == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        size_t bytes;
        if (!value_in_arena(&p->values[v], &lives[v]) || p->values[v].storage == PARE_F32) {
            continue;
        }
        if (!size_multiply(count, value_size(&p->values[v]), &bytes) ||
            ((*codes)[v] = arena_alloc(arena, bytes)) == NULL) {
            return fail_memory(ctx);
        }
        memset((*codes)[v], 0, bytes);
    }
    return PARE_OK;
}

enum pare_status test_vector_run(struct context *ctx, struct arena *arena, const struct program *p,
                                 const struct test_vector *v, const char *isa, void ***codes) {
    struct executor *executor;
    TRY(test_vector_room(ctx, arena, p, v->count, codes));
    TRY(executor_new(ctx, p, &executor));
    struct vector_run run = {p, v, *codes};
    enum pare_status status = isa == NULL ? PARE_OK : executor_force(ctx, executor, isa);
    if (status == PARE_OK) {
        status = executor_run(ctx, executor, NULL, v->count, load, store, &run, NULL);
    }
    executor_free(executor);
    return status;
}

enum pare_status test_vector_make(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  const struct pare_settings *settings, const struct program *program,
                                  struct test_vector *out) {
    void **codes;
    *out = (struct test_vector){.count = settings->samples};
    if (settings->data != NULL) {
        TRY(test_vector_of_settings(ctx, arena, n, settings, program, out));
    } else {
        TRY(make_room(ctx, arena, program, out));
        fill_randomly(program, settings->search.seed, out);
    }
    TRY(test_vector_run(ctx, arena, program, out, NULL, &codes));
    for (size_t s = 0; s < out->count; s++) {
        for (uint32_t k = 0; k < program->output_count; k++) {
            const struct pare_value *y = output_value(program, k);
            const void *from = y->constant;
            if (from == NULL) {
                from = (const uint8_t *)codes[program->outputs[k]] + s * value_size(y);
            }
            memcpy(out->outputs[s * out->output_count + k], from, value_size(y));
        }
    }
    return PARE_OK;
}
