/* Graphs to bytes. The same graph gives the same bytes. */
#include "onnx/externalize.h"
#include "onnx/form.h"
#include "onnx/import.h"
#include "onnx/onnx.h"
#include "onnx/opsets.h"

#include "base/file.h"
#include "graph/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum pare_status encode_names(struct encoder *e, const struct value *const *values, int count, char ***out) {
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

static enum pare_status mark_used(struct encoder *e, const struct value *v) {
    return v == NULL || map_set(&e->used, v, (void *)v) ? PARE_OK : fail_memory(e->ctx);
}

static enum pare_status encode_form(struct encoder *e, const struct form *f, Onnx__NodeProto *p) {
    p->op_type = encode_text(f->op_type);
    const char *domain = op_domain(f->node->op);
    p->domain = domain[0] == '\0' ? p->domain : encode_text(domain);
    e->microsoft = e->microsoft || strcmp(domain, OP_DOMAIN_MICROSOFT) == 0;
    e->qonnx = e->qonnx || strcmp(domain, OP_DOMAIN_QONNX) == 0;
    p->n_input = (size_t)f->input_count;
    p->n_attribute = (size_t)f->attr_count;
    p->attribute = ARENA_ARRAY(e->arena, p->n_attribute, Onnx__AttributeProto *);
    if (p->attribute == NULL) {
        return fail_memory(e->ctx);
    }
    TRY(encode_names(e, f->inputs, f->input_count, &p->input));
    for (int i = 0; i < f->input_count; i++) {
        TRY(mark_used(e, f->inputs[i]));
    }
    for (int i = 0; i < f->attr_count; i++) {
        TRY(encode_attribute(e, &f->attrs[i], &p->attribute[i]));
    }
    return PARE_OK;
}

static enum pare_status encode_node(struct encoder *e, const struct node *n, Onnx__NodeProto **out) {
    struct form form;
    Onnx__NodeProto *p = ENCODE_NEW(e, Onnx__NodeProto, onnx__node_proto__descriptor);
    if (p == NULL) {
        return fail_memory(e->ctx);
    }
    *out = p;
    p->name = n->name;
    p->n_output = (size_t)n->output_count;
    TRY(encode_names(e, (const struct value *const *)n->outputs, n->output_count, &p->output));
    TRY(form_of_node(e, n, &form));
    TRY(encode_form(e, &form, p));
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
    p->initializer = ARENA_ARRAY(e->arena, (size_t)g->value_count + 1, Onnx__TensorProto *);
    if (p->initializer == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        if (v->constant != NULL && (map_get(&e->used, v) != NULL || value_is_output(v))) {
            TRY(encode_tensor(e, v->name, v->constant, &p->initializer[p->n_initializer++]));
        }
    }
    if (g->parent == NULL && e->empty != NULL) {
        return encode_tensor(e, e->empty->name, e->empty->constant, &p->initializer[p->n_initializer++]);
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

enum pare_status encode_empty_floats(struct encoder *e, const struct value **out) {
    struct value *v = e->empty != NULL ? e->empty : ARENA_NEW(e->arena, struct value);
    struct tensor *t = ARENA_NEW(e->arena, struct tensor);
    if (v == NULL || t == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; v->name == NULL || graph_find(e->graph, v->name) != NULL; i++) {
        v->name = arena_format(e->arena, "empty_%d", i);
        if (v->name == NULL) {
            return fail_memory(e->ctx);
        }
    }
    *out = e->empty = v;
    *t = (struct tensor){.type = DTYPE_FLOAT, .shape = {.rank = 1}};
    *v = (struct value){.name = v->name, .type = DTYPE_FLOAT, .rank = 1, .constant = t};
    return PARE_OK;
}

enum pare_status encode_graph(struct encoder *e, const struct graph *g, Onnx__GraphProto *p) {
    p->name = g->name;
    p->n_input = (size_t)g->input_count;
    p->n_output = (size_t)g->output_count;
    TRY(encode_ends(e, g->inputs, g->input_count, &p->input));
    TRY(encode_ends(e, g->outputs, g->output_count, &p->output));
    TRY(encode_nodes(e, g, p));
    TRY(encode_constants(e, g, p)); /* those that the nodes, as written, still read */
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

/* One message for everything that the opset cannot say. */
static enum pare_status refuse(struct encoder *e) {
    struct buffer list;
    char way_out[64] = "leave these out before";
    buffer_init(&list);
    missing_write(&e->missing, &list);
    write_u8(&list, 0);
    if (e->needed > 0) {
        (void)snprintf(way_out, sizeof way_out, "choose opset %d or newer", e->needed);
    }
    enum pare_status status = list.failed ? fail_memory(e->ctx)
                                          : fail(e->ctx, PARE_ERROR_UNSUPPORTED, "opset %d has no words for: %s; %s",
                                                 e->opset, (const char *)list.data, way_out);
    buffer_free(&list);
    return status;
}

/* The messages of a model, which hold pointers into each other and into the graph. */
struct messages {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset[3], *opsets[3];
};

static void add_opset(struct messages *m, const char *domain, int version) {
    Onnx__OperatorSetIdProto *opset = &m->opset[m->model.n_opset_import];
    onnx__operator_set_id_proto__init(opset);
    opset->domain = encode_text(domain);
    opset->has_version = 1;
    opset->version = version;
    m->opsets[m->model.n_opset_import++] = opset;
}

static enum pare_status encode_model(struct encoder *e, struct messages *m) {
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    m->model.has_ir_version = 1;
    m->model.ir_version = opset_ir_version(e->opset);
    m->model.opset_import = m->opsets;
    add_opset(m, "", e->opset);
    m->model.producer_name = encode_text("pare");
    m->model.producer_version = encode_text(PARE_VERSION);
    m->model.graph = &m->graph;
    TRY(encode_graph(e, e->graph, &m->graph));
    TRY(e->missing.count > 0 ? refuse(e) : PARE_OK);
    if (e->microsoft) {
        add_opset(m, OP_DOMAIN_MICROSOFT, 1);
    }
    if (e->qonnx) {
        add_opset(m, OP_DOMAIN_QONNX, 1);
    }
    return encode_metadata(e, e->graph, &m->model);
}

/* ---- to bytes ---- */

/* protobuf-c's sink, writing to ours. */
struct sink {
    ProtobufCBuffer base;
    struct buffer *out;
    struct file_output *file;
};

static void append_to_buffer(ProtobufCBuffer *buffer, size_t size, const uint8_t *data) {
    write_bytes(((struct sink *)buffer)->out, data, size);
}

static void append_to_file(ProtobufCBuffer *buffer, size_t size, const uint8_t *data) {
    file_append(((struct sink *)buffer)->file, data, size);
}

static enum pare_status begin(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                              struct arena *scratch, struct encoder *e) {
    int opset = options == NULL || options->opset == 0 ? ONNX_OPSET_WRITTEN : options->opset;
    if (opset < WRITE_OPSET_MIN || opset > WRITE_OPSET_MAX) {
        return fail(ctx, PARE_ERROR_USAGE, "opset %d: pare writes %d to %d", opset, WRITE_OPSET_MIN, WRITE_OPSET_MAX);
    }
    *e = (struct encoder){.ctx = ctx, .arena = scratch, .graph = g, .opset = opset, .missing = {.arena = scratch}};
    map_init(&e->used, scratch);
    return PARE_OK;
}

static enum pare_status write_to_buffer(struct encoder *e, struct buffer *out) {
    struct messages m;
    struct sink sink = {.base = {.append = append_to_buffer}, .out = out};
    TRY(encode_model(e, &m));
    size_t size = onnx__model_proto__get_packed_size(&m.model);
    if (size > INT32_MAX) {
        return fail(e->ctx, PARE_ERROR_UNSUPPORTED, "the model takes %zu bytes, and protobuf holds no more than 2 GiB",
                    size);
    }
    onnx__model_proto__pack_to_buffer(&m.model, &sink.base);
    return out->failed ? fail_memory(e->ctx) : PARE_OK;
}

enum pare_status onnx_write(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                            struct buffer *out) {
    struct arena scratch;
    struct encoder e;
    arena_init(&scratch);
    enum pare_status status = begin(ctx, g, options, &scratch, &e);
    if (status == PARE_OK) {
        status = write_to_buffer(&e, out);
    }
    arena_free(&scratch);
    return status;
}

/* ---- to files ---- */

static enum pare_status write_message(struct context *ctx, const Onnx__ModelProto *model, const char *path,
                                      uint64_t *size) {
    struct file_output *file = malloc(sizeof *file);
    if (file == NULL) {
        return fail_memory(ctx);
    }
    struct sink sink = {.base = {.append = append_to_file}, .file = file};
    enum pare_status status = file_begin(ctx, path, file);
    if (status == PARE_OK) {
        onnx__model_proto__pack_to_buffer(model, &sink.base);
        *size += file->size;
        status = file_commit(ctx, file);
    }
    free(file);
    return status;
}

static enum pare_status write_to_file(struct encoder *e, size_t external_above, const char *path, uint64_t *size) {
    struct messages m;
    TRY(encode_model(e, &m));
    if (onnx__model_proto__get_packed_size(&m.model) > external_above) {
        TRY(externalize(e, &m.graph, path, size));
    }
    return write_message(e->ctx, &m.model, path, size);
}

enum pare_status onnx_write_file(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                                 const char *path, uint64_t *size) {
    struct arena scratch;
    struct encoder e;
    size_t external_above = options == NULL || options->external_above == 0 ? INT32_MAX : options->external_above;
    arena_init(&scratch);
    *size = 0;
    enum pare_status status = begin(ctx, g, options, &scratch, &e);
    if (status == PARE_OK) {
        status = write_to_file(&e, external_above, path, size);
    }
    arena_free(&scratch);
    return status;
}
