/* One node in a graph of its own, run on given tensors: what the tests of the float kernels share. */
#ifndef PARE_TESTS_FLOAT_TRIAL_H
#define PARE_TESTS_FLOAT_TRIAL_H

#include "float/float.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIAL_MAX 8

struct trial {
    struct context ctx;
    struct graph *graph;
    struct node *node;
    struct tensor inputs[TRIAL_MAX], outputs[TRIAL_MAX];
    uint64_t seed;
};

/* SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators"). */
static inline uint64_t trial_bits(struct trial *t) {
    uint64_t z = t->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [low, high]. */
static inline int64_t trial_integer(struct trial *t, int64_t low, int64_t high) {
    return low + (int64_t)(trial_bits(t) % (uint64_t)(high - low + 1));
}

static inline float trial_real(struct trial *t) {
    return (float)trial_integer(t, -1000, 1000) / 500.0f;
}

/* A node with that many inputs and outputs; attributes are set on t->node afterwards. */
static inline void trial_start(struct trial *t, const char *op, int inputs, int outputs, uint64_t seed) {
    memset(t, 0, sizeof *t);
    t->seed = seed;
    context_init(&t->ctx);
    ck_assert_int_eq(graph_new(&t->ctx, "trial", &t->graph), PARE_OK);
    struct value *in[TRIAL_MAX], *out[TRIAL_MAX];
    for (int i = 0; i < inputs; i++) {
        ck_assert_int_eq(graph_add_value(&t->ctx, t->graph, NULL, "in", &in[i]), PARE_OK);
        ck_assert_int_eq(graph_add_input(&t->ctx, t->graph, in[i]), PARE_OK);
    }
    for (int i = 0; i < outputs; i++) {
        ck_assert_int_eq(graph_add_value(&t->ctx, t->graph, NULL, "out", &out[i]), PARE_OK);
    }
    ck_assert_ptr_nonnull(op_find(op));
    ck_assert_int_eq(graph_add_node(&t->ctx, t->graph, op_find(op), "node", in, inputs, out, outputs, NULL, &t->node),
                     PARE_OK);
}

static inline void trial_end(struct trial *t) {
    for (int i = 0; i < TRIAL_MAX; i++) {
        tensor_free(&t->inputs[i]);
        tensor_free(&t->outputs[i]);
    }
    graph_free(t->graph);
}

static inline void trial_ints(struct trial *t, const char *name, const int64_t *v, size_t count) {
    ck_assert_int_eq(node_set_ints(&t->ctx, t->node, name, v, count), PARE_OK);
}

static inline void trial_int(struct trial *t, const char *name, int64_t v) {
    ck_assert_int_eq(node_set_int(&t->ctx, t->node, name, v), PARE_OK);
}

static inline void trial_float(struct trial *t, const char *name, float v) {
    ck_assert_int_eq(node_set_float(&t->ctx, t->node, name, v), PARE_OK);
}

static inline void trial_string(struct trial *t, const char *name, const char *v) {
    ck_assert_int_eq(node_set_string(&t->ctx, t->node, name, v), PARE_OK);
}

/* Uninitialised input i. */
static inline struct tensor *trial_input(struct trial *t, int i, enum dtype type, int rank, const int64_t *dims) {
    struct shape shape = {.rank = rank};
    for (int k = 0; k < rank; k++) {
        shape.dim[k] = dims[k];
    }
    ck_assert_int_eq(tensor_alloc(&t->ctx, type, &shape, &t->inputs[i]), PARE_OK);
    return &t->inputs[i];
}

static inline float *trial_random(struct trial *t, int i, int rank, const int64_t *dims) {
    struct tensor *input = trial_input(t, i, DTYPE_FLOAT, rank, dims);
    float *data = input->data;
    for (size_t k = 0; k < tensor_count(input); k++) {
        data[k] = trial_real(t);
    }
    return data;
}

/* A vector of int64, as axes and shapes are given. */
static inline void trial_vector(struct trial *t, int i, const int64_t *v, int64_t count) {
    struct tensor *input = trial_input(t, i, DTYPE_INT64, 1, &count);
    memcpy(input->data, v, (size_t)count * sizeof *v);
}

static inline enum pare_status trial_try(struct trial *t) {
    const struct tensor *inputs[TRIAL_MAX];
    for (int i = 0; i < t->node->input_count; i++) {
        inputs[i] = t->inputs[i].data != NULL ? &t->inputs[i] : NULL;
    }
    return float_run_node(&t->ctx, t->node, inputs, t->outputs);
}

static inline void trial_run(struct trial *t) {
    enum pare_status status = trial_try(t);
    ck_assert_msg(status == PARE_OK, "%s", t->ctx.diag.message);
}

/* Fails unless the run stops with this status, and a message that names the node. */
static inline void trial_refused(struct trial *t, enum pare_status status) {
    ck_assert_int_eq(trial_try(t), status);
    ck_assert_msg(strncmp(t->ctx.diag.message, "node", 4) == 0, "%s", t->ctx.diag.message);
}

static inline void trial_expect_shape(const struct trial *t, int i, int rank, const int64_t *dims) {
    ck_assert_int_eq(t->outputs[i].shape.rank, rank);
    for (int k = 0; k < rank; k++) {
        ck_assert_int_eq(t->outputs[i].shape.dim[k], dims[k]);
    }
}

/* Element `at` of output i, within `tolerance` of what is expected. */
static inline void trial_expect(const struct trial *t, int i, size_t at, double expected, double tolerance) {
    double got = tensor_get_double(&t->outputs[i], at);
    ck_assert_msg(fabs(got - expected) <= tolerance, "output %d element %zu: %.9g, expected %.9g", i, at, got,
                  expected);
}

#endif
