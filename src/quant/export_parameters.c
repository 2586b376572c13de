/* Weights and biases as integer initializers. */
#include "graph/op.h"
#include "quant/export.h"
#include "quant/parameters.h"
#include "quant/scaling.h"

#include <stdlib.h>

#define FLOAT32_EXACT_BITS 24 /* integers up to 2^24 survive DequantizeLinear */

/* ---- weights ---- */

/* One fraction per index of ONNX's axis, the finest of its rows: the groups of a ConvTranspose share an axis. */
static enum pare_status finest_fractions(struct export *e, const struct linear *l, struct format *stored) {
    const struct format *own = &l->weights->format;
    *stored = (struct format){.is_signed = true, .frac = own->frac};
    if (own->channel_frac == NULL) {
        return PARE_OK;
    }
    stored->axis = scaling_axis_of_weight(l);
    stored->channels = (int)l->weight->constant->shape.dim[stored->axis];
    stored->channel_frac = ARENA_ARRAY(&e->scratch, (size_t)stored->channels, int);
    if (stored->channel_frac == NULL) {
        return fail_memory(e->ctx);
    }
    for (uint32_t r = 0; r < l->rows; r++) {
        int *frac = &stored->channel_frac[r % (uint32_t)stored->channels];
        bool finer = r < (uint32_t)stored->channels || own->channel_frac[r] > *frac;
        *frac = finer ? own->channel_frac[r] : *frac;
    }
    return PARE_OK;
}

static int row_shift(const struct linear *l, const struct format *stored, uint32_t row) {
    int channel = stored->channel_frac == NULL ? 0 : (int)(row % (uint32_t)stored->channels);
    return format_frac(stored, channel) - format_frac(&l->weights->format, (int)row);
}

static bool row_is_zero(const struct linear *l, uint32_t row) {
    return l->weights->row_sums[2 * row] == 0 && l->weights->row_sums[2 * row + 1] == 0;
}

static enum pare_status stored_bits(struct export *e, const struct linear *l, struct format *stored) {
    int most = 0;
    for (uint32_t r = 0; r < l->rows; r++) {
        int shift = row_is_zero(l, r) ? 0 : row_shift(l, stored, r);
        most = shift > most ? shift : most;
    }
    stored->bits = l->weights->format.bits + most;
    if (stored->bits > FLOAT32_EXACT_BITS) {
        return fail(e->ctx, PARE_ERROR_UNSUPPORTED,
                    "the fractions of its groups lie %d bits apart, which ONNX cannot say", most);
    }
    return PARE_OK;
}

static enum dtype storage_of_weights(int bits) {
    return bits == 0    ? DTYPE_INT8
           : bits <= 4  ? DTYPE_INT4
           : bits <= 8  ? DTYPE_INT8
           : bits <= 16 ? DTYPE_INT16
                        : DTYPE_INT32;
}

static enum pare_status export_weights(struct export *e, const struct linear *l, struct node *n) {
    struct integers w = {.name = l->weight->name, .annotated = l->weights->format};
    struct value *result = NULL;
    TRY(finest_fractions(e, l, &w.stored));
    TRY(stored_bits(e, l, &w.stored));
    w.annotated.axis = scaling_axis_of_weight(l);
    TRY(tensor_new(e->ctx, e->graph->arena, storage_of_weights(w.stored.bits), &l->weight->constant->shape, &w.codes));
    for (uint32_t r = 0; r < l->rows; r++) {
        int64_t factor = row_is_zero(l, r) ? 1 : (int64_t)1 << row_shift(l, &w.stored, r);
        for (uint32_t c = 0; c < l->columns; c++) {
            int64_t code = l->weights->codes[(size_t)r * l->columns + c];
            tensor_set_int(&w.codes, linear_source(l, r, c), code * factor);
        }
    }
    TRY(export_integers(e, &w, n, &result));
    return node_set_input(e->ctx, n, 1, result);
}

/* ---- biases ---- */

/* Aligned to the products, as runtimes with fused integer kernels take for granted; a code that does not fit there
 * keeps its own fraction. */
static int aligned_shift(const struct linear *l, const struct bias_choice *b, uint32_t row) {
    int own = format_frac(&b->format, (int)row);
    int shift = format_frac(&l->weights->format, (int)row) + b->input_frac - own;
    int64_t magnitude = llabs((long long)b->codes[row]);
    bool fits = shift > 0 && shift < 31 && own + shift <= SCALING_FRAC_MAX && magnitude <= INT32_MAX >> shift;
    return fits ? shift : 0;
}

static enum pare_status bias_integers(struct export *e, const struct linear *l, const struct bias_choice *b,
                                      struct integers *out) {
    struct shape shape = {.rank = 1, .dim = {l->rows}};
    int *fracs = ARENA_ARRAY(&e->scratch, l->rows, int);
    if (fracs == NULL) {
        return fail_memory(e->ctx);
    }
    out->stored = (struct format){.bits = 32, .is_signed = true, .channels = (int)l->rows, .channel_frac = fracs};
    out->annotated = b->format;
    TRY(tensor_new(e->ctx, e->graph->arena, DTYPE_INT32, &shape, &out->codes));
    for (uint32_t r = 0; r < l->rows; r++) {
        int shift = aligned_shift(l, b, r);
        fracs[r] = format_frac(&b->format, (int)r) + shift;
        tensor_set_int(&out->codes, r, b->codes[r] * ((int64_t)1 << shift));
    }
    return PARE_OK;
}

static const char *bias_name(struct export *e, const struct linear *l) {
    return l->bias != NULL ? l->bias->name : arena_format(e->graph->arena, "%s_bias", l->weight->name);
}

static enum pare_status export_bias(struct export *e, const struct linear *l, const struct bias_choice *b,
                                    struct node *n) {
    struct integers integers = {.name = bias_name(e, l)};
    struct value *result = NULL;
    if (integers.name == NULL) {
        return fail_memory(e->ctx);
    }
    if (n->op->id == OP_MatMul || n->op->id == OP_PRelu) {
        return fail(e->ctx, PARE_ERROR_UNSUPPORTED, "it got a bias, which the operator does not have in ONNX");
    }
    TRY(bias_integers(e, l, b, &integers));
    TRY(export_integers(e, &integers, n, &result));
    return n->input_count > 2 ? node_set_input(e->ctx, n, 2, result) : node_append_input(e->ctx, n, result);
}

enum pare_status export_linear(struct export *e, struct linear *l) {
    const struct bias_choice *bias = NULL;
    struct node *n = map_get(&e->copies, l->node);
    if (l->weights == NULL) {
        return fail(e->ctx, PARE_ERROR_INTERNAL, "no weights were chosen");
    }
    TRY(linear_bias_choice(e->ctx, (struct arena *)&e->scheme->arena, l, &bias));
    TRY(export_weights(e, l, n));
    return l->bias != NULL || bias->format.bits > 0 ? export_bias(e, l, bias, n) : PARE_OK;
}
