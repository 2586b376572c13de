/* Graphs to bytes. The same graph gives the same bytes. */
#include "onnx/encode.h"
#include "onnx/import.h"
#include "onnx/onnx.h"

#include "graph/op.h"

/* IR versions that came with the opsets (onnx.helper.VERSION_TABLE). */
#define IR_VERSION_OF_OPSET_21 10
#define IR_VERSION_OF_OPSET_25 13

static enum pare_status encode_names(struct encoder *e, struct value *const *values, int count, char ***out) {
    *out = ARENA_ARRAY(e->arena, (size_t)count, char *);
    if (*out == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < count; i++) {
        (*out)[i] = values[i] == NULL ? encode_text("") : values[i]->name;
    }
    return PARE_OK;
}

/* The operator that the user wrote, where a pass replaced it. */
static enum pare_status encode_origin(struct encoder *e, const struct node *n, Onnx__NodeProto *p) {
    if (n->origin == NULL || n->origin == n->op) {
        return PARE_OK;
    }
    p->n_metadata_props = 1;
    p->metadata_props = ARENA_NEW(e->arena, Onnx__StringStringEntryProto *);
    return p->metadata_props == NULL ? fail_memory(e->ctx)
                                     : encode_pair(e, ONNX_ORIGIN_KEY, n->origin->name, &p->metadata_props[0]);
}

static enum pare_status encode_node(struct encoder *e, const struct node *n, Onnx__NodeProto **out) {
    Onnx__NodeProto *p = ENCODE_NEW(e, Onnx__NodeProto, onnx__node_proto__descriptor);
    if (p == NULL || (p->attribute = ARENA_ARRAY(e->arena, (size_t)n->attr_count, Onnx__AttributeProto *)) == NULL) {
        return fail_memory(e->ctx);
    }
    *out = p;
    p->name = n->name;
    p->op_type = encode_text(n->op->name);
    p->n_input = (size_t)n->input_count;
    p->n_output = (size_t)n->output_count;
    p->n_attribute = (size_t)n->attr_count;
    TRY(encode_names(e, n->inputs, n->input_count, &p->input));
    TRY(encode_names(e, n->outputs, n->output_count, &p->output));
    for (int i = 0; i < n->attr_count; i++) {
        TRY(encode_attribute(e, &n->attrs[i], &p->attribute[i]));
    }
    return encode_origin(e, n, p);
}

static enum pare_status encode_nodes(struct encoder *e, const struct graph *g, Onnx__GraphProto *p) {
    p->node = ARENA_ARRAY(e->arena, (size_t)g->node_count, Onnx__NodeProto *);
    if (p->node == NULL) {
        return fail_memory(e->ctx);
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        if (encode_node(e, n, &p->node[p->n_node++]) != PARE_OK) {
            return fail_at(e->ctx, "%.128s", n->name);
        }
    }
    return PARE_OK;
}

static enum pare_status check_type(struct encoder *e, const struct value *v) {
    if (v->type == DTYPE_NONE) {
        return fail(e->ctx, PARE_ERROR_INTERNAL, "%.128s: its type is unknown", v->name);
    }
    if ((v->type == DTYPE_INT2 || v->type == DTYPE_UINT2) && e->opset < 25) {
        return fail(e->ctx, PARE_ERROR_USAGE, "%.128s: %s needs opset 25", v->name, dtype_name(v->type));
    }
    return PARE_OK;
}

static enum pare_status encode_constants(struct encoder *e, const struct graph *g, Onnx__GraphProto *p) {
    p->initializer = ARENA_ARRAY(e->arena, (size_t)g->value_count, Onnx__TensorProto *);
    if (p->initializer == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        if (v->constant != NULL) {
            TRY(check_type(e, v));
            TRY(encode_tensor(e, v->name, v->constant, &p->initializer[p->n_initializer++]));
        }
    }
    return PARE_OK;
}

static enum pare_status encode_ends(struct encoder *e, struct value *const *values, int count,
                                    Onnx__ValueInfoProto ***out) {
    *out = ARENA_ARRAY(e->arena, (size_t)count, Onnx__ValueInfoProto *);
    if (*out == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < count; i++) {
        TRY(check_type(e, values[i]));
        TRY(encode_value_info(e, values[i], &(*out)[i]));
    }
    return PARE_OK;
}

/* ---- formats ---- */

static char *fractions_text(struct encoder *e, const struct format *f) {
    struct buffer b;
    buffer_init(&b);
    for (int i = 0; i < (f->channel_frac == NULL ? 1 : f->channels); i++) {
        write_format(&b, "%s%d", i == 0 ? "" : ",", format_frac(f, i));
    }
    char *text = b.failed ? NULL : arena_string_n(e->arena, (const char *)b.data, b.size);
    buffer_free(&b);
    return text;
}

static enum pare_status encode_format(struct encoder *e, const struct value *v, Onnx__TensorAnnotation **out) {
    const struct format *f = v->format;
    Onnx__TensorAnnotation *p = ENCODE_NEW(e, Onnx__TensorAnnotation, onnx__tensor_annotation__descriptor);
    Onnx__StringStringEntryProto **pairs = ARENA_ARRAY(e->arena, 4, Onnx__StringStringEntryProto *);
    const char *bits = arena_format(e->arena, "%d", f->bits), *axis = arena_format(e->arena, "%d", f->axis);
    const char *fractions = fractions_text(e, f);
    if (p == NULL || pairs == NULL || bits == NULL || axis == NULL || fractions == NULL) {
        return fail_memory(e->ctx);
    }
    p->tensor_name = v->name;
    p->quant_parameter_tensor_names = pairs;
    TRY(encode_pair(e, "BITS", bits, &pairs[0]));
    TRY(encode_pair(e, "FRAC", fractions, &pairs[1]));
    TRY(encode_pair(e, "SIGNED", f->is_signed ? "1" : "0", &pairs[2]));
    TRY(encode_pair(e, "AXIS", axis, &pairs[3]));
    p->n_quant_parameter_tensor_names = f->channel_frac == NULL ? 3 : 4;
    *out = p;
    return PARE_OK;
}

static enum pare_status encode_formats(struct encoder *e, const struct graph *g, Onnx__GraphProto *p) {
    p->quantization_annotation = ARENA_ARRAY(e->arena, (size_t)g->value_count, Onnx__TensorAnnotation *);
    if (p->quantization_annotation == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < g->value_count; i++) {
        if (g->values[i]->format != NULL) {
            TRY(encode_format(e, g->values[i], &p->quantization_annotation[p->n_quantization_annotation++]));
        }
    }
    return PARE_OK;
}

/* ---- the model ---- */

static enum pare_status encode_graph(struct encoder *e, const struct graph *g, Onnx__GraphProto *p) {
    p->name = g->name;
    p->n_input = (size_t)g->input_count;
    p->n_output = (size_t)g->output_count;
    TRY(encode_ends(e, g->inputs, g->input_count, &p->input));
    TRY(encode_ends(e, g->outputs, g->output_count, &p->output));
    TRY(encode_constants(e, g, p));
    TRY(encode_nodes(e, g, p));
    return encode_formats(e, g, p);
}

static enum pare_status encode_metadata(struct encoder *e, const struct graph *g, Onnx__ModelProto *p) {
    p->metadata_props = ARENA_ARRAY(e->arena, (size_t)g->metadata_count, Onnx__StringStringEntryProto *);
    if (p->metadata_props == NULL) {
        return fail_memory(e->ctx);
    }
    p->n_metadata_props = (size_t)g->metadata_count;
    for (int i = 0; i < g->metadata_count; i++) {
        TRY(encode_pair(e, g->metadata[i].key, g->metadata[i].text, &p->metadata_props[i]));
    }
    return PARE_OK;
}

/* protobuf-c's sink, writing to ours. */
struct sink {
    ProtobufCBuffer base;
    struct buffer *out;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data) {
    write_bytes(((struct sink *)buffer)->out, data, size);
}

static enum pare_status pack(struct encoder *e, const Onnx__ModelProto *p, struct buffer *out) {
    struct sink sink = {.base = {.append = append}, .out = out};
    size_t size = onnx__model_proto__get_packed_size(p);
    if (size > INT32_MAX) {
        return fail(e->ctx, PARE_ERROR_UNSUPPORTED, "the model takes %zu bytes, and protobuf holds no more than 2 GiB",
                    size);
    }
    onnx__model_proto__pack_to_buffer(p, &sink.base);
    return out->failed ? fail_memory(e->ctx) : PARE_OK;
}

static enum pare_status encode_model(struct encoder *e, const struct graph *g, struct buffer *out) {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets = &opset;
    onnx__model_proto__init(&model);
    onnx__graph_proto__init(&graph);
    onnx__operator_set_id_proto__init(&opset);
    opset.domain = encode_text("");
    opset.has_version = 1;
    opset.version = e->opset;
    model.has_ir_version = 1;
    model.ir_version = e->opset == 21 ? IR_VERSION_OF_OPSET_21 : IR_VERSION_OF_OPSET_25;
    model.n_opset_import = 1;
    model.opset_import = &opsets;
    model.producer_name = encode_text("pare");
    model.producer_version = encode_text(PARE_VERSION);
    model.graph = &graph;
    TRY(encode_graph(e, g, &graph));
    TRY(encode_metadata(e, g, &model));
    return pack(e, &model, out);
}

enum pare_status onnx_write(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                            struct buffer *out) {
    struct arena scratch;
    int opset = options == NULL || options->opset == 0 ? 21 : options->opset;
    if (opset != 21 && opset != 25) {
        return fail(ctx, PARE_ERROR_USAGE, "opset %d: pare writes 21 or 25", opset);
    }
    arena_init(&scratch);
    struct encoder e = {.ctx = ctx, .arena = &scratch, .opset = opset};
    enum pare_status status = encode_model(&e, g, out);
    arena_free(&scratch);
    return status;
}
