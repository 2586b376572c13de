/* The way from a model to a graph: values first, then nodes in the order of the file, then sorted, inferred and
 * checked. */
#include "onnx/import.h"

#include "onnx/convert.h"
#include "onnx/decode.h"

#include <string.h>

static bool is_default_domain(const char *domain) {
    return domain == NULL || domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
}

static enum pare_status read_opset(struct import *im, const Onnx__ModelProto *model) {
    int64_t opset = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = model->opset_import[i];
        if (!is_default_domain(o->domain)) {
            continue;
        }
        if (opset != 0 && o->version != opset) {
            return fail(im->ctx, PARE_ERROR_INPUT, "opset %lld and %lld of the same domain; export the model again",
                        (long long)opset, (long long)o->version);
        }
        opset = o->version;
    }
    if (opset < OPSET_MIN || opset > OPSET_MAX) {
        return fail(im->ctx, PARE_ERROR_UNSUPPORTED,
                    "opset %lld; pare reads %d to %d: export for one of these, or use onnx.version_converter",
                    (long long)opset, OPSET_MIN, OPSET_MAX);
    }
    im->opset = (int)opset;
    return PARE_OK;
}

/* ---- what is missing ---- */

/* The name of a node: its own, or that of what it gives. */
static const char *name_of(const Onnx__NodeProto *n) {
    if (n->name != NULL && n->name[0] != '\0') {
        return n->name;
    }
    for (size_t i = 0; i < n->n_output; i++) {
        if (n->output[i][0] != '\0') {
            return n->output[i];
        }
    }
    return n->op_type == NULL ? "?" : n->op_type;
}

static bool is_constant(const Onnx__NodeProto *n) {
    return is_default_domain(n->domain) && n->op_type != NULL && strcmp(n->op_type, "Constant") == 0;
}

static bool is_known(const struct import *im, const Onnx__NodeProto *n) {
    return is_default_domain(n->domain) && n->op_type != NULL && convert_knows(n->op_type, im->opset);
}

static enum pare_status find_missing(struct import *im, const Onnx__GraphProto *g);

static enum pare_status find_missing_inside(struct import *im, const Onnx__NodeProto *n) {
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->attribute[i];
        TRY(a->g == NULL ? PARE_OK : find_missing(im, a->g));
        for (size_t j = 0; j < a->n_graphs; j++) {
            TRY(find_missing(im, a->graphs[j]));
        }
    }
    return PARE_OK;
}

static enum pare_status find_missing(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        if (!is_known(im, n) && !is_constant(n)) {
            bool standard = is_default_domain(n->domain);
            TRY(missing_add(im->ctx, &im->missing, name_of(n), "%.64s%s%.64s", standard ? "" : n->domain,
                            standard ? "" : ".", n->op_type == NULL ? "an operator without name" : n->op_type));
        }
        TRY(find_missing_inside(im, n));
    }
    return PARE_OK;
}

/* ---- values ---- */

static enum pare_status check_name(struct import *im, const char *name, const char *what) {
    if (name == NULL || name[0] == '\0') {
        return fail(im->ctx, PARE_ERROR_INPUT, "%s without a name", what);
    }
    if (graph_find(im->graph, name) != NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "`%.128s` is defined twice; names must be unique", name);
    }
    return PARE_OK;
}

/* A tensor as a constant called `name`; where pare does not hold its type, a value without content stands in. */
static enum pare_status add_constant(struct import *im, const char *name, const Onnx__TensorProto *proto) {
    struct tensor t;
    struct value *v = NULL;
    TRY(check_name(im, name, "a constant"));
    if (onnx_held_type(proto->data_type) == DTYPE_NONE || proto->n_dims > TENSOR_MAX_RANK) {
        TRY(missing_add(im->ctx, &im->missing, name, "tensors of type %s and rank %zu",
                        onnx_type_name(proto->data_type), proto->n_dims));
        return graph_add_value(im->ctx, im->graph, name, NULL, &v);
    }
    enum pare_status status = onnx_decode_tensor(im->ctx, im->graph->arena, &im->external, proto, &t);
    if (status != PARE_OK) {
        return proto->name != NULL && proto->name[0] != '\0' ? status : fail_at(im->ctx, "constant `%.128s`", name);
    }
    return graph_add_constant(im->ctx, im->graph, name, &t, &v);
}

static enum pare_status add_initializers(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_initializer; i++) {
        TRY(add_constant(im, g->initializer[i]->name, g->initializer[i]));
    }
    for (size_t i = 0; i < g->n_sparse_initializer; i++) {
        const Onnx__TensorProto *t = g->sparse_initializer[i]->values;
        TRY(missing_add(im->ctx, &im->missing, t == NULL || t->name == NULL ? "?" : t->name, "sparse initializers"));
    }
    return PARE_OK;
}

static enum pare_status add_inputs(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__ValueInfoProto *input = g->input[i];
        struct value *v = input->name == NULL ? NULL : graph_find(im->graph, input->name);
        if (v != NULL && !v->is_input) {
            continue; /* its initializer makes it a constant */
        }
        TRY(check_name(im, input->name, "an input"));
        TRY(graph_add_value(im->ctx, im->graph, input->name, NULL, &v));
        TRY(import_type(im, input, v));
        TRY(graph_add_input(im->ctx, im->graph, v));
    }
    return PARE_OK;
}

/* The value_* forms of a Constant node as a tensor; those of strings get a type that is not held. `dim` must live as
 * long as `out`. */
static void constant_tensor(const Onnx__AttributeProto *a, int64_t *dim, Onnx__TensorProto *out) {
    out->dims = dim;
    if (strcmp(a->name, "value_float") == 0 || strcmp(a->name, "value_floats") == 0) {
        bool list = a->name[11] != '\0';
        out->data_type = DTYPE_FLOAT;
        out->n_dims = list;
        out->n_float_data = list ? a->n_floats : 1;
        out->float_data = list ? a->floats : (float *)&a->f;
        *dim = (int64_t)a->n_floats;
    } else if (strcmp(a->name, "value_int") == 0 || strcmp(a->name, "value_ints") == 0) {
        bool list = a->name[9] != '\0';
        out->data_type = DTYPE_INT64;
        out->n_dims = list;
        out->n_int64_data = list ? a->n_ints : 1;
        out->int64_data = list ? a->ints : (int64_t *)&a->i;
        *dim = (int64_t)a->n_ints;
    } else {
        out->data_type = DTYPE_STRING;
    }
}

static enum pare_status add_constant_node(struct import *im, const Onnx__NodeProto *n) {
    if (n->n_output != 1 || n->n_attribute != 1 || n->attribute[0]->name == NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "%.128s (Constant): one output and one attribute are expected",
                    name_of(n));
    }
    const Onnx__AttributeProto *a = n->attribute[0];
    if (strcmp(a->name, "value") == 0 && a->t != NULL) {
        return add_constant(im, n->output[0], a->t);
    }
    if (strcmp(a->name, "sparse_value") == 0) {
        struct value *v = NULL;
        TRY(check_name(im, n->output[0], "an output of a Constant node"));
        TRY(missing_add(im->ctx, &im->missing, name_of(n), "sparse constants"));
        return graph_add_value(im->ctx, im->graph, n->output[0], NULL, &v);
    }
    int64_t dim = 0;
    Onnx__TensorProto t;
    onnx__tensor_proto__init(&t);
    constant_tensor(a, &dim, &t);
    return add_constant(im, n->output[0], &t);
}

static enum pare_status add_node_values(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        if (is_constant(n)) {
            TRY(add_constant_node(im, n));
            continue;
        }
        for (size_t j = 0; j < n->n_output; j++) {
            struct value *v = NULL;
            if (n->output[j][0] != '\0') {
                TRY(check_name(im, n->output[j], "an output of a node"));
                TRY(graph_add_value(im->ctx, im->graph, n->output[j], NULL, &v));
            }
        }
    }
    return PARE_OK;
}

/* ---- nodes ---- */

static enum pare_status add_nodes(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_node; i++) {
        struct draft d;
        if (!is_known(im, g->node[i])) {
            continue; /* a Constant, or in the list of what is missing */
        }
        TRY(draft_begin(im, g->node[i], name_of(g->node[i]), &d));
        TRY(convert_node(&d));
    }
    return PARE_OK;
}

static enum pare_status add_outputs(struct import *im, const Onnx__GraphProto *g) {
    if (g->n_output == 0) {
        return fail(im->ctx, PARE_ERROR_INPUT, "the graph has no output");
    }
    for (size_t i = 0; i < g->n_output; i++) {
        const char *name = g->output[i]->name;
        struct value *v = name == NULL ? NULL : graph_find(im->graph, name);
        if (v == NULL) {
            return fail(im->ctx, PARE_ERROR_INPUT, "output `%.128s` is given by no node", name == NULL ? "" : name);
        }
        TRY(graph_add_output(im->ctx, im->graph, v));
    }
    return PARE_OK;
}

static enum pare_status check_dropped(struct import *im) {
    for (const struct dropped *d = im->dropped; d != NULL; d = d->next) {
        if (d->value->use_count > 0) {
            TRY(missing_add(im->ctx, &im->missing, d->node, "%s", d->what));
        }
    }
    return PARE_OK;
}

static enum pare_status add_metadata(struct import *im, const Onnx__ModelProto *model) {
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key != NULL && entry->key[0] != '\0') {
            const char *text = entry->value == NULL ? "" : entry->value;
            TRY(graph_set_metadata(im->ctx, im->graph, entry->key, text));
        }
    }
    return PARE_OK;
}

static enum pare_status build(struct import *im, const Onnx__GraphProto *g) {
    TRY(add_initializers(im, g));
    TRY(add_inputs(im, g));
    TRY(add_node_values(im, g));
    TRY(add_nodes(im, g));
    TRY(add_outputs(im, g));
    return check_dropped(im);
}

enum pare_status import_model(struct import *im, const Onnx__ModelProto *model) {
    if (model->graph == NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "holds no graph; is it an ONNX model?");
    }
    TRY(read_opset(im, model));
    const char *name = model->graph->name;
    TRY(graph_new(im->ctx, name == NULL || name[0] == '\0' ? "graph" : name, &im->graph));
    TRY(find_missing(im, model->graph));
    enum pare_status status = build(im, model->graph);
    /* What pare lacks is told all at once, before defects that only this import may see. */
    if (im->missing.count > 0 && (status == PARE_OK || status == PARE_ERROR_INPUT)) {
        context_clear(im->ctx);
        return missing_report(im->ctx, &im->missing);
    }
    TRY(status);
    TRY(add_metadata(im, model));
    TRY(import_formats(im, model->graph));
    return import_finish(im, model->graph);
}
