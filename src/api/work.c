#include "api/work.h"

#include <string.h>

/* How an operator multiplies. */
enum product {
    PER_OUTPUT, /* each output sums over the weights that lead to it */
    PER_INPUT,  /* each input reaches the outputs that it leads to */
    MATRIX,     /* the last axis of the first operand is summed over */
    RECURRENT,  /* both weights, at every step of every sequence */
};

static const struct multiplier {
    const char *op;
    enum product product;
    int weight; /* its input */
} multipliers[] = {{"Conv", PER_OUTPUT, 1},       {"ConvInteger", PER_OUTPUT, 1}, {"ConvTranspose", PER_INPUT, 1},
                   {"DeformConv", PER_OUTPUT, 1}, {"GRU", RECURRENT, 1},          {"Gemm", PER_OUTPUT, 1},
                   {"LSTM", RECURRENT, 1},        {"MatMul", MATRIX, 1},          {"MatMulInteger", MATRIX, 1},
                   {"QGemm", PER_OUTPUT, 3},      {"QLinearConv", PER_OUTPUT, 3}, {"QLinearMatMul", MATRIX, 3},
                   {"RNN", RECURRENT, 1}};

static const struct multiplier *multiplier_of(const struct node *n) {
    for (size_t i = 0; i < sizeof multipliers / sizeof multipliers[0]; i++) {
        if (node_is(n, multipliers[i].op)) {
            return &multipliers[i];
        }
    }
    return NULL;
}

/* What the model calls its batch: the open first dimension of an input. NULL: nothing. */
static const char *batch_symbol(const struct graph *g) {
    while (g->parent != NULL) {
        g = g->parent;
    }
    for (int i = 0; i < g->input_count; i++) {
        const struct value *input = g->inputs[i];
        if (input->rank > 0 && input->dims[0].value < 0 && input->dims[0].symbol != NULL) {
            return input->dims[0].symbol;
        }
    }
    return NULL;
}

/* Of one sample: the batch is 1, wherever it stands. */
static bool sample_shape(const struct value *v, struct shape *out) {
    const char *batch = v->graph == NULL ? NULL : batch_symbol(v->graph);
    out->rank = v->rank;
    for (int i = 0; i < v->rank; i++) {
        const struct dim *d = &v->dims[i];
        bool is_batch = d->value < 0 && (i == 0 || (batch != NULL && d->symbol == batch));
        out->dim[i] = is_batch ? 1 : d->value;
    }
    return v->rank >= 0;
}

uint64_t elements_of(const struct value *v) {
    struct shape shape;
    size_t count;
    return v != NULL && sample_shape(v, &shape) && shape_count(&shape, &count) ? count : 0;
}

uint64_t parameters_of(const struct value *v) {
    return value_is_constant(v) && dtype_is_float(v->type) ? tensor_count(v->constant) : 0;
}

static const struct value *input_of(const struct node *n, int index) {
    return index < n->input_count ? n->inputs[index] : NULL;
}

/* Saturating: what is more is no number of multiplications. */
static uint64_t times(uint64_t a, uint64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : (uint64_t)product;
}

static uint64_t plus(uint64_t a, uint64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : (uint64_t)sum;
}

/* The axis of the weight that makes the outputs: the others lead to one of them. */
static int64_t output_rows(const struct node *n, const struct value *w) {
    bool dense = node_is(n, "Gemm") || node_is(n, "QGemm");
    int axis = dense && node_int(n, "transB") == 0 ? 1 : 0;
    return axis < w->rank ? w->dims[axis].value : 0;
}

static uint64_t recurrent_macs(const struct node *n, const struct value *x, const struct value *w) {
    struct shape shape;
    bool known = x->rank == 3 && sample_shape(x, &shape) && shape.dim[0] >= 0 && shape.dim[1] >= 0;
    uint64_t steps = known ? times((uint64_t)shape.dim[0], (uint64_t)shape.dim[1]) : 0;
    return times(steps, plus(elements_of(w), elements_of(input_of(n, 2))));
}

static uint64_t own_macs(const struct node *n, const struct multiplier *m) {
    const struct value *x = input_of(n, 0), *w = input_of(n, m->weight);
    if (x == NULL || w == NULL || w->rank < 1) {
        return 0;
    }
    if (m->product == RECURRENT) {
        return recurrent_macs(n, x, w);
    }
    int64_t rows = m->product == MATRIX ? (x->rank > 0 ? x->dims[x->rank - 1].value : 0) : output_rows(n, w);
    if (rows <= 0 || n->outputs[0] == NULL) {
        return 0;
    }
    if (m->product == MATRIX) {
        return times(elements_of(n->outputs[0]), (uint64_t)rows);
    }
    return times(elements_of(m->product == PER_INPUT ? x : n->outputs[0]), elements_of(w) / (uint64_t)rows);
}

/* ---- bodies ---- */

/* How often a body runs, as far as the model says it. */
static uint64_t passes_of(const struct node *n) {
    double trips = 0;
    if (node_is(n, "Loop") && n->input_count > 0 && n->inputs[0] != NULL && value_scalar(n->inputs[0], &trips)) {
        /* no number at all in a broken model; the largest number stands for no limit */
        return !(trips >= 0) ? 0 : trips >= 0x1p63 ? 1 : (uint64_t)trips;
    }
    int64_t scanned = node_is(n, "Scan") ? node_int(n, "num_scan_inputs") : 0;
    const struct value *first = scanned > 0 && scanned <= n->input_count ? n->inputs[n->input_count - scanned] : NULL;
    size_t count = 0;
    const int64_t *axes = node_ints(n, "scan_input_axes", &count);
    int64_t axis = count > 0 ? axes[0] : 0;
    axis += axis < 0 && first != NULL ? first->rank : 0;
    bool known = first != NULL && axis >= 0 && axis < first->rank && first->dims[axis].value >= 0;
    return known ? (uint64_t)first->dims[axis].value : 1;
}

static struct work work_of_graph(const struct graph *g) {
    struct work sum = {0};
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        struct work w = work_of(n);
        sum.macs = plus(sum.macs, w.macs);
        sum.parameters += w.parameters;
        sum.open = sum.open || w.open;
    }
    return sum;
}

/* Only one branch of an If runs: the one with more to do is counted. */
static void add_body(struct work *sum, const struct node *n, const struct graph *body) {
    struct work w = work_of_graph(body);
    if (node_is(n, "If")) {
        sum->macs = w.macs > sum->macs ? w.macs : sum->macs;
    } else {
        sum->macs = plus(sum->macs, times(w.macs, passes_of(n)));
    }
    sum->parameters += w.parameters;
    sum->open = sum->open || w.open;
}

struct work work_of(const struct node *n) {
    const struct multiplier *m = multiplier_of(n);
    struct work w = {.macs = m == NULL ? 0 : own_macs(n, m)};
    const struct value *output = n->output_count > 0 ? n->outputs[0] : NULL;
    w.open = m != NULL && w.macs == 0 && elements_of(output) == 0;
    for (int i = 0; i < n->input_count; i++) {
        w.parameters += parameters_of(n->inputs[i]);
    }
    for (int i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].type == ATTR_GRAPH) {
            add_body(&w, n, n->attrs[i].graph);
        }
    }
    return w;
}
