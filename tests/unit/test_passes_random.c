/* Seeded random networks: the pipeline keeps every output, and a second run changes nothing. */
#include "graph/op.h"
#include "passes/numerics.h"
#include "passes/passes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORKS 400

struct maker {
    struct context ctx;
    struct graph *g;
    struct value *current; /* [N, C, H, W] */
    uint64_t state;
};

static int64_t pick(struct maker *m, int64_t low, int64_t high) {
    m->state = m->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (int64_t)((m->state >> 33) % (uint64_t)(high - low + 1));
}

static int64_t size_at(const struct maker *m, int axis) {
    return m->current->dims[axis].value;
}

static struct value *constant(struct maker *m, int rank, const int64_t *dims, double low, double high) {
    struct shape shape = {.rank = rank};
    struct tensor t;
    struct value *v;
    for (int i = 0; i < rank; i++) {
        shape.dim[i] = dims[i];
    }
    ck_assert_int_eq(tensor_new(&m->ctx, m->g->arena, DTYPE_FLOAT, &shape, &t), PARE_OK);
    for (size_t i = 0; i < tensor_count(&t); i++) {
        tensor_set_double(&t, i, low + (high - low) * (double)pick(m, 0, 1000) / 1000);
    }
    ck_assert_int_eq(graph_add_constant(&m->ctx, m->g, "c", &t, &v), PARE_OK);
    return v;
}

static struct value *ints(struct maker *m, int count, const int64_t *list) {
    struct tensor t;
    struct value *v;
    ck_assert_int_eq(tensor_new(&m->ctx, m->g->arena, DTYPE_INT64, &(struct shape){.rank = 1, .dim = {count}}, &t),
                     PARE_OK);
    memcpy(t.data, list, (size_t)count * sizeof *list);
    ck_assert_int_eq(graph_add_constant(&m->ctx, m->g, "shape", &t, &v), PARE_OK);
    return v;
}

/* The new node's output is the current value. */
static struct node *emit(struct maker *m, const char *op, struct value *a, struct value *b, struct value *c) {
    struct value *inputs[3] = {a, b, c}, *output;
    struct node *n;
    ck_assert_int_eq(graph_add_value(&m->ctx, m->g, NULL, "v", &output), PARE_OK);
    ck_assert_int_eq(
        graph_add_node(&m->ctx, m->g, op_find(op), NULL, inputs, c != NULL ? 3 : 1 + (b != NULL), &output, 1, NULL, &n),
        PARE_OK);
    m->current = output;
    return n;
}

static void infer(struct maker *m) {
    ck_assert_msg(graph_infer(&m->ctx, m->g) == PARE_OK, "%s", m->ctx.diag.message);
}

static void set_ints(struct maker *m, struct node *n, const char *name, size_t count, const int64_t *list) {
    ck_assert_int_eq(node_set_ints(&m->ctx, n, name, list, count), PARE_OK);
}

static void set_int(struct maker *m, struct node *n, const char *name, int64_t v) {
    ck_assert_int_eq(node_set_int(&m->ctx, n, name, v), PARE_OK);
}

/* A window of 1 to 3 that fits, with random strides and padding. */
static void add_window(struct maker *m, struct node *n, bool kernel_given, int64_t kernel, int64_t most_padding) {
    int64_t stride = pick(m, 1, size_at(m, 2) > 6 ? 2 : 1);
    int64_t pads[4];
    for (int i = 0; i < 4; i++) {
        pads[i] = pick(m, 0, most_padding);
    }
    if (kernel_given || pick(m, 0, 1)) {
        set_ints(m, n, "kernel_shape", 2, (int64_t[]){kernel, kernel});
    }
    set_ints(m, n, "strides", 2, (int64_t[]){stride, stride});
    switch (pick(m, 0, 3)) {
    case 0:
        ck_assert_int_eq(node_set_string(&m->ctx, n, "auto_pad", "SAME_UPPER"), PARE_OK);
        break;
    case 1:
        ck_assert_int_eq(node_set_string(&m->ctx, n, "auto_pad", "SAME_LOWER"), PARE_OK);
        break;
    default:
        set_ints(m, n, "pads", 4, pads);
    }
}

static int64_t fitting_kernel(struct maker *m) {
    int64_t smaller = size_at(m, 2) < size_at(m, 3) ? size_at(m, 2) : size_at(m, 3);
    return pick(m, 1, smaller < 3 ? smaller : 3);
}

static void add_conv(struct maker *m) {
    int64_t channels = size_at(m, 1), group = pick(m, 0, 2) == 0 ? channels : 1, kernel = fitting_kernel(m);
    int64_t outputs = group * pick(m, 1, group > 1 ? 2 : 6);
    struct value *x = m->current, *bias = pick(m, 0, 1) ? constant(m, 1, &outputs, -1, 1) : NULL;
    struct value *weight = constant(m, 4, (int64_t[]){outputs, channels / group, kernel, kernel}, -1, 1);
    struct maker before = *m;
    struct node *n = emit(m, "Conv", x, weight, bias);
    before.current = x;
    before.state = m->state;
    set_int(m, n, "group", group);
    add_window(&before, n, false, kernel, pick(m, 0, 1) * (kernel - 1));
    m->state = before.state + 1;
}

static void add_pool(struct maker *m) {
    static const char *const pools[] = {"MaxPool", "AveragePool"};
    int64_t kernel = fitting_kernel(m);
    struct maker before = *m;
    struct node *n = emit(m, pools[pick(m, 0, 1)], m->current, NULL, NULL);
    before.state = m->state;
    add_window(&before, n, true, kernel, kernel - 1);
    if (strcmp(n->op->name, "AveragePool") == 0 && pick(m, 0, 1)) {
        set_int(m, n, "count_include_pad", 1);
    }
    m->state = before.state + 1;
}

static void add_normalization(struct maker *m) {
    int64_t channels = size_at(m, 1);
    struct value *x = m->current, *output;
    struct value *inputs[5] = {x, constant(m, 1, &channels, pick(m, 0, 1) ? 0.1 : -1, 1.5),
                               constant(m, 1, &channels, -1, 1), constant(m, 1, &channels, -1, 1),
                               constant(m, 1, &channels, 0.5, 2)};
    ck_assert_int_eq(graph_add_value(&m->ctx, m->g, NULL, "v", &output), PARE_OK);
    ck_assert_int_eq(
        graph_add_node(&m->ctx, m->g, op_find("BatchNormalization"), NULL, inputs, 5, &output, 1, NULL, NULL), PARE_OK);
    m->current = output;
}

static void add_arithmetic(struct maker *m) {
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    int64_t channels = pick(m, 0, 2) == 0 ? 1 : size_at(m, 1);
    bool constant_first = pick(m, 0, 2) == 0;
    struct value *c = constant(m, 3, (int64_t[]){channels, 1, 1}, 0.5, 2), *x = m->current;
    int64_t op = pick(m, 0, constant_first ? 2 : 3);
    emit(m, ops[op], constant_first ? c : x, constant_first ? x : c, NULL);
}

static void add_activation(struct maker *m) {
    static const char *const unary[] = {"Relu", "Sigmoid", "HardSwish", "Identity", "Dropout", "LeakyRelu", "Tanh"};
    if (pick(m, 0, 3) == 0) {
        struct value *low = constant(m, 0, NULL, -0.5, 0.5), *high = constant(m, 0, NULL, 0.6, 3);
        emit(m, "Clip", m->current, low, high);
    } else {
        emit(m, unary[pick(m, 0, 6)], m->current, NULL, NULL);
    }
}

static void add_hard_swish(struct maker *m) {
    int64_t one = 1;
    struct value *x = m->current;
    emit(m, "Add", x, constant(m, 1, &one, 3, 3), NULL);
    emit(m, "Clip", m->current, constant(m, 0, NULL, 0, 0), constant(m, 0, NULL, 6, 6));
    emit(m, "Mul", m->current, x, NULL);
    emit(m, "Div", m->current, constant(m, 0, NULL, 6, 6), NULL);
}

/* Transpose to NHWC, something that does not care, and back. */
static void add_channels_last(struct maker *m) {
    int64_t channels = size_at(m, 1);
    set_ints(m, emit(m, "Transpose", m->current, NULL, NULL), "perm", 4, (int64_t[]){0, 2, 3, 1});
    switch (pick(m, 0, 3)) {
    case 0:
        emit(m, "Add", m->current, constant(m, 1, &channels, -1, 1), NULL);
        break;
    case 1:
        emit(m, "Pad", m->current, ints(m, 8, (int64_t[]){0, 1, 1, 0, 0, 0, 1, 0}), NULL);
        break;
    case 2: {
        struct value *x = m->current;
        emit(m, "Sigmoid", x, NULL, NULL);
        emit(m, "Mul", x, m->current, NULL);
        break;
    }
    default:
        set_int(m, emit(m, "Softmax", m->current, NULL, NULL), "axis", -1);
    }
    set_ints(m, emit(m, "Transpose", m->current, NULL, NULL), "perm", 4, (int64_t[]){0, 3, 1, 2});
}

static void add_branches(struct maker *m) {
    struct value *x = m->current;
    add_normalization(m);
    struct value *left = m->current;
    emit(m, "Relu", x, NULL, NULL);
    if (pick(m, 0, 1)) {
        emit(m, "Add", left, m->current, NULL);
    } else {
        set_int(m, emit(m, "Concat", left, m->current, NULL), "axis", pick(m, 0, 1) ? 1 : -3);
    }
}

static void add_pad(struct maker *m) {
    int64_t pads[8] = {0, 0, pick(m, 0, 1), pick(m, 0, 1), 0, 0, pick(m, 0, 1), 1};
    emit(m, "Pad", m->current, ints(m, 8, pads), NULL);
}

static void add_layer(struct maker *m) {
    typedef void layer(struct maker *);
    static layer *const layers[] = {add_conv,       add_conv,       add_normalization, add_normalization,
                                    add_arithmetic, add_activation, add_activation,    add_pool,
                                    add_hard_swish, add_branches,   add_channels_last, add_pad};
    layers[pick(m, 0, sizeof layers / sizeof layers[0] - 1)](m);
    infer(m);
}

/* Flatten in some way, dense, perhaps normalised. */
static void add_head(struct maker *m) {
    if (pick(m, 0, 1)) {
        emit(m, pick(m, 0, 1) ? "GlobalMaxPool" : "GlobalAveragePool", m->current, NULL, NULL);
    } else if (pick(m, 0, 1)) {
        set_ints(m, emit(m, "Transpose", m->current, NULL, NULL), "perm", 4, (int64_t[]){0, 2, 3, 1});
    }
    infer(m);
    int64_t columns = size_at(m, 1) * size_at(m, 2) * size_at(m, 3), outputs = 5;
    if (pick(m, 0, 1)) {
        emit(m, "Flatten", m->current, NULL, NULL);
    } else {
        emit(m, "Reshape", m->current, ints(m, 2, (int64_t[]){-1, columns}), NULL);
    }
    if (pick(m, 0, 1)) {
        emit(m, "MatMul", m->current, constant(m, 2, (int64_t[]){columns, outputs}, -1, 1), NULL);
        emit(m, "Add", m->current, constant(m, 1, &outputs, -1, 1), NULL);
    } else {
        struct node *n = emit(m, "Gemm", m->current, constant(m, 2, (int64_t[]){columns, outputs}, -1, 1),
                              constant(m, 2, (int64_t[]){1, outputs}, -1, 1));
        ck_assert_int_eq(node_set_float(&m->ctx, n, "alpha", 0.5f), PARE_OK);
    }
    infer(m);
    if (pick(m, 0, 1)) {
        add_normalization(m);
    }
}

static void make_network(struct maker *m, uint64_t seed) {
    struct value *input;
    memset(m, 0, sizeof *m);
    context_init(&m->ctx);
    m->state = seed;
    ck_assert_int_eq(graph_new(&m->ctx, "random", &m->g), PARE_OK);
    ck_assert_int_eq(graph_add_value(&m->ctx, m->g, "x", "x", &input), PARE_OK);
    input->type = DTYPE_FLOAT;
    input->rank = 4;
    input->dims[0] = (struct dim){-1, graph_symbol(m->g, "N")};
    input->dims[1] = (struct dim){pick(m, 1, 4), NULL};
    input->dims[2] = (struct dim){pick(m, 4, 9), NULL};
    input->dims[3] = (struct dim){pick(m, 4, 9), NULL};
    ck_assert_int_eq(graph_add_input(&m->ctx, m->g, input), PARE_OK);
    m->current = input;
    for (int64_t i = pick(m, 2, 9); i > 0; i--) {
        add_layer(m);
    }
    if (pick(m, 0, 1)) {
        add_head(m);
    }
    if (m->current->is_input) {
        add_activation(m);
    }
    infer(m);
    ck_assert_int_eq(graph_add_output(&m->ctx, m->g, m->current), PARE_OK);
}

static int changes_left(struct context *ctx, struct graph *g) {
    size_t count;
    int changes = 0;
    const struct pass *passes = passes_list(&count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(passes_run_one(ctx, g, passes[i].name, &changes) == PARE_OK, "%s: %s", passes[i].name,
                      ctx->diag.message);
        ck_assert_msg(changes == 0, "%s changes something once more", passes[i].name);
    }
    return changes;
}

static void refuse_warning(void *user, const char *message) {
    ck_abort_msg("network %d: %s", *(int *)user, message);
}

START_TEST(test_random_network) {
    struct maker m;
    struct outputs before, after;
    struct pass_options options = {.check_numerics = false};
    make_network(&m, (uint64_t)_i * 7919 + 1);
    m.ctx.warn = refuse_warning;
    m.ctx.user = &_i;
    ck_assert_msg(outputs_compute(&m.ctx, m.g, 3, &before) == PARE_OK, "%s", m.ctx.diag.message);
    char name[64];
    snprintf(name, sizeof name, "%s", m.g->outputs[0]->name);
    ck_assert_msg(passes_run(&m.ctx, &m.g, &options) == PARE_OK, "%s", m.ctx.diag.message);
    ck_assert_str_eq(m.g->outputs[0]->name, name);
    ck_assert_msg(outputs_compute(&m.ctx, m.g, 3, &after) == PARE_OK, "%s", m.ctx.diag.message);
    ck_assert_double_le(outputs_difference(&before, &after), 1e-4);
    ck_assert_int_eq(changes_left(&m.ctx, m.g), 0);
    for (const struct node *n = m.g->first; n != NULL; n = n->next) {
        ck_assert_msg(!node_is(n, "BatchNormalization") && !node_is(n, "Transpose"), "%s remains", n->name);
    }
    outputs_free(&before);
    outputs_free(&after);
    graph_free(m.g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("passes random");
    TCase *networks = tcase_create("networks");
    tcase_set_timeout(networks, 0);
    tcase_add_loop_test(networks, test_random_network, 0, NETWORKS);
    suite_add_tcase(suite, networks);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
