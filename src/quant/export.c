/* A scheme as ONNX: QuantizeLinear and DequantizeLinear behind every point, integer initializers. */
#include "quant/export.h"

#include "graph/op.h"
#include "quant/codes.h"
#include "quant/parameters.h"
#include "quant/rules.h"
#include "quant/scaling.h"

#include <math.h>
#include <string.h>

char *quantized_name(struct arena *a, const char *value_name) {
    return arena_format(a, "%s_quantized", value_name);
}

enum pare_status export_annotate(struct export *e, struct value *v, const struct format *f) {
    struct format *copy = ARENA_NEW(e->graph->arena, struct format);
    if (copy == NULL) {
        return fail_memory(e->ctx);
    }
    *copy = *f;
    if (f->channel_frac != NULL) {
        copy->channel_frac = ARENA_ARRAY(e->graph->arena, (size_t)f->channels, int);
        if (copy->channel_frac == NULL) {
            return fail_memory(e->ctx);
        }
        memcpy(copy->channel_frac, f->channel_frac, (size_t)f->channels * sizeof(int));
    }
    v->format = copy;
    return PARE_OK;
}

/* ---- nodes ---- */

/* A node `<name>_<operator>` with one new output, called `<name><suffix>`. */
static enum pare_status add_node(struct export *e, const char *operator, const char * name, const char *suffix,
                                 struct value *const *inputs, int input_count, struct node *before,
                                 struct value **out) {
    struct graph *g = e->graph;
    char *node_name = arena_format(g->arena, "%s_%s", name, operator),
         *result = arena_format(g->arena, "%s%s", name, suffix);
    if (node_name == NULL || result == NULL) {
        return fail_memory(e->ctx);
    }
    struct value *v = NULL;
    TRY(graph_add_value(e->ctx, g, result, NULL, &v));
    TRY(graph_add_node(e->ctx, g, op_find(operator), node_name, inputs, input_count, &v, 1, before, NULL));
    *out = v;
    return PARE_OK;
}

static enum pare_status add_scalar(struct export *e, const char *name, const char *suffix, enum dtype type, double x,
                                   struct value **out) {
    struct tensor t;
    char *full = arena_format(e->graph->arena, "%s%s", name, suffix);
    TRY(tensor_new(e->ctx, e->graph->arena, type, &(struct shape){.rank = 0}, &t));
    tensor_set_double(&t, 0, x);
    return full == NULL ? fail_memory(e->ctx) : graph_add_constant(e->ctx, e->graph, full, &t, out);
}

static enum pare_status add_dequantize(struct export *e, const char *name, struct value *const *inputs, int input_count,
                                       int axis, struct node *before, struct value **out) {
    TRY(add_node(e, "DequantizeLinear", name, "_dequantized", inputs, input_count, before, out));
    bool per_axis = inputs[1]->constant->shape.rank > 0;
    return per_axis ? node_set_int(e->ctx, (*out)->producer, "axis", axis) : PARE_OK;
}

enum pare_status export_integers(struct export *e, const struct integers *i, struct node *before, struct value **out) {
    struct value *inputs[2];
    char *name = quantized_name(e->graph->arena, i->name);
    if (name == NULL) {
        return fail_memory(e->ctx);
    }
    TRY(graph_add_constant(e->ctx, e->graph, name, &i->codes, &inputs[0]));
    TRY(export_annotate(e, inputs[0], &i->annotated));
    TRY(scaling_add_scale(e->ctx, e->graph, i->name, &i->stored, &inputs[1]));
    return add_dequantize(e, i->name, inputs, 2, i->stored.axis, before, out);
}

/* ---- points ---- */

static bool fills_type(const struct format *f, enum dtype type) {
    return f->bits == 8 * (int)dtype_size(type);
}

static enum pare_status add_clip(struct export *e, const char *name, const struct format *f, struct node *before,
                                 struct value **v) {
    struct value *inputs[3] = {*v, NULL, NULL};
    TRY(add_scalar(e, name, "_min", DTYPE_FLOAT, ldexp(format_min(f), -f->frac), &inputs[1]));
    TRY(add_scalar(e, name, "_max", DTYPE_FLOAT, ldexp(format_max(f), -f->frac), &inputs[2]));
    return add_node(e, "Clip", name, "_clipped", inputs, 3, before, v);
}

static bool moves_codes(const struct node *n) {
    return n != NULL && rules[n->op->id]->format == RULE_KEEPS && n->op->id != OP_Sub;
}

static bool is_beside_move(const struct value *v) {
    bool found = moves_codes(v->producer);
    for (int i = 0; i < v->use_count; i++) {
        found = found || moves_codes(v->uses[i].node);
    }
    return found;
}

/* ONNX Runtime (1.32) repeats a rounding behind nodes that only move its codes, turns int8 into uint8, and having done
 * both refuses its own graph. It leaves int16 alone. */
static enum dtype storage_of(const struct point *p) {
    enum dtype type = format_storage(&p->format);
    return type == DTYPE_INT8 && is_beside_move(p->value) ? DTYPE_INT16 : type;
}

/* [Clip ->] QuantizeLinear -> DequantizeLinear of `v`, the copy of the point's value; names begin with `name`. */
static enum pare_status add_rounding(struct export *e, const char *name, struct value *v, const struct point *p,
                                     struct value **out) {
    const struct format *f = &p->format;
    enum dtype type = storage_of(p);
    struct node *before = v->producer == NULL ? e->graph->first : v->producer->next;
    struct value *inputs[3] = {v, NULL, NULL};
    if (!fills_type(f, type)) {
        TRY(add_clip(e, name, f, before, &inputs[0]));
    }
    TRY(scaling_add_scale(e->ctx, e->graph, name, f, &inputs[1]));
    TRY(add_scalar(e, name, "_zero_point", type, 0, &inputs[2]));
    TRY(add_node(e, "QuantizeLinear", name, "_quantized", inputs, 3, before, &inputs[0]));
    TRY(export_annotate(e, inputs[0], f));
    return add_dequantize(e, name, inputs, 3, 0, before, out);
}

/* Nodes that read graph input `v`, other than the new ones in front of `result`, read `result`. */
static enum pare_status redirect_input(struct export *e, struct value *v, int first_new_use, struct value *result) {
    for (int i = first_new_use - 1; i >= 0; i--) {
        struct use use = v->uses[i];
        if (use.node != NULL) {
            TRY(node_set_input(e->ctx, use.node, use.index, result));
        }
    }
    return PARE_OK;
}

static enum pare_status export_input(struct export *e, struct value *v, const struct point *p) {
    struct value *result = NULL;
    int uses = v->use_count;
    TRY(add_rounding(e, v->name, v, p, &result));
    return redirect_input(e, v, uses, result);
}

/* The name stays with the value that everybody reads: the dequantised one. */
static enum pare_status export_computed(struct export *e, struct value *v, const struct point *p) {
    const char *name = v->name;
    struct value *before = NULL, *result = NULL;
    char *unrounded = arena_format(e->graph->arena, "%s_float", name);
    if (unrounded == NULL) {
        return fail_memory(e->ctx);
    }
    TRY(graph_add_value(e->ctx, e->graph, NULL, name, &before)); /* holds the readers' place */
    TRY(graph_replace(e->ctx, e->graph, v, before));
    TRY(value_rename(e->ctx, v, unrounded));
    TRY(add_rounding(e, name, v, p, &result));
    TRY(graph_replace(e->ctx, e->graph, before, result));
    graph_remove_value(e->graph, before);
    return value_rename(e->ctx, result, name);
}

static enum pare_status export_point(struct export *e, const struct point *p) {
    struct value *v = map_get(&e->copies, p->value);
    return v->is_input ? export_input(e, v, p) : export_computed(e, v, p);
}

/* ---- constant operands ---- */

static enum pare_status operand_integers(struct export *e, const struct value *v, struct integers *i) {
    *i = (struct integers){.name = v->name, .stored = *v->format, .annotated = *v->format};
    TRY(tensor_new(e->ctx, e->graph->arena, format_storage(v->format), &v->constant->shape, &i->codes));
    for (size_t k = 0; k < tensor_count(&i->codes); k++) {
        tensor_set_int(&i->codes, k, quantize(tensor_get_double(v->constant, k), v->format, 0));
    }
    return PARE_OK;
}

/* Whether the node computes with the codes of its constant operands. */
static bool takes_operands(const struct node *n) {
    bool has_operands = n->op->id == OP_Add || n->op->id == OP_Sub || n->op->id == OP_Mul || n->op->id == OP_Concat;
    return has_operands && rule_of(n)->format == RULE_ROUNDS;
}

/* Written once, however many nodes read it. */
static enum pare_status export_operand(struct export *e, const struct value *v, struct value **result) {
    struct integers integers;
    *result = map_get(&e->operands, v);
    if (*result != NULL) {
        return PARE_OK;
    }
    TRY(operand_integers(e, v, &integers));
    TRY(export_integers(e, &integers, e->graph->first, result));
    return map_set(&e->operands, v, *result) ? PARE_OK : fail_memory(e->ctx);
}

static enum pare_status export_operands(struct export *e, const struct node *n) {
    struct node *copy = map_get(&e->copies, n);
    for (int i = 0; takes_operands(n) && i < n->input_count; i++) {
        struct value *result = NULL;
        if (value_is_constant(n->inputs[i]) && n->inputs[i]->format != NULL) {
            TRY(export_operand(e, n->inputs[i], &result));
            TRY(node_set_input(e->ctx, copy, i, result));
        }
    }
    return PARE_OK;
}

/* ---- zero points ---- */

/* At the fraction of the input, as the convolutions behind subtract them. */
static enum pare_status export_zero_point(struct export *e, const struct node *n) {
    const struct value *p = n->inputs[1];
    struct node *copy = map_get(&e->copies, n);
    int frac = scheme_point_of(e->scheme, n->inputs[0])->format.frac;
    struct integers i = {.name = arena_format(&e->scratch, "%s_zero_point", n->name)};
    struct value *result = NULL;
    i.stored = i.annotated = (struct format){.bits = ZERO_POINT_BITS, .is_signed = true, .frac = frac};
    TRY(tensor_new(e->ctx, e->graph->arena, DTYPE_INT16, &p->constant->shape, &i.codes));
    for (size_t c = 0; c < tensor_count(&i.codes); c++) {
        tensor_set_int(&i.codes, c, zero_point_code(n, (int64_t)c, frac));
    }
    TRY(i.name == NULL ? fail_memory(e->ctx) : export_integers(e, &i, copy, &result));
    return node_set_input(e->ctx, copy, 1, result);
}

/* ---- the whole ---- */

static enum pare_status map_copies(struct export *e) {
    const struct graph *from = e->scheme->graph;
    map_init(&e->copies, &e->scratch);
    map_init(&e->operands, &e->scratch);
    for (int i = 0; i < from->value_count; i++) {
        if (!map_set(&e->copies, from->values[i], e->graph->values[i])) {
            return fail_memory(e->ctx);
        }
        e->graph->values[i]->format = NULL; /* only integers are annotated */
    }
    struct node *copy = e->graph->first;
    for (const struct node *n = from->first; n != NULL; n = n->next, copy = copy->next) {
        if (!map_set(&e->copies, n, copy)) {
            return fail_memory(e->ctx);
        }
    }
    return PARE_OK;
}

static enum pare_status rewrite(struct export *e) {
    const struct scheme *s = e->scheme;
    TRY(map_copies(e));
    for (size_t i = 0; i < s->linear_count; i++) {
        if (export_linear(e, &s->linears[i]) != PARE_OK) {
            return fail_at(e->ctx, "%s (%s)", s->linears[i].node->name, s->linears[i].node->op->name);
        }
    }
    for (const struct node *n = s->graph->first; n != NULL; n = n->next) {
        TRY(rule_of(n) == &rule_zero_point ? export_zero_point(e, n) : export_operands(e, n));
    }
    for (size_t i = 0; i < s->point_count; i++) {
        TRY(export_point(e, &s->points[i]));
    }
    graph_remove_unused_values(e->graph);
    return graph_infer(e->ctx, e->graph);
}

enum pare_status export_graph(struct context *ctx, const struct scheme *s, struct graph **out) {
    struct export e = {.ctx = ctx, .scheme = s};
    TRY(graph_clone(ctx, s->graph, true, &e.graph));
    arena_init(&e.scratch);
    enum pare_status status = rewrite(&e);
    arena_free(&e.scratch);
    if (status != PARE_OK) {
        graph_free(e.graph);
        return status;
    }
    *out = e.graph;
    return PARE_OK;
}
