/* The rewritten ONNX back to a clean graph and its scheme. */
#include "quant/import.h"

#include "graph/op.h"
#include "quant/scaling.h"

#include <math.h>
#include <string.h>

#define BITS_MAX 16 /* of activations and operands */

bool import_recognises(const struct graph *g) {
    bool found = false;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        bool quantizes = node_is(n, "QuantizeLinear");
        if ((quantizes || node_is(n, "DequantizeLinear")) && !scaling_is_fixed_point(n)) {
            return false;
        }
        found = found || quantizes;
    }
    return found;
}

static enum pare_status refuse(struct import *im, const struct node *n, const char *why) {
    return fail(im->ctx, PARE_ERROR_UNSUPPORTED, "%s (%s): %s", n->name, n->op->name, why);
}

/* ---- constants ---- */

/* "w_quantized" becomes "w" again. */
static const char *name_of_floats(struct arena *a, const char *integers) {
    const char *suffix = "_quantized";
    size_t length = strlen(integers), end = strlen(suffix);
    bool has_suffix = length > end && strcmp(integers + length - end, suffix) == 0;
    return arena_string_n(a, integers, has_suffix ? length - end : length);
}

int folded_frac(const struct folded *f, size_t element) {
    const struct shape *s = &f->integers->constant->shape;
    size_t inner = 1;
    for (int i = f->stored.axis + 1; f->stored.channel_frac != NULL && i < s->rank; i++) {
        inner *= (size_t)s->dim[i];
    }
    size_t channel = f->stored.channel_frac == NULL ? 0 : element / inner % (size_t)f->stored.channels;
    return format_frac(&f->stored, (int)channel);
}

static enum pare_status add_floats(struct import *im, const struct folded *f, const char *name, struct value **out) {
    const struct tensor *codes = f->integers->constant;
    struct tensor t;
    TRY(tensor_new(im->ctx, im->graph->arena, DTYPE_FLOAT, &codes->shape, &t));
    for (size_t i = 0; i < tensor_count(codes); i++) {
        int frac = folded_frac(f, i);
        ((float *)t.data)[i] = (float)ldexp((double)tensor_get_int(codes, i), -frac);
    }
    return graph_add_constant(im->ctx, im->graph, name, &t, out);
}

/* The announced width where the codes keep to it. */
static bool announcement_holds(const struct value *integers, const struct format *stored) {
    const struct format *f = integers->format;
    bool same = f != NULL && f->channel_frac == NULL && f->frac == stored->frac && f->is_signed == stored->is_signed &&
                f->bits <= BITS_MAX;
    for (size_t i = 0; same && i < tensor_count(integers->constant); i++) {
        int64_t code = tensor_get_int(integers->constant, i);
        same = code >= format_min(f) && code <= format_max(f);
    }
    return same;
}

/* Operands of Add, Mul and the like keep their format on the value itself. */
static enum pare_status set_operand_format(struct import *im, const struct folded *f, struct value *floats) {
    if (f->stored.channel_frac != NULL) {
        return PARE_OK;
    }
    struct format *format = ARENA_NEW(im->graph->arena, struct format);
    if (format == NULL) {
        return fail_memory(im->ctx);
    }
    *format = announcement_holds(f->integers, &f->stored) ? *f->integers->format : f->stored;
    floats->format = format->bits <= BITS_MAX ? format : NULL;
    return PARE_OK;
}

static enum pare_status fold(struct import *im, struct node *n) {
    struct folded *f = ARENA_NEW(&im->scratch, struct folded);
    const char *name = name_of_floats(&im->scratch, n->inputs[0]->name);
    struct value *floats = NULL;
    if (f == NULL || name == NULL) {
        return fail_memory(im->ctx);
    }
    f->integers = n->inputs[0];
    TRY(scaling_format(im->ctx, &im->scratch, n, &f->stored));
    TRY(add_floats(im, f, name, &floats));
    TRY(set_operand_format(im, f, floats));
    if (!map_set(&im->folded, floats, f)) {
        return fail_memory(im->ctx);
    }
    TRY(graph_replace(im->ctx, im->graph, n->outputs[0], floats));
    graph_remove_node(im->graph, n);
    return PARE_OK;
}

/* ---- roundings ---- */

static bool is_bound(const struct node *clip, int i, double bound) {
    double given = 0;
    return clip->input_count > i && clip->inputs[i] != NULL && value_scalar(clip->inputs[i], &given) && given == bound;
}

/* Whether the Clip in front of a QuantizeLinear narrows its type to `bits` bits. */
static bool narrows_to(const struct node *clip, const struct format *type, int bits) {
    struct format f = *type;
    f.bits = bits;
    return is_bound(clip, 1, ldexp(format_min(&f), -f.frac)) && is_bound(clip, 2, ldexp(format_max(&f), -f.frac));
}

/* A width below the type's that a Clip and the announcement (if any) agree on; else 0. */
static int narrow_bits(const struct node *n, const struct format *type) {
    const struct node *clip = n->inputs[0]->producer;
    const struct format *announced = n->outputs[0]->format;
    if (!node_is(clip, "Clip") || value_single_user(n->inputs[0]) != n) {
        return 0;
    }
    for (int bits = 1; bits < type->bits; bits++) {
        bool agreed = announced == NULL || announced->bits == bits;
        if (agreed && narrows_to(clip, type, bits)) {
            return bits;
        }
    }
    return 0;
}

static bool formats_match(const struct format *a, const struct format *b) {
    return a->channel_frac == NULL && b->channel_frac == NULL && format_equal(a, b);
}

/* Readers of the dequantised value read what was quantised, under the name that they knew. */
static enum pare_status close_gap(struct import *im, struct node *quantize, struct node *dequantize, struct node *clip,
                                  struct value *source) {
    char *name = dequantize->outputs[0]->name;
    TRY(graph_replace(im->ctx, im->graph, dequantize->outputs[0], source));
    graph_remove_node(im->graph, dequantize);
    graph_remove_node(im->graph, quantize);
    if (clip != NULL) {
        graph_remove_node(im->graph, clip);
    }
    return source->is_input ? PARE_OK : value_rename(im->ctx, source, name);
}

static enum pare_status note_rounding(struct import *im, const struct node *n, struct value *source,
                                      const struct format *f) {
    struct rounding_place *place = ARENA_NEW(&im->scratch, struct rounding_place);
    if (place == NULL) {
        return fail_memory(im->ctx);
    }
    if (map_get(&im->rounding, source) != NULL) {
        return refuse(im, n, "its input is rounded twice");
    }
    *place = (struct rounding_place){.node = n, .value = source, .format = *f, .next = im->places};
    im->places = place;
    source->format = ARENA_NEW(im->graph->arena, struct format); /* so that nobody takes it unrounded */
    if (source->format == NULL) {
        return fail_memory(im->ctx);
    }
    *source->format = *f;
    return map_set(&im->rounding, source, place) ? PARE_OK : fail_memory(im->ctx);
}

static enum pare_status take_rounding(struct import *im, struct node *n) {
    struct format type, back;
    struct node *dequantize = value_single_user(n->outputs[0]);
    if (!node_is(dequantize, "DequantizeLinear") || dequantize->inputs[0] != n->outputs[0]) {
        return refuse(im, n, "one DequantizeLinear is expected behind it");
    }
    TRY(scaling_format(im->ctx, &im->scratch, n, &type));
    TRY(scaling_format(im->ctx, &im->scratch, dequantize, &back));
    if (!formats_match(&type, &back) || type.bits > BITS_MAX) {
        return refuse(im, n, "one scale for all, the same in the DequantizeLinear behind it, is expected");
    }
    int bits = narrow_bits(n, &type);
    struct node *clip = bits == 0 ? NULL : n->inputs[0]->producer;
    struct value *source = clip == NULL ? n->inputs[0] : clip->inputs[0];
    if (value_is_constant(source)) {
        return refuse(im, n, "it rounds a constant");
    }
    type.bits = bits == 0 ? type.bits : bits;
    TRY(note_rounding(im, n, source, &type));
    return close_gap(im, n, dequantize, clip, source);
}

/* The nodes of an operator: a list that edits do not disturb. */
static enum pare_status list_nodes(struct import *im, const char *op, struct node ***out, int *count) {
    *count = 0;
    *out = ARENA_ARRAY(&im->scratch, (size_t)im->graph->node_count, struct node *);
    if (*out == NULL) {
        return fail_memory(im->ctx);
    }
    for (struct node *n = im->graph->first; n != NULL; n = n->next) {
        if (node_is(n, op)) {
            (*out)[(*count)++] = n;
        }
    }
    return PARE_OK;
}

static enum pare_status fold_constants(struct import *im) {
    struct node **nodes = NULL;
    int count = 0;
    TRY(list_nodes(im, "DequantizeLinear", &nodes, &count));
    for (int i = 0; i < count; i++) {
        if (value_is_constant(nodes[i]->inputs[0])) {
            TRY(fold(im, nodes[i]));
        } else if (!node_is(nodes[i]->inputs[0]->producer, "QuantizeLinear")) {
            return refuse(im, nodes[i], "a constant or a QuantizeLinear is expected in front of it");
        }
    }
    return PARE_OK;
}

static enum pare_status take_roundings(struct import *im) {
    struct node **nodes = NULL;
    int count = 0;
    TRY(list_nodes(im, "QuantizeLinear", &nodes, &count));
    for (int i = 0; i < count; i++) {
        TRY(take_rounding(im, nodes[i]));
    }
    return PARE_OK;
}

/* ---- the scheme ---- */

static enum pare_status set_formats(struct import *im) {
    for (size_t i = 0; i < im->scheme->point_count; i++) {
        struct point *p = &im->scheme->points[i];
        struct rounding_place *place = map_get(&im->rounding, p->value);
        if (place == NULL) {
            return fail(im->ctx, PARE_ERROR_UNSUPPORTED, "%s: no QuantizeLinear behind it, where codes are needed",
                        p->value->name);
        }
        p->format = place->format;
        p->is_signed = place->format.is_signed;
        place->placed = true;
    }
    for (const struct rounding_place *place = im->places; place != NULL; place = place->next) {
        if (!place->placed) {
            return refuse(im, place->node, "it rounds where an integer program does not");
        }
    }
    return PARE_OK;
}

static enum pare_status fill_scheme(struct import *im) {
    TRY(set_formats(im));
    for (size_t i = 0; i < im->scheme->linear_count; i++) {
        struct linear *l = &im->scheme->linears[i];
        if (import_linear(im, l) != PARE_OK) {
            return fail_at(im->ctx, "%s (%s)", l->node->name, l->node->op->name);
        }
    }
    return PARE_OK;
}

static enum pare_status import(struct import *im) {
    map_init(&im->folded, &im->scratch);
    map_init(&im->rounding, &im->scratch);
    TRY(fold_constants(im));
    TRY(take_roundings(im));
    graph_remove_unused_values(im->graph);
    TRY(scheme_new(im->ctx, im->graph, &im->scheme));
    enum pare_status status = fill_scheme(im);
    if (status != PARE_OK) {
        scheme_free(im->scheme);
    }
    return status;
}

enum pare_status import_graph(struct context *ctx, struct graph **graph, struct scheme **out) {
    struct import im = {.ctx = ctx, .graph = *graph};
    arena_init(&im.scratch);
    enum pare_status status = import(&im);
    arena_free(&im.scratch);
    if (status == PARE_OK) {
        *out = im.scheme;
    }
    return status;
}
