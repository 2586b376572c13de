#include "quant/lower.h"

#include "quant/codes.h"
#include "quant/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct lowering *l, void **array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) {
        return true;
    }
    uint32_t bigger = *capacity == 0 ? 64 : *capacity * 2;
    void *fresh = arena_array(l->program->arena, bigger, size);
    if (fresh == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(fresh, *array, count * size);
    }
    *array = fresh;
    *capacity = bigger;
    return true;
}

/* ---- values ---- */

static enum pare_status set_shape(struct lowering *l, const struct value *v, struct pare_value *pv) {
    struct shape shape;
    size_t count = 0;
    if (!value_shape(v, 1, &shape) || !shape_count(&shape, &count) || count > UINT32_MAX) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: its shape is not fixed for one sample", v->name);
    }
    if (count == 0) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: it has no elements; remove what computes it", v->name);
    }
    if (shape.rank > PARE_MAX_RANK) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: rank %d, at most %d in an integer program", v->name,
                    shape.rank, PARE_MAX_RANK);
    }
    pv->rank = (uint8_t)shape.rank;
    pv->count = (uint32_t)count;
    for (int i = 0; i < shape.rank; i++) {
        pv->dims[i] = (uint32_t)shape.dim[i];
    }
    return PARE_OK;
}

static void set_format(struct pare_value *pv, const struct format *f) {
    if (f == NULL) {
        pv->storage = PARE_F32;
        return;
    }
    bool wide = f->bits > 8;
    pv->storage = f->is_signed ? (wide ? PARE_I16 : PARE_I8) : (wide ? PARE_U16 : PARE_U8);
    pv->bits = (uint8_t)f->bits;
    pv->is_signed = f->is_signed;
    pv->frac = (int16_t)f->frac;
}

static enum pare_status constant_codes(struct lowering *l, const struct value *v, struct pare_value *pv) {
    uint8_t *codes = arena_array(l->program->arena, pv->count, v->format->bits > 8 ? 2 : 1);
    if (codes == NULL) {
        return fail_memory(l->ctx);
    }
    for (size_t i = 0; i < pv->count; i++) {
        store_code(codes, i, v->format, quantize(tensor_get_double(v->constant, i), v->format, 0));
    }
    pv->constant = codes;
    return PARE_OK;
}

static enum pare_status append_value(struct lowering *l, const struct pare_value *v, const char *name,
                                     uint32_t *index) {
    struct program *p = l->program;
    uint32_t names = l->value_capacity;
    if (!reserve(l, (void **)&p->values, p->value_count, &l->value_capacity, sizeof(*p->values)) ||
        !reserve(l, (void **)&p->value_names, p->value_count, &names, sizeof(*p->value_names))) {
        return fail_memory(l->ctx);
    }
    p->values[p->value_count] = *v;
    p->value_names[p->value_count] = name;
    *index = p->value_count++;
    return PARE_OK;
}

static enum pare_status add_value(struct lowering *l, const struct value *v, uint32_t *index) {
    struct pare_value built = {0};
    TRY(set_shape(l, v, &built));
    if (value_is_constant(v) && v->format == NULL) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: a constant where a computed value is expected", v->name);
    }
    if (value_is_constant(v)) {
        set_format(&built, v->format);
        TRY(constant_codes(l, v, &built));
    } else {
        const struct point *point = scheme_point_of(l->scheme, v);
        set_format(&built, point == NULL ? NULL : &point->format);
    }
    return append_value(l, &built, v->name, index);
}

enum pare_status lower_value(struct lowering *l, const struct value *v, uint32_t *index) {
    uintptr_t known = (uintptr_t)map_get(&l->values, v);
    if (known != 0) {
        *index = (uint32_t)(known - 1);
        return PARE_OK;
    }
    TRY(add_value(l, v, index));
    return map_set(&l->values, v, (void *)(uintptr_t)(*index + 1)) ? PARE_OK : fail_memory(l->ctx);
}

enum pare_status lower_alias(struct lowering *l, const struct value *alias, const struct value *v) {
    uint32_t index = 0;
    TRY(lower_value(l, v, &index));
    return map_set(&l->values, alias, (void *)(uintptr_t)(index + 1)) ? PARE_OK : fail_memory(l->ctx);
}

enum pare_status lower_part(struct lowering *l, uint32_t like, uint32_t count, uint32_t *index) {
    struct pare_value part = l->program->values[like];
    part.rank = 1;
    part.dims[0] = count;
    part.count = count;
    const char *name =
        arena_format(l->program->arena, "%s_part_%u", l->program->value_names[like], l->program->value_count);
    return name == NULL ? fail_memory(l->ctx) : append_value(l, &part, name, index);
}

/* ---- operators ---- */

enum pare_status lower_append(struct lowering *l, const struct node *n, const struct pare_op *op,
                              struct pare_op **out) {
    struct program *p = l->program;
    uint32_t names = l->op_capacity, types = l->op_capacity;
    if (!reserve(l, (void **)&p->ops, p->op_count, &l->op_capacity, sizeof(*p->ops)) ||
        !reserve(l, (void **)&p->op_names, p->op_count, &names, sizeof(*p->op_names)) ||
        !reserve(l, (void **)&p->op_types, p->op_count, &types, sizeof(*p->op_types))) {
        return fail_memory(l->ctx);
    }
    p->op_names[p->op_count] = n->name;
    p->op_types[p->op_count] = n->origin == NULL ? n->op->name : n->origin->name;
    p->ops[p->op_count] = *op;
    *out = &p->ops[p->op_count++];
    return PARE_OK;
}

/* Saturation of the format, with the absorbed bounds rounded like any value. */
static void set_bounds(struct pare_op *op, const struct format *f, double low, double high) {
    op->low = quantize(low, f, 0);
    op->high = quantize(high, f, 0);
}

static enum pare_status set_output(struct lowering *l, const struct value *v, double low, double high,
                                   struct pare_op *op) {
    TRY(lower_value(l, v, &op->output));
    const struct point *point = scheme_point_of(l->scheme, v);
    if (point != NULL) {
        set_bounds(op, &point->format, low, high);
    }
    return PARE_OK;
}

static enum pare_status set_inputs(struct lowering *l, struct value *const *inputs, int count, struct pare_op *op) {
    if (count > PARE_MAX_INPUTS) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%d inputs, at most %d in one operator", count, PARE_MAX_INPUTS);
    }
    op->input_count = (uint8_t)count;
    for (int i = 0; i < count; i++) {
        TRY(lower_value(l, inputs[i], &op->inputs[i]));
    }
    return PARE_OK;
}

enum pare_status lower_draft(struct lowering *l, const struct node *n, enum pare_kind kind, struct pare_op *op) {
    double low = 0, high = 0;
    const struct value *result = rule_result(n, &low, &high);
    *op = (struct pare_op){.kind = (uint8_t)kind};
    return set_output(l, result, low, high, op);
}

enum pare_status lower_op(struct lowering *l, const struct node *n, enum pare_kind kind, struct value *const *inputs,
                          int input_count, struct pare_op **out) {
    struct pare_op op;
    TRY(lower_draft(l, n, kind, &op));
    TRY(set_inputs(l, inputs, input_count, &op));
    return lower_append(l, n, &op, out);
}

enum pare_status lower_op_to(struct lowering *l, const struct node *n, enum pare_kind kind, struct value *const *inputs,
                             int input_count, const struct value *output, struct pare_op **out) {
    struct pare_op op = {.kind = (uint8_t)kind};
    TRY(set_output(l, output, -INFINITY, INFINITY, &op));
    TRY(set_inputs(l, inputs, input_count, &op));
    return lower_append(l, n, &op, out);
}

enum pare_status lower_step(struct lowering *l, const struct host_step *step, uint32_t *index) {
    struct program *p = l->program;
    if (!reserve(l, (void **)&p->steps, p->step_count, &l->step_capacity, sizeof(*p->steps))) {
        return fail_memory(l->ctx);
    }
    p->steps[p->step_count] = *step;
    *index = p->step_count++;
    return PARE_OK;
}

/* ---- the end of the graph ---- */

bool lower_cuts(const struct op *op) {
    return op->id == OP_Softmax || op->id == OP_LogSoftmax || op->id == OP_ArgMax;
}

/* A final Softmax, LogSoftmax or ArgMax of one integer value is cut off. */
const struct node *lower_tail(const struct scheme *s, const struct value *graph_output) {
    const struct node *n = graph_output->producer;
    bool cuts = n != NULL && lower_cuts(n->op) && scheme_point_of(s, n->inputs[0]) != NULL &&
                value_single_user(n->inputs[0]) == n && graph_output->use_count == 1;
    return cuts ? n : NULL;
}

static bool is_cut(const struct scheme *s, const struct node *n) {
    return lower_cuts(n->op) && value_is_output(n->outputs[0]) && lower_tail(s, n->outputs[0]) == n;
}

static enum pare_status lower_outputs(struct lowering *l) {
    const struct graph *g = l->scheme->graph;
    struct program *p = l->program;
    p->outputs = ARENA_ARRAY(p->arena, (size_t)g->output_count, uint32_t);
    if (p->outputs == NULL) {
        return fail_memory(l->ctx);
    }
    for (int i = 0; i < g->output_count; i++) {
        const struct node *tail = lower_tail(l->scheme, g->outputs[i]);
        const struct value *v = tail == NULL ? g->outputs[i] : tail->inputs[0];
        if (map_get(&l->values, v) == NULL && !value_is_constant(v)) {
            return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: this output is not computed from the model's input",
                        v->name);
        }
        TRY(lower_value(l, v, &p->outputs[i]));
    }
    p->output_count = (uint32_t)g->output_count;
    return PARE_OK;
}

static enum pare_status lower_inputs(struct lowering *l) {
    const struct graph *g = l->scheme->graph;
    struct program *p = l->program;
    p->inputs = ARENA_ARRAY(p->arena, (size_t)g->input_count, uint32_t);
    if (p->inputs == NULL) {
        return fail_memory(l->ctx);
    }
    for (int i = 0; i < g->input_count; i++) {
        if (g->inputs[i]->type != DTYPE_FLOAT) {
            return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: an input of type %s; only float32 inputs can be quantised",
                        g->inputs[i]->name, dtype_name(g->inputs[i]->type));
        }
        TRY(lower_value(l, g->inputs[i], &p->inputs[i]));
    }
    p->input_count = (uint32_t)g->input_count;
    return PARE_OK;
}

/* ---- the whole ---- */

/* Values between float operators may have got points of their own, from an integer operator that reads them. */
static bool shares_point(const struct scheme *s, const struct node *n) {
    const struct point *point = scheme_point_of(s, n->inputs[0]);
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL && scheme_point_of(s, n->outputs[i]) != point) {
            return false;
        }
    }
    return point != NULL;
}

static bool moves_floats(const struct scheme *s, const struct node *n) {
    return rule_of(n)->format == RULE_KEEPS && !shares_point(s, n);
}

static enum pare_status lower_node(struct lowering *l, const struct node *n) {
    if (rule_is_absorbed(n) || rule_sum_of_conv(n) != NULL || is_cut(l->scheme, n)) {
        return PARE_OK;
    }
    const struct rule *r = rule_of(n);
    bool in_float = r->format == RULE_FLOAT || moves_floats(l->scheme, n);
    return in_float ? lower_host_step(l, n) : r->lower(l, n);
}

/* Why no rule applies. */
static const char *float_reason(struct arena *a, const struct node *n) {
    const struct rule *r = rules[n->op->id];
    if (n->inputs[0] != NULL && n->inputs[0]->type != DTYPE_FLOAT) {
        return arena_format(a, "%s of %s values", n->op->name, dtype_name(n->inputs[0]->type));
    }
    return r->needs == NULL ? arena_format(a, "%s has no integer rule", n->op->name)
                            : arena_format(a, "the integer rule of %s needs %s", n->op->name, r->needs);
}

enum fate lower_fate(struct arena *a, const struct scheme *s, const struct node *n, const char **why) {
    *why = NULL;
    if (n->input_count > 0 && n->inputs[0] != NULL && n->inputs[0]->type == DTYPE_NONE) {
        *why = "its input is not known";
        return FATE_UNKNOWN;
    }
    if (rule_is_absorbed(n)) {
        return FATE_BOUNDS;
    }
    if (rule_conv_of_sum(n) != NULL) {
        return FATE_ADDEND;
    }
    if (s != NULL && is_cut(s, n)) {
        return FATE_CUT;
    }
    if (n->input_count == 0 || rule_of(n)->format == RULE_FLOAT) {
        *why = float_reason(a, n);
        return FATE_FLOAT;
    }
    if (s != NULL && moves_floats(s, n)) {
        *why = arena_format(a, "%s moves values that stay in float", n->op->name);
        return FATE_FLOAT;
    }
    return FATE_INTEGER;
}

static enum pare_status lower_graph(struct lowering *l) {
    TRY(lower_inputs(l));
    for (const struct node *n = l->scheme->graph->first; n != NULL; n = n->next) {
        enum pare_status status = lower_node(l, n);
        if (status != PARE_OK) {
            return fail_at(l->ctx, "%s (%s)", n->name, n->op->name);
        }
    }
    return lower_outputs(l);
}

enum pare_status lower(struct context *ctx, const struct scheme *s, struct program **out) {
    *out = NULL;
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL) {
        return fail_memory(ctx);
    }
    arena_init(arena);
    struct program *p = ARENA_NEW(arena, struct program);
    struct lowering l = {.ctx = ctx, .scheme = s, .program = p};
    map_init(&l.values, arena);
    if (p != NULL) {
        p->arena = arena;
    }
    enum pare_status status = p == NULL ? fail_memory(ctx) : lower_graph(&l);
    if (status != PARE_OK) {
        arena_free(arena);
        free(arena);
        return status;
    }
    *out = p;
    return PARE_OK;
}

void program_free(struct program *p) {
    if (p != NULL) {
        struct arena *arena = p->arena; /* which holds the program itself */
        arena_free(arena);
        free(arena);
    }
}
