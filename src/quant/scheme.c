#include "quant/scheme.h"

#include "quant/codes.h"
#include "quant/rules.h"

#include <math.h>
#include <stdlib.h>

#define OPERAND_BITS 8
#define FINEST_SUM (2 * FRAC_LIMIT) /* no limit */
#define ADDEND_FRAC_MAX 30          /* an epsilon that no activation can resolve must still be aligned exactly */

/* What is known of a value while the graph is walked. */
struct value_state {
    struct point *point; /* NULL: float, or inside a fused step */
    bool nonnegative;
};

struct value_table {
    struct map map;
};

struct builder {
    struct context *ctx;
    struct scheme *s;
    struct map linears; /* node -> linear */
};

static struct value_state *state_of(struct builder *b, const struct value *v) {
    struct value_state *state = map_get(&b->s->owners->map, v);
    if (state == NULL) {
        state = ARENA_NEW(&b->s->arena, struct value_state);
        if (state == NULL || !map_set(&b->s->owners->map, v, state)) {
            return NULL;
        }
    }
    return state;
}

struct point *scheme_point_of(const struct scheme *s, const struct value *v) {
    const struct value_state *state = map_get(&s->owners->map, v);
    return state == NULL ? NULL : state->point;
}

struct linear *scheme_linear_of(const struct scheme *s, const struct node *n) {
    for (size_t i = 0; i < s->linear_count; i++) {
        if (s->linears[i].node == n) {
            return &s->linears[i];
        }
    }
    return NULL;
}

static enum pare_status count_per_sample(struct context *ctx, const struct value *v, uint64_t *count) {
    struct shape shape;
    size_t n = 0;
    if (!value_shape(v, 1, &shape) || !shape_count(&shape, &n)) {
        return fail(
            ctx, PARE_ERROR_UNSUPPORTED,
            "%s: its shape is not fixed for one sample; give the input's (--input-shape), or cut the model before it",
            v->name);
    }
    *count = n;
    return PARE_OK;
}

static enum pare_status add_point(struct builder *b, struct value *v, struct node *n, struct point **out) {
    struct value_state *state = state_of(b, v);
    if (state == NULL) {
        return fail_memory(b->ctx);
    }
    if (state->point == NULL) {
        struct point *p = &b->s->points[b->s->point_count];
        *p = (struct point){.value = v, .node = n, .is_signed = !state->nonnegative};
        TRY(count_per_sample(b->ctx, v, &p->count));
        b->s->point_count++;
        state->point = p;
    }
    if (out != NULL) {
        *out = state->point;
    }
    return PARE_OK;
}

/* ---- signs ---- */

static bool inputs_nonnegative(struct builder *b, const struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        const struct value *v = n->inputs[i];
        if (v == NULL) {
            continue;
        }
        if (value_is_constant(v)) {
            for (size_t k = 0; k < tensor_count(v->constant); k++) {
                if (!(tensor_get_double(v->constant, k) >= 0)) {
                    return false;
                }
            }
        } else {
            const struct value_state *state = map_get(&b->s->owners->map, v);
            if (state == NULL || !state->nonnegative) {
                return false;
            }
        }
    }
    return true;
}

static bool first_input_nonnegative(struct builder *b, const struct node *n) {
    const struct value_state *state = map_get(&b->s->owners->map, n->inputs[0]);
    return state != NULL && state->nonnegative;
}

static bool result_nonnegative(struct builder *b, const struct node *n) {
    switch (n->op->id) {
    case OP_Relu:
    case OP_Sigmoid:
    case OP_HardSigmoid:
    case OP_Softplus:
    case OP_Softmax:
        return true;
    case OP_Add:
    case OP_Mul:
    case OP_Div:
    case OP_Concat:
        return inputs_nonnegative(b, n);
    case OP_Sub:
        return false;
    case OP_Clip: {
        double low = 0;
        return (n->input_count > 1 && n->inputs[1] != NULL && value_scalar(n->inputs[1], &low) && low >= 0) ||
               first_input_nonnegative(b, n);
    }
    case OP_AveragePool:
    case OP_GlobalAveragePool:
    case OP_ReduceMean:
        return first_input_nonnegative(b, n);
    default:
        return rule_of(n)->format == RULE_KEEPS && first_input_nonnegative(b, n);
    }
}

/* ---- linear operators ---- */

static struct value *linear_bias(const struct node *n) {
    return n->op->id != OP_MatMul && n->op->id != OP_PRelu && n->input_count > 2 ? n->inputs[2] : NULL;
}

static bool is_linear(const struct node *n) {
    switch (n->op->id) {
    case OP_Conv:
    case OP_ConvTranspose:
    case OP_Gemm:
    case OP_PRelu:
        return true;
    case OP_MatMul:
        return value_is_constant(n->inputs[1]);
    default:
        return false;
    }
}

static void linear_sizes(struct linear *l) {
    const struct shape *w = &l->weight->constant->shape;
    l->groups = 1;
    switch (l->node->op->id) {
    case OP_Conv:
        l->groups = (uint32_t)node_int(l->node, "group");
        l->rows = (uint32_t)w->dim[0];
        l->columns = (uint32_t)(tensor_count(l->weight->constant) / (size_t)w->dim[0]);
        break;
    case OP_ConvTranspose:
        l->groups = (uint32_t)node_int(l->node, "group");
        l->rows = (uint32_t)(w->dim[1] * l->groups);
        l->columns = (uint32_t)(tensor_count(l->weight->constant) / l->rows);
        break;
    case OP_Gemm:
        l->rows_first = node_int(l->node, "transB") != 0;
        l->rows = (uint32_t)w->dim[l->rows_first ? 0 : 1];
        l->columns = (uint32_t)w->dim[l->rows_first ? 1 : 0];
        break;
    case OP_MatMul:
        l->rows = (uint32_t)w->dim[1];
        l->columns = (uint32_t)w->dim[0];
        break;
    default: /* PRelu: one slope per row */
        l->rows = (uint32_t)tensor_count(l->weight->constant);
        l->columns = 1;
    }
}

size_t linear_source(const struct linear *l, uint32_t row, uint32_t column) {
    switch (l->node->op->id) {
    case OP_ConvTranspose: { /* [in_c][out_c / group][kernel] -> rows (group, out), columns (in within the group,
                                kernel) */
        const struct shape *w = &l->weight->constant->shape;
        uint32_t out_per_group = (uint32_t)w->dim[1], in_per_group = (uint32_t)w->dim[0] / l->groups;
        uint32_t kernel = l->columns / in_per_group;
        uint32_t g = row / out_per_group, in = g * in_per_group + column / kernel;
        return ((size_t)in * out_per_group + row % out_per_group) * kernel + column % kernel;
    }
    case OP_Gemm:
        return l->rows_first ? (size_t)row * l->columns + column : (size_t)column * l->rows + row;
    case OP_MatMul:
        return (size_t)column * l->rows + row;
    default:
        return (size_t)row * l->columns + column;
    }
}

static enum pare_status gather_floats(struct builder *b, struct linear *l) {
    float *rows = ARENA_ARRAY(&b->s->arena, (size_t)l->rows * l->columns, float);
    float *bias = ARENA_ARRAY(&b->s->arena, l->rows, float);
    if (rows == NULL || bias == NULL) {
        return fail_memory(b->ctx);
    }
    for (uint32_t r = 0; r < l->rows; r++) {
        for (uint32_t c = 0; c < l->columns; c++) {
            rows[(size_t)r * l->columns + c] = (float)tensor_get_double(l->weight->constant, linear_source(l, r, c));
        }
        if (l->bias != NULL) {
            size_t i = tensor_count(l->bias->constant) == 1 ? 0 : r;
            bias[r] = (float)tensor_get_double(l->bias->constant, i);
        }
    }
    l->rows_float = rows;
    l->bias_float = bias;
    return PARE_OK;
}

static uint64_t linear_macs(const struct linear *l, uint64_t inputs, uint64_t outputs) {
    uint64_t weights = (uint64_t)l->rows * l->columns;
    switch (l->node->op->id) {
    case OP_ConvTranspose: /* every input element meets every weight of its channel */
        return weights * (inputs / (uint64_t)l->weight->constant->shape.dim[0]);
    case OP_PRelu:
        return inputs;
    default:
        return weights * (outputs / l->rows);
    }
}

static enum pare_status add_linear(struct builder *b, struct node *n, struct value *result) {
    struct linear *l = &b->s->linears[b->s->linear_count];
    *l = (struct linear){
        .node = n, .weight = n->inputs[1], .bias = linear_bias(n), .input = n->inputs[0], .output = result};
    l->counted = n->op->id != OP_PRelu &&
                 (n->origin == n->op || node_is(n, "Gemm") || n->origin->id == OP_Conv || n->origin->id == OP_MatMul);
    const struct node *before = l->input->producer;
    l->zero_point = before != NULL && rule_of(before) == &rule_zero_point ? before : NULL;
    linear_sizes(l);
    TRY(gather_floats(b, l));
    l->in = scheme_point_of(b->s, l->input);
    l->out = scheme_point_of(b->s, result);
    l->sum = rule_sum_of_conv(n);
    l->addend = l->sum == NULL ? NULL : scheme_point_of(b->s, rule_addend(l->sum));
    l->finest_sum = FINEST_SUM;
    uint64_t inputs = 0, outputs = 0;
    TRY(count_per_sample(b->ctx, l->input, &inputs));
    TRY(count_per_sample(b->ctx, result, &outputs));
    l->macs = linear_macs(l, inputs, outputs);
    b->s->linear_count++;
    return PARE_OK;
}

/* ---- the walk ---- */

/* Inputs that come from float operators are rounded where an integer operator takes them; `sums` stay as they are. */
static enum pare_status round_inputs(struct builder *b, struct node *n, const struct value *sums) {
    for (int i = 0; i < n->input_count; i++) {
        struct value *v = n->inputs[i];
        if (v != NULL && v != sums && !value_is_constant(v) && v->type == DTYPE_FLOAT) {
            TRY(add_point(b, v, NULL, NULL));
        }
    }
    return PARE_OK;
}

static enum pare_status visit_keeps(struct builder *b, struct node *n) {
    TRY(rule_of(n) == &rule_zero_point ? round_inputs(b, n, NULL) : PARE_OK); /* its convolutions take codes */
    struct point *p = scheme_point_of(b->s, n->inputs[0]);
    bool nonnegative = result_nonnegative(b, n);
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] == NULL) {
            continue;
        }
        struct value_state *state = state_of(b, n->outputs[i]);
        if (state == NULL) {
            return fail_memory(b->ctx);
        }
        *state = (struct value_state){p, nonnegative};
    }
    return PARE_OK;
}

/* Whether the other operand is what a dense layer computes. */
static bool is_bias(const struct scheme *s, const struct node *sum, int operand) {
    const struct node *producer = sum->inputs[1 - operand] == NULL ? NULL : sum->inputs[1 - operand]->producer;
    const struct linear *l = producer == NULL ? NULL : scheme_linear_of(s, producer);
    return l != NULL && l->counted && l->bias == NULL && tensor_count(sum->inputs[operand]->constant) == l->rows;
}

static void count_operand(struct scheme *s, const struct node *n, int operand) {
    const struct value *v = n->inputs[operand];
    uint64_t bits = (uint64_t)v->format->bits * tensor_count(v->constant);
    bool is_sum = n->op->id == OP_Add || n->op->id == OP_Sub;
    s->operand_bits += bits;
    s->bias_bits += is_sum && is_bias(s, n, operand) ? bits : 0;
}

/* Constant operands get formats of their own, unless they came with one. */
static enum pare_status format_operands(struct builder *b, struct node *n) {
    bool is_sum = n->op->id == OP_Add || n->op->id == OP_Sub;
    if (!is_sum && n->op->id != OP_Mul && n->op->id != OP_Concat) {
        return PARE_OK;
    }
    for (int i = 0; i < n->input_count; i++) {
        struct value *v = n->inputs[i];
        if (value_is_constant(v) && v->format == NULL) {
            TRY(format_constant(b->ctx, &b->s->arena, v, OPERAND_BITS));
            v->format->frac = is_sum && v->format->frac > ADDEND_FRAC_MAX ? ADDEND_FRAC_MAX : v->format->frac;
            count_operand(b->s, n, i);
        }
    }
    return PARE_OK;
}

static enum pare_status visit_rounds(struct builder *b, struct node *n) {
    struct node *conv = rule_conv_of_sum(n), *linear = conv == NULL ? n : conv;
    TRY(conv == NULL ? PARE_OK : round_inputs(b, conv, NULL));
    TRY(round_inputs(b, n, conv == NULL ? NULL : conv->outputs[0]));
    TRY(format_operands(b, n));
    double low = 0, high = 0;
    struct value *result = rule_result(n, &low, &high);
    struct value_state *state = state_of(b, result);
    if (state == NULL) {
        return fail_memory(b->ctx);
    }
    state->nonnegative = low >= 0 || result_nonnegative(b, n);
    TRY(add_point(b, result, n, NULL));
    return is_linear(linear) ? add_linear(b, linear, result) : PARE_OK;
}

static enum pare_status visit(struct builder *b, struct node *n) {
    if (rule_is_absorbed(n) || rule_sum_of_conv(n) != NULL) {
        return PARE_OK;
    }
    const struct rule *r = rule_of(n);
    if (r->format == RULE_ROUNDS) {
        return visit_rounds(b, n);
    }
    if (r->format == RULE_KEEPS) {
        return visit_keeps(b, n);
    }
    struct value_state *state = n->outputs[0] == NULL ? NULL : state_of(b, n->outputs[0]);
    if (state != NULL) {
        state->nonnegative = result_nonnegative(b, n);
    }
    return PARE_OK;
}

static enum pare_status build(struct builder *b) {
    struct graph *g = b->s->graph;
    b->s->points = ARENA_ARRAY(&b->s->arena, (size_t)g->value_count + 1, struct point);
    b->s->linears = ARENA_ARRAY(&b->s->arena, (size_t)g->node_count + 1, struct linear);
    b->s->owners = ARENA_NEW(&b->s->arena, struct value_table);
    if (b->s->points == NULL || b->s->linears == NULL || b->s->owners == NULL) {
        return fail_memory(b->ctx);
    }
    map_init(&b->s->owners->map, &b->s->arena);
    for (int i = 0; i < g->input_count; i++) {
        if (g->inputs[i]->type == DTYPE_FLOAT) {
            TRY(add_point(b, g->inputs[i], NULL, NULL));
        }
    }
    for (struct node *n = g->first; n != NULL; n = n->next) {
        enum pare_status status = visit(b, n);
        if (status != PARE_OK) {
            return fail_at(b->ctx, "%s (%s)", n->name, n->op->name);
        }
    }
    return PARE_OK;
}

enum pare_status scheme_new(struct context *ctx, struct graph *g, struct scheme **out) {
    *out = NULL;
    struct scheme *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return fail_memory(ctx);
    }
    arena_init(&s->arena);
    s->graph = g;
    struct builder b = {.ctx = ctx, .s = s};
    enum pare_status status = build(&b);
    if (status != PARE_OK) {
        scheme_free(s);
        return status;
    }
    *out = s;
    return PARE_OK;
}

void scheme_clear_formats(struct graph *g) {
    for (int i = 0; i < g->value_count; i++) {
        g->values[i]->format = NULL;
    }
}

void scheme_withdraw(struct scheme *s) {
    if (s != NULL) {
        scheme_clear_formats(s->graph);
        scheme_free(s);
    }
}

void scheme_free(struct scheme *s) {
    if (s != NULL) {
        arena_free(&s->arena);
        free(s);
    }
}
