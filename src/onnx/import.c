/* The way from a model to a graph: values first, then nodes in the order of the file, then sorted, inferred and
 * checked. */
#include "onnx/import.h"

#include "graph/op.h"
#include "onnx/convert.h"
#include "onnx/decode.h"
#include "onnx/functions.h"

#include <string.h>

bool import_is_default_domain(const char *domain) {
    return domain == NULL || domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
}

static enum pare_status read_opset(struct import *im, const Onnx__ModelProto *model) {
    int64_t opset = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = model->opset_import[i];
        if (!import_is_default_domain(o->domain)) {
            continue;
        }
        if (opset != 0 && o->version != opset) {
            return fail(im->ctx, PARE_ERROR_INPUT, "opset %lld and %lld of the same domain; export the model again",
                        (long long)opset, (long long)o->version);
        }
        opset = o->version;
    }
    opset = opset == 0 && model->n_opset_import > 0 ? OPSET_MAX : opset; /* only operators of other domains */
    im->opset = (int)(opset < OPSET_MIN ? OPSET_MIN : opset > OPSET_MAX ? OPSET_MAX : opset);
    return opset == im->opset
               ? PARE_OK
               : fail(im->ctx, PARE_ERROR_UNSUPPORTED,
                      "opset %lld; pare reads %d to %d: export for one of these, or use onnx.version_converter",
                      (long long)opset, OPSET_MIN, OPSET_MAX);
}

/* ---- what is missing ---- */

enum pare_status import_tolerate(struct import *im, enum pare_status status, enum finding_kind kind) {
    const struct finding what = {.kind = kind, .blocks = true};
    struct diag found = im->ctx->diag;
    if (!im->survey || (status != PARE_ERROR_INPUT && status != PARE_ERROR_UNSUPPORTED)) {
        return status;
    }
    context_clear(im->ctx);
    return findings_add(im->ctx, &im->missing, &what, NULL, "%s", found.message);
}

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
    return import_is_default_domain(n->domain) && n->op_type != NULL && strcmp(n->op_type, "Constant") == 0;
}

static bool is_known(const struct import *im, const Onnx__NodeProto *n) {
    return n->op_type != NULL && (import_is_default_domain(n->domain) ? convert_knows(n->op_type, im->opset)
                                                                      : convert_knows_contrib(n->domain, n->op_type));
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
            bool standard = import_is_default_domain(n->domain);
            const char *name = n->op_type == NULL ? "an operator without name" : n->op_type;
            name = standard ? name : arena_format(im->scratch, "%.64s.%.64s", n->domain, name);
            TRY(name == NULL ? fail_memory(im->ctx) : missing_operator(im->ctx, &im->missing, name_of(n), name));
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

/* In a survey, for a constant whose content is missing or broken. */
static enum pare_status add_without_content(struct import *im, const char *name, const Onnx__TensorProto *proto) {
    struct value *v = NULL;
    TRY(graph_add_value(im->ctx, im->graph, name, NULL, &v));
    v->type = onnx_held_type(proto->data_type);
    v->rank = (int)proto->n_dims;
    for (int i = 0; i < v->rank; i++) {
        v->dims[i].value = proto->dims[i] < 0 ? -1 : proto->dims[i];
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
    if (status == PARE_OK) {
        TRY(graph_add_constant(im->ctx, im->graph, name, &t, &v));
        return import_note_half(im, v, proto->data_type);
    }
    if (proto->name == NULL || proto->name[0] == '\0') {
        (void)fail_at(im->ctx, "constant `%.128s`", name);
    }
    TRY(import_tolerate(im, status, FINDING_WEIGHTS));
    return add_without_content(im, name, proto);
}

static enum pare_status add_initializers(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_initializer; i++) {
        TRY(import_tolerate(im, add_constant(im, g->initializer[i]->name, g->initializer[i]), FINDING_STRUCTURE));
    }
    for (size_t i = 0; i < g->n_sparse_initializer; i++) {
        const Onnx__TensorProto *t = g->sparse_initializer[i]->values;
        TRY(missing_add(im->ctx, &im->missing, t == NULL || t->name == NULL ? "?" : t->name, "sparse initializers"));
    }
    return PARE_OK;
}

static enum pare_status add_input(struct import *im, const Onnx__GraphProto *g, const Onnx__ValueInfoProto *input) {
    struct value *v = input->name == NULL ? NULL : graph_find(im->graph, input->name);
    if (v != NULL && !v->is_input) {
        return PARE_OK; /* its initializer makes it a constant */
    }
    TRY(check_name(im, input->name, "an input"));
    TRY(graph_add_value(im->ctx, im->graph, input->name, NULL, &v));
    TRY(import_type(im, g, input, v));
    TRY(v->type == DTYPE_FLOAT ? import_note_half(im, v, input->type->tensor_type->elem_type) : PARE_OK);
    return graph_add_input(im->ctx, im->graph, v);
}

static enum pare_status add_inputs(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_input; i++) {
        TRY(import_tolerate(im, add_input(im, g, g->input[i]), FINDING_STRUCTURE));
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

static enum pare_status add_outputs_of(struct import *im, const Onnx__NodeProto *n) {
    if (is_constant(n)) {
        return add_constant_node(im, n);
    }
    for (size_t i = 0; i < n->n_output; i++) {
        struct value *v = NULL;
        if (n->output[i][0] != '\0') {
            TRY(check_name(im, n->output[i], "an output of a node"));
            TRY(graph_add_value(im->ctx, im->graph, n->output[i], NULL, &v));
        }
    }
    return PARE_OK;
}

static enum pare_status add_node_values(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_node; i++) {
        TRY(import_tolerate(im, add_outputs_of(im, g->node[i]), FINDING_STRUCTURE));
    }
    return PARE_OK;
}

/* ---- nodes ---- */

static enum pare_status add_node(struct import *im, const Onnx__NodeProto *n) {
    struct draft d;
    if (!is_known(im, n)) {
        return PARE_OK; /* a Constant, or in the list of what is missing */
    }
    TRY(draft_begin(im, n, name_of(n), &d));
    return import_is_default_domain(n->domain) ? convert_node(&d) : convert_contrib_node(&d, n->domain);
}

static enum pare_status add_nodes(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_node; i++) {
        TRY(import_tolerate(im, add_node(im, g->node[i]), FINDING_STRUCTURE));
    }
    return PARE_OK;
}

struct value *import_find(const struct import *im, const char *name) {
    struct value *v = NULL;
    for (const struct graph *g = im->graph; v == NULL && g != NULL; g = g->parent) {
        v = graph_find(g, name);
    }
    return v;
}

/* What a subgraph passes on from the graph around it, or gives twice, becomes a value of its own. */
static enum pare_status own_output(struct import *im, struct value **v) {
    if ((*v)->graph == im->graph && (im->graph->parent == NULL || !value_is_output(*v))) {
        return PARE_OK;
    }
    struct value *from = *v;
    TRY(graph_add_value(im->ctx, im->graph, NULL, from->name, v));
    return graph_add_node(im->ctx, im->graph, op_find("Identity"), NULL, &from, 1, v, 1, NULL, NULL);
}

static enum pare_status add_output(struct import *im, const Onnx__GraphProto *g, const Onnx__ValueInfoProto *output) {
    struct value *v = output->name == NULL ? NULL : import_find(im, output->name);
    if (v == NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "output `%.128s` is given by no node",
                    output->name == NULL ? "" : output->name);
    }
    TRY(own_output(im, &v));
    if (im->graph->parent != NULL && v->type == DTYPE_NONE) {
        struct value declared = {0};
        TRY(import_type(im, g, output, &declared));
        v->type = declared.type;
    }
    return graph_add_output(im->ctx, im->graph, v);
}

static enum pare_status add_outputs(struct import *im, const Onnx__GraphProto *g) {
    for (size_t i = 0; i < g->n_output; i++) {
        TRY(import_tolerate(im, add_output(im, g, g->output[i]), FINDING_STRUCTURE));
    }
    return g->n_output > 0 ? PARE_OK : fail(im->ctx, PARE_ERROR_INPUT, "the graph has no output");
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
    return add_outputs(im, g);
}

enum pare_status import_subgraph(struct import *im, const Onnx__GraphProto *proto, struct graph **out) {
    struct graph *around = im->graph;
    TRY(graph_new_subgraph(im->ctx, around, proto->name == NULL ? "" : proto->name, out));
    im->graph = *out;
    enum pare_status status = build(im, proto);
    if (status == PARE_OK) {
        graph_remove_unread_outputs(*out);
        status = graph_sort(im->ctx, *out);
    }
    im->graph = around;
    return status;
}

enum pare_status import_model(struct import *im, const Onnx__ModelProto *model) {
    if (model->graph == NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "holds no graph; is it an ONNX model?");
    }
    TRY(import_tolerate(im, read_opset(im, model), FINDING_OPSET));
    const char *name = model->graph->name;
    TRY(graph_new(im->ctx, name == NULL || name[0] == '\0' ? "graph" : name, &im->graph));
    const Onnx__GraphProto *g = NULL;
    map_init(&im->halves, im->scratch);
    TRY(functions_inline(im, model, &g));
    TRY(find_missing(im, g));
    enum pare_status status = build(im, g);
    status = status == PARE_OK ? check_dropped(im) : status;
    /* What pare lacks is told all at once, before defects that only this import may see. */
    if (im->missing.count > 0 && !im->survey && (status == PARE_OK || status == PARE_ERROR_INPUT)) {
        context_clear(im->ctx);
        return missing_report(im->ctx, &im->missing);
    }
    TRY(status);
    TRY(add_metadata(im, model));
    TRY(import_tolerate(im, import_formats(im, g), FINDING_STRUCTURE));
    return import_finish(im, g);
}
