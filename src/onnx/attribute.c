#include "onnx/decode.h"
#include "onnx/import.h"

#include <math.h>
#include <string.h>

#define KIND(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

/* Files older than IR version 2 do not say the type: the field that is filled tells. */
static int kind_of(const Onnx__AttributeProto *p) {
    if (p->has_type && p->type != KIND(UNDEFINED)) {
        return (int)p->type;
    }
    return p->has_f           ? KIND(FLOAT)
           : p->has_i         ? KIND(INT)
           : p->has_s         ? KIND(STRING)
           : p->t != NULL     ? KIND(TENSOR)
           : p->g != NULL     ? KIND(GRAPH)
           : p->n_floats > 0  ? KIND(FLOATS)
           : p->n_ints > 0    ? KIND(INTS)
           : p->n_strings > 0 ? KIND(STRINGS)
                              : KIND(UNDEFINED);
}

static enum pare_status import_string(struct import *im, const Onnx__AttributeProto *p, struct attr *out) {
    out->type = ATTR_STRING;
    if (p->s.len > 0 && memchr(p->s.data, 0, p->s.len) != NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "the text holds a zero byte");
    }
    out->s = arena_string_n(im->scratch, p->s.len > 0 ? (const char *)p->s.data : "", p->s.len);
    return out->s == NULL ? fail_memory(im->ctx) : PARE_OK;
}

static enum pare_status import_tensor(struct import *im, const Onnx__AttributeProto *p, struct attr *out) {
    out->type = ATTR_TENSOR;
    if (p->t == NULL) {
        return fail(im->ctx, PARE_ERROR_INPUT, "the tensor is missing");
    }
    out->tensor = ARENA_NEW(im->scratch, struct tensor);
    return out->tensor == NULL ? fail_memory(im->ctx)
                               : onnx_decode_tensor(im->ctx, im->graph->arena, &im->external, p->t, out->tensor);
}

static enum pare_status check_floats(struct import *im, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) {
            return fail(im->ctx, PARE_ERROR_INPUT, "the value is not a number");
        }
    }
    return PARE_OK;
}

/* The names with commas between them. */
static enum pare_status import_strings(struct import *im, const Onnx__AttributeProto *p, struct attr *out) {
    struct buffer b;
    bool names = true;
    buffer_init(&b);
    for (size_t i = 0; i < p->n_strings; i++) {
        const ProtobufCBinaryData *s = &p->strings[i];
        names = names && (s->len == 0 || (memchr(s->data, ',', s->len) == NULL && memchr(s->data, 0, s->len) == NULL));
        write_bytes(&b, ",", i > 0);
        write_bytes(&b, s->data, s->len);
    }
    out->type = ATTR_STRINGS;
    out->s = b.failed ? NULL : arena_string_n(im->scratch, b.size > 0 ? (const char *)b.data : "", b.size);
    buffer_free(&b);
    if (!names) {
        return fail(im->ctx, PARE_ERROR_INPUT, "its texts are no names");
    }
    return out->s == NULL ? fail_memory(im->ctx) : PARE_OK;
}

static enum pare_status import_kind(struct import *im, const Onnx__AttributeProto *p, struct attr *out, bool *known) {
    switch (kind_of(p)) {
    case KIND(INT):
        out->type = ATTR_INT;
        out->i = p->i;
        return PARE_OK;
    case KIND(FLOAT):
        out->type = ATTR_FLOAT;
        out->f = p->f;
        return check_floats(im, &p->f, 1);
    case KIND(STRING):
        return import_string(im, p, out);
    case KIND(INTS):
        out->type = ATTR_INTS;
        out->ints = p->ints;
        out->count = p->n_ints;
        return PARE_OK;
    case KIND(FLOATS):
        out->type = ATTR_FLOATS;
        out->floats = p->floats;
        out->count = p->n_floats;
        return check_floats(im, p->floats, p->n_floats);
    case KIND(TENSOR):
        return import_tensor(im, p, out);
    case KIND(STRINGS):
        return import_strings(im, p, out);
    case KIND(GRAPH):
        out->type = ATTR_GRAPH;
        return p->g == NULL ? fail(im->ctx, PARE_ERROR_INPUT, "the graph is missing")
                            : import_subgraph(im, p->g, &out->graph);
    default:
        *known = false;
        return PARE_OK;
    }
}

enum pare_status import_attribute(struct import *im, const char *node, const Onnx__AttributeProto *proto,
                                  struct attr *out, bool *known) {
    *known = true;
    *out = (struct attr){.name = proto->name};
    if (proto->name == NULL || proto->name[0] == '\0') {
        return fail(im->ctx, PARE_ERROR_INPUT, "an attribute has no name");
    }
    enum pare_status status = import_kind(im, proto, out, known);
    if (status == PARE_OK && !*known) {
        status = missing_add(im->ctx, &im->missing, node, "attribute `%.64s` of its kind", proto->name);
    }
    return status == PARE_OK ? PARE_OK : fail_at(im->ctx, "attribute `%.64s`", proto->name);
}
