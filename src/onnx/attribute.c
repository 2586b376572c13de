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
    return p->has_f          ? KIND(FLOAT)
           : p->has_i        ? KIND(INT)
           : p->has_s        ? KIND(STRING)
           : p->t != NULL    ? KIND(TENSOR)
           : p->n_floats > 0 ? KIND(FLOATS)
           : p->n_ints > 0   ? KIND(INTS)
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
