/* Types and shapes: as declared by the file, and as inferred. */
#include "onnx/convert.h"
#include "onnx/decode.h"
#include "onnx/import.h"

#include <math.h>
#include <string.h>

/* ---- declared ---- */

/* Dimensions without a name, or with one that exporters give to all of them, are each on their own. */
static enum pare_status import_dim(struct import *im, const Onnx__TensorShapeProto__Dimension *d, struct dim *out) {
    *out = (struct dim){.value = -1};
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
        out->value = d->dim_value < 0 ? -1 : d->dim_value;
    } else if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param[0] != '\0' &&
               strcmp(d->dim_param, "?") != 0) {
        out->symbol = graph_symbol(im->graph, d->dim_param);
        return out->symbol == NULL ? fail_memory(im->ctx) : PARE_OK;
    }
    return PARE_OK;
}

static enum pare_status import_shape(struct import *im, const Onnx__TensorShapeProto *proto, struct value *v) {
    v->rank = (int)proto->n_dim;
    for (int i = 0; i < v->rank; i++) {
        TRY(import_dim(im, proto->dim[i], &v->dims[i]));
    }
    return PARE_OK;
}

/* The operator that reads a value, or gives it. */
static const char *operator_at(const Onnx__GraphProto *g, const char *name) {
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        for (size_t k = 0; k < n->n_input + n->n_output; k++) {
            const char *end = k < n->n_input ? n->input[k] : n->output[k - n->n_input];
            if (name != NULL && n->op_type != NULL && strcmp(end, name) == 0) {
                return n->op_type;
            }
        }
    }
    return "an end of the graph";
}

enum pare_status import_type(struct import *im, const Onnx__GraphProto *graph, const Onnx__ValueInfoProto *proto,
                             struct value *v) {
    const Onnx__TypeProto *type = proto->type;
    v->rank = -1;
    v->type = DTYPE_NONE;
    if (type == NULL || type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET) {
        return PARE_OK;
    }
    if (type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
        return missing_add(im->ctx, &im->missing, proto->name, "values that are no tensors, at %.64s",
                           operator_at(graph, proto->name));
    }
    const Onnx__TypeProto__Tensor *tensor = type->tensor_type;
    v->type = onnx_held_type(tensor->elem_type);
    if (v->type == DTYPE_NONE && tensor->elem_type != DTYPE_NONE) {
        return missing_add(im->ctx, &im->missing, proto->name, "values of type %s, at %.64s",
                           onnx_type_name(tensor->elem_type), operator_at(graph, proto->name));
    }
    if (tensor->shape == NULL) {
        return PARE_OK;
    }
    if (tensor->shape->n_dim > TENSOR_MAX_RANK) {
        return missing_add(im->ctx, &im->missing, proto->name, "values of rank %zu", tensor->shape->n_dim);
    }
    return import_shape(im, tensor->shape, v);
}

/* ---- half precision ---- */

enum pare_status import_note_half(struct import *im, const struct value *v, int32_t data_type) {
    static enum dtype halves[] = {DTYPE_FLOAT16, DTYPE_BFLOAT16};
    for (int i = 0; i < 2; i++) {
        if (data_type == (int32_t)halves[i] && !map_set(&im->halves, v, &halves[i])) {
            return fail_memory(im->ctx);
        }
    }
    return PARE_OK;
}

enum dtype import_half(const struct import *im, const struct value *v) {
    const enum dtype *type = map_get(&im->halves, v);
    return type == NULL ? DTYPE_NONE : *type;
}

/* ---- declared and inferred together ---- */

static enum pare_status check_type(struct import *im, struct value *v, enum dtype declared, bool *changed) {
    if (declared == DTYPE_NONE || declared == v->type) {
        return PARE_OK;
    }
    if (v->type != DTYPE_NONE) {
        return fail(im->ctx, PARE_ERROR_INPUT, "`%.128s` is declared as %s and computed as %s", v->name,
                    dtype_name(declared), dtype_name(v->type));
    }
    v->type = declared;
    *changed = true;
    return PARE_OK;
}

/* Inference knows better than the file, whose shapes may be left over from an edit: it fills gaps. A symbol that
 * comes from the inputs says more than one that an exporter made up for an output. */
static void take_shape(struct import *im, struct value *v, const struct value *declared, bool *changed) {
    bool differs = declared->rank >= 0 && v->rank >= 0 && declared->rank != v->rank;
    if (v->rank < 0 && declared->rank >= 0) {
        v->rank = declared->rank;
        memcpy(v->dims, declared->dims, sizeof v->dims);
        *changed = true;
    }
    for (int i = 0; i < v->rank && i < declared->rank; i++) {
        const struct dim *d = &declared->dims[i];
        differs = differs || (d->value >= 0 && v->dims[i].value >= 0 && d->value != v->dims[i].value);
        bool gap = v->dims[i].value < 0 && v->dims[i].symbol == NULL;
        if (gap && (d->value >= 0 || d->symbol != NULL)) {
            v->dims[i] = *d;
            *changed = true;
        }
    }
    if (differs) {
        context_warn(im->ctx, "`%.128s` is declared with another shape than it has; the declaration is ignored",
                     v->name);
    }
}

static enum pare_status take_declared(struct import *im, const Onnx__GraphProto *proto,
                                      Onnx__ValueInfoProto *const *list, size_t count, bool *changed) {
    for (size_t i = 0; i < count; i++) {
        struct value declared = {0}, *v = list[i]->name == NULL ? NULL : graph_find(im->graph, list[i]->name);
        if (v == NULL || v->is_input || v->constant != NULL) {
            continue;
        }
        TRY(import_type(im, proto, list[i], &declared));
        TRY(import_tolerate(im, check_type(im, v, declared.type, changed), FINDING_STRUCTURE));
        take_shape(im, v, &declared, changed);
    }
    return PARE_OK;
}

static enum pare_status infer(struct import *im, const Onnx__GraphProto *proto) {
    bool flattened = false, filled = false;
    struct findings *noted = im->survey ? &im->missing : NULL;
    TRY(graph_infer_noting(im->ctx, im->graph, noted));
    TRY(take_declared(im, proto, proto->value_info, proto->n_value_info, &filled));
    TRY(take_declared(im, proto, proto->output, proto->n_output, &filled));
    TRY(im->missing.count > 0 && !im->survey ? missing_report(im->ctx, &im->missing) : PARE_OK);
    TRY(filled ? graph_infer_noting(im->ctx, im->graph, noted) : PARE_OK);
    TRY(import_tolerate(im, convert_softmaxes(im, &flattened), FINDING_STRUCTURE));
    return flattened ? graph_infer_noting(im->ctx, im->graph, noted) : PARE_OK;
}

/* ---- constants ---- */

/* Operators whose constants are weights: numbers that training found. Elsewhere infinity is a fair bound or mask. */
static bool reads_weights(const struct use *u) {
    static const char *const operators[] = {
        "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul", "GRU", "LSTM", "RNN", "PRelu"};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (node_is(u->node, operators[i])) {
            return true;
        }
    }
    return false;
}

static bool is_weight(const struct value *v) {
    for (int i = 0; i < v->use_count; i++) {
        if (reads_weights(&v->uses[i])) {
            return true;
        }
    }
    return false;
}

/* Whether any float32 has the exponent of what is no number: the loop has no branch, for weights are many. */
static bool all_finite(const struct tensor *t) {
    const float *x = t->data;
    uint32_t found = 0;
    for (size_t i = 0, count = tensor_count(t); i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        found |= (uint32_t)((bits & 0x7f800000U) == 0x7f800000U);
    }
    return found == 0;
}

static enum pare_status check_finite(struct import *im, const struct value *v) {
    const struct tensor *t = v->constant;
    if (t->type == DTYPE_FLOAT && all_finite(t)) {
        return PARE_OK;
    }
    bool finite = is_weight(v);
    for (size_t i = 0, count = tensor_count(t); i < count; i++) {
        double x = tensor_get_double(t, i);
        if ((isnan(x) && (count > 1 || finite)) || (isinf(x) && finite)) { /* a single NaN may be compared with */
            return fail(im->ctx, PARE_ERROR_INPUT,
                        "tensor `%.128s`: element %zu is %s; train or export the model again", v->name, i,
                        isnan(x) ? "not a number" : "infinite");
        }
    }
    return PARE_OK;
}

static enum pare_status check_constants(struct import *im, const struct graph *g) {
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        if (v->constant != NULL && dtype_is_float(v->constant->type)) {
            TRY(import_tolerate(im, check_finite(im, v), FINDING_WEIGHTS));
        }
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        for (int i = 0; i < n->attr_count; i++) {
            TRY(n->attrs[i].type == ATTR_GRAPH ? check_constants(im, n->attrs[i].graph) : PARE_OK);
        }
    }
    return PARE_OK;
}

enum pare_status import_finish(struct import *im, const Onnx__GraphProto *proto) {
    graph_remove_unread_outputs(im->graph);
    TRY(graph_sort(im->ctx, im->graph));
    TRY(check_constants(im, im->graph));
    TRY(infer(im, proto));
    if (findings_block(&im->missing)) {
        return PARE_OK; /* a survey: the graph has gaps */
    }
    return graph_verify(im->ctx, im->graph);
}
