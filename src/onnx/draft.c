#include "onnx/draft.h"

#include "graph/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for inputs that converters add: Resize has the longest list. */
#define SPARE_INPUTS 5
#define ATTRIBUTES_MAX 64

enum pare_status draft_fail(const struct draft *d, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fail(d->im->ctx, PARE_ERROR_INPUT, "%.128s (%s): %s", d->name, d->op_type, text);
}

/* ---- reading ---- */

static enum pare_status read_inputs(struct draft *d, const Onnx__NodeProto *proto) {
    d->input_count = (int)proto->n_input;
    d->input_capacity = d->input_count + SPARE_INPUTS;
    d->inputs = ARENA_ARRAY(d->im->scratch, (size_t)d->input_capacity, struct value *);
    if (d->inputs == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (int i = 0; i < d->input_count; i++) {
        const char *name = proto->input[i];
        if (name[0] != '\0' && (d->inputs[i] = import_find(d->im, name)) == NULL) {
            return draft_fail(d, "its input `%.128s` is given by no node, input or initializer", name);
        }
    }
    return PARE_OK;
}

static enum pare_status read_outputs(struct draft *d, const Onnx__NodeProto *proto) {
    d->output_count = (int)proto->n_output;
    d->outputs = ARENA_ARRAY(d->im->scratch, proto->n_output, struct value *);
    if (d->outputs == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (int i = 0; i < d->output_count; i++) {
        d->outputs[i] = proto->output[i][0] == '\0' ? NULL : graph_find(d->im->graph, proto->output[i]);
    }
    return PARE_OK;
}

static enum pare_status read_attributes(struct draft *d, const Onnx__NodeProto *proto) {
    d->attrs = ARENA_ARRAY(d->im->scratch, proto->n_attribute, struct attr);
    if (d->attrs == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (size_t i = 0; i < proto->n_attribute; i++) {
        bool known = true;
        struct attr *a = &d->attrs[d->attr_count];
        if (import_attribute(d->im, d->name, proto->attribute[i], a, &known) != PARE_OK) {
            return fail_at(d->im->ctx, "%.128s (%s)", d->name, d->op_type);
        }
        for (int j = 0; j < d->attr_count; j++) {
            if (strcmp(d->attrs[j].name, a->name) == 0) {
                return draft_fail(d, "attribute `%.64s` is given twice", a->name);
            }
        }
        d->attr_count += known;
    }
    return PARE_OK;
}

static const struct op *read_origin(const Onnx__NodeProto *proto) {
    for (size_t i = 0; i < proto->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];
        if (entry->key != NULL && entry->value != NULL && strcmp(entry->key, ONNX_ORIGIN_KEY) == 0) {
            return op_find(entry->value);
        }
    }
    return NULL;
}

enum pare_status draft_begin(struct import *im, const Onnx__NodeProto *proto, const char *name, struct draft *out) {
    *out = (struct draft){.im = im, .op_type = proto->op_type, .name = name, .origin = read_origin(proto)};
    if (proto->n_input > OP_VARIADIC || proto->n_output > OP_VARIADIC || proto->n_attribute > ATTRIBUTES_MAX) {
        return draft_fail(out, "more than %d inputs or outputs, or more than %d attributes", OP_VARIADIC,
                          ATTRIBUTES_MAX);
    }
    TRY(read_inputs(out, proto));
    TRY(read_outputs(out, proto));
    return read_attributes(out, proto);
}

/* ---- edits ---- */

struct value *draft_input(const struct draft *d, int index) {
    return index < d->input_count ? d->inputs[index] : NULL;
}

enum pare_status draft_set_input(struct draft *d, int index, struct value *v) {
    if (index >= d->input_capacity) {
        return fail(d->im->ctx, PARE_ERROR_INTERNAL, "%s: no room for input %d", d->name, index);
    }
    while (d->input_count <= index) {
        d->inputs[d->input_count++] = NULL;
    }
    d->inputs[index] = v;
    return PARE_OK;
}

static enum pare_status set_constant(struct draft *d, int index, const char *what, const struct tensor *t) {
    struct value *v = NULL;
    const char *name = arena_format(d->im->scratch, "%s_%s", d->name, what);
    if (name == NULL) {
        return fail_memory(d->im->ctx);
    }
    TRY(graph_add_constant(d->im->ctx, d->im->graph, name, t, &v));
    return draft_set_input(d, index, v);
}

static enum pare_status set_list(struct draft *d, int index, const char *what, enum dtype type, int rank,
                                 const void *values, size_t count) {
    struct tensor t;
    struct shape shape = {.rank = rank, .dim = {(int64_t)count}};
    TRY(tensor_new(d->im->ctx, d->im->graph->arena, type, &shape, &t));
    if (count > 0) {
        memcpy(t.data, values, count * dtype_size(type));
    }
    return set_constant(d, index, what, &t);
}

enum pare_status draft_set_ints(struct draft *d, int index, const char *what, const int64_t *values, size_t count) {
    return set_list(d, index, what, DTYPE_INT64, 1, values, count);
}

enum pare_status draft_set_int(struct draft *d, int index, const char *what, int64_t value) {
    return set_list(d, index, what, DTYPE_INT64, 0, &value, 1);
}

enum pare_status draft_set_floats(struct draft *d, int index, const char *what, const float *values, int rank,
                                  size_t count) {
    return set_list(d, index, what, DTYPE_FLOAT, rank, values, count);
}

enum pare_status draft_set_attr(struct draft *d, struct attr a) {
    for (int i = 0; i < d->attr_count; i++) {
        if (strcmp(d->attrs[i].name, a.name) == 0) {
            d->attrs[i] = a;
            return PARE_OK;
        }
    }
    struct attr *grown = ARENA_ARRAY(d->im->scratch, (size_t)d->attr_count + 1, struct attr);
    if (grown == NULL) {
        return fail_memory(d->im->ctx);
    }
    memcpy(grown, d->attrs, (size_t)d->attr_count * sizeof *grown);
    grown[d->attr_count++] = a;
    d->attrs = grown;
    return PARE_OK;
}

enum pare_status draft_set_attr_int(struct draft *d, const char *name, int64_t value) {
    return draft_set_attr(d, (struct attr){.name = name, .type = ATTR_INT, .i = value});
}

enum pare_status draft_set_attr_string(struct draft *d, const char *name, const char *value) {
    return draft_set_attr(d, (struct attr){.name = name, .type = ATTR_STRING, .s = value});
}

enum pare_status draft_take(struct draft *d, const char *name, enum attr_type type, const struct attr **out) {
    *out = NULL;
    for (int i = 0; i < d->attr_count; i++) {
        if (strcmp(d->attrs[i].name, name) != 0) {
            continue;
        }
        struct attr *kept = ARENA_NEW(d->im->scratch, struct attr);
        if (kept == NULL) {
            return fail_memory(d->im->ctx);
        }
        *kept = d->attrs[i];
        d->attr_count--;
        memmove(&d->attrs[i], &d->attrs[i + 1], (size_t)(d->attr_count - i) * sizeof *d->attrs);
        *out = kept;
        return kept->type == type ? PARE_OK : draft_fail(d, "attribute `%s` has the wrong type", name);
    }
    return PARE_OK;
}

enum pare_status draft_take_int(struct draft *d, const char *name, int64_t missing, int64_t *out) {
    const struct attr *a = NULL;
    TRY(draft_take(d, name, ATTR_INT, &a));
    *out = a == NULL ? missing : a->i;
    return PARE_OK;
}

/* ---- emitting ---- */

static enum pare_status check_inputs(struct draft *d, const struct op *op) {
    while (d->input_count > op->in_min && d->inputs[d->input_count - 1] == NULL) {
        d->input_count--;
    }
    if (d->input_count < op->in_min || d->input_count > op->in_max) {
        return draft_fail(d, "%d inputs, expected %d to %d", d->input_count, op->in_min, op->in_max);
    }
    int required = op->in_max == OP_VARIADIC ? d->input_count : op->in_min;
    for (int i = 0; i < required; i++) {
        if (d->inputs[i] == NULL) {
            return draft_fail(d, "input %d must not be omitted", i + 1);
        }
    }
    return PARE_OK;
}

static enum pare_status drop_output(struct draft *d, int index) {
    struct dropped *dropped = ARENA_NEW(d->im->scratch, struct dropped);
    if (dropped == NULL) {
        return fail_memory(d->im->ctx);
    }
    dropped->value = d->outputs[index];
    dropped->node = d->name;
    dropped->what = arena_format(d->im->scratch, "output %d of %s", index + 1, d->op_type);
    dropped->next = d->im->dropped;
    d->im->dropped = dropped;
    return dropped->what == NULL ? fail_memory(d->im->ctx) : PARE_OK;
}

static enum pare_status check_outputs(struct draft *d, const struct op *op) {
    while (d->output_count > op->out_max) {
        if (d->outputs[--d->output_count] != NULL) {
            TRY(drop_output(d, d->output_count));
        }
    }
    while (d->output_count > op->out_min && d->outputs[d->output_count - 1] == NULL) {
        d->output_count--;
    }
    for (int i = 0; i < op->out_min; i++) {
        if (i >= d->output_count || d->outputs[i] == NULL) {
            return draft_fail(d, "output %d must not be omitted", i + 1);
        }
    }
    return PARE_OK;
}

static enum pare_status emit_attributes(struct draft *d, const struct op *op, struct node *n) {
    for (int i = 0; i < d->attr_count; i++) {
        const struct attr *a = &d->attrs[i];
        struct op_attr row;
        if (!op_attr_find(op, a->name, &row)) {
            TRY(missing_attribute(d->im->ctx, &d->im->missing, d->name, a->name, d->op_type));
        } else if (row.type != a->type) {
            return draft_fail(d, "attribute `%s` has the wrong type", a->name);
        } else if (a->type == ATTR_GRAPH) {
            TRY(node_set_subgraph(d->im->ctx, n, a->name, a->graph));
        } else {
            TRY(node_set_attr(d->im->ctx, n, a));
        }
    }
    return PARE_OK;
}

enum pare_status draft_emit(struct draft *d) {
    const struct op *op = op_find(d->op_type);
    struct node *n = NULL;
    if (op == NULL) {
        return fail(d->im->ctx, PARE_ERROR_INTERNAL, "%s: %s was accepted and is not in the table", d->name,
                    d->op_type);
    }
    TRY(check_inputs(d, op));
    TRY(check_outputs(d, op));
    TRY(graph_add_node(d->im->ctx, d->im->graph, op, d->name, d->inputs, d->input_count, d->outputs, d->output_count,
                       NULL, &n));
    n->origin = d->origin == NULL ? op : d->origin;
    if (d->emitted != NULL) {
        *d->emitted = n;
    }
    return emit_attributes(d, op, n);
}

enum pare_status draft_put(struct draft *d, const char *op_type, struct value *const *inputs, int count,
                           const struct attr *attrs, int attr_count, struct value **out) {
    struct draft node = {.im = d->im, .op_type = op_type, .outputs = out, .output_count = 1};
    node.name = arena_format(d->im->scratch, "%s_%s", d->name, op_type);
    node.inputs = ARENA_ARRAY(d->im->scratch, (size_t)count, struct value *);
    node.attrs = ARENA_ARRAY(d->im->scratch, (size_t)attr_count, struct attr);
    if (node.name == NULL || node.inputs == NULL || node.attrs == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (int i = 0; i < count; i++) {
        node.inputs[i] = inputs[i];
    }
    if (attr_count > 0) {
        memcpy(node.attrs, attrs, (size_t)attr_count * sizeof *attrs);
    }
    node.input_count = node.input_capacity = count;
    node.attr_count = attr_count;
    TRY(graph_add_value(d->im->ctx, d->im->graph, NULL, node.name, out));
    return draft_emit(&node);
}
