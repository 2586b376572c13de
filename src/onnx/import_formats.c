/* Fixed-point formats from quantization_annotation, as onnx_write leaves them. */
#include "onnx/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_BITS_MAX 32
#define FORMAT_FRAC_MIN (-128)
#define FORMAT_FRAC_MAX 127

/* One annotation's texts; other tools use other keys. */
struct annotation {
    const char *name, *bits, *frac, *is_signed, *axis;
};

static void read_annotation(const Onnx__TensorAnnotation *p, struct annotation *out) {
    *out = (struct annotation){.name = p->tensor_name};
    for (size_t i = 0; i < p->n_quant_parameter_tensor_names; i++) {
        const Onnx__StringStringEntryProto *pair = p->quant_parameter_tensor_names[i];
        const char *key = pair->key == NULL ? "" : pair->key;
        const char **slot = strcmp(key, "BITS") == 0     ? &out->bits
                            : strcmp(key, "FRAC") == 0   ? &out->frac
                            : strcmp(key, "SIGNED") == 0 ? &out->is_signed
                            : strcmp(key, "AXIS") == 0   ? &out->axis
                                                         : NULL;
        if (slot != NULL) {
            *slot = pair->value == NULL ? "" : pair->value;
        }
    }
}

/* The number that `*text` begins with, moved behind it; false outside [low, high]. */
static bool take_number(const char **text, int low, int high, int *out) {
    char *end = NULL;
    errno = 0;
    long v = strtol(*text, &end, 10);
    if (end == *text || errno != 0 || v < low || v > high) {
        return false;
    }
    *text = end;
    *out = (int)v;
    return true;
}

static bool is_number(const char *text, int low, int high, int *out) {
    return take_number(&text, low, high, out) && *text == '\0';
}

static size_t count_items(const char *text) {
    size_t count = 1;
    for (; *text != '\0'; text++) {
        count += *text == ',';
    }
    return count;
}

static bool take_list(const char *text, int *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool separated = i == 0 || *text++ == ',';
        if (!separated || !take_number(&text, FORMAT_FRAC_MIN, FORMAT_FRAC_MAX, &list[i])) {
            return false;
        }
    }
    return *text == '\0';
}

static enum pare_status refuse(struct import *im, const struct annotation *a, const char *what) {
    return fail(im->ctx, PARE_ERROR_INPUT, "quantization_annotation of `%.128s`: %s", a->name, what);
}

/* A list belongs to a constant that has at least as many elements, along one of its axes. */
static enum pare_status read_channels(struct import *im, const struct annotation *a, const struct value *v,
                                      struct format *f) {
    size_t count = count_items(a->frac);
    if (v->constant == NULL || count > tensor_count(v->constant)) {
        return refuse(im, a, "FRAC has more entries than the tensor has elements, or the tensor is no constant");
    }
    if (a->axis == NULL || !is_number(a->axis, 0, v->rank - 1, &f->axis)) {
        return refuse(im, a, "AXIS is none of the tensor's axes");
    }
    f->channels = (int)count;
    f->channel_frac = ARENA_ARRAY(im->graph->arena, count, int);
    if (f->channel_frac == NULL) {
        return fail_memory(im->ctx);
    }
    return take_list(a->frac, f->channel_frac, count) ? PARE_OK : refuse(im, a, "FRAC is no list of fractions");
}

static enum pare_status import_format(struct import *im, const struct annotation *a, struct value *v) {
    struct format f = {0};
    int is_signed = 0;
    if (!is_number(a->bits, 0, FORMAT_BITS_MAX, &f.bits) || !is_number(a->is_signed, 0, 1, &is_signed)) {
        return refuse(im, a, "BITS must be 0 to 32, SIGNED 0 or 1");
    }
    f.is_signed = is_signed;
    if (strchr(a->frac, ',') != NULL || a->axis != NULL) {
        TRY(read_channels(im, a, v, &f));
    } else if (!take_list(a->frac, &f.frac, 1)) {
        return refuse(im, a, "FRAC is no fraction from -128 to 127");
    }
    v->format = ARENA_NEW(im->graph->arena, struct format);
    if (v->format == NULL) {
        return fail_memory(im->ctx);
    }
    *v->format = f;
    return PARE_OK;
}

enum pare_status import_formats(struct import *im, const Onnx__GraphProto *proto) {
    for (size_t i = 0; i < proto->n_quantization_annotation; i++) {
        struct annotation a;
        read_annotation(proto->quantization_annotation[i], &a);
        struct value *v = a.name == NULL ? NULL : graph_find(im->graph, a.name);
        if (v != NULL && a.bits != NULL && a.frac != NULL && a.is_signed != NULL) {
            TRY(import_format(im, &a, v));
        }
    }
    return PARE_OK;
}
