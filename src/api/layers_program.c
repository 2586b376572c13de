/* An integer program as layers: one row per operator. */
#include "api/layers.h"

#include "fixed/exact_bits.h"
#include "quant/certificate.h"
#include "runtime/codes.h"

static const char *const kind_names[PARE_KIND_COUNT] = {
    [PARE_CONV] = "Conv",
    [PARE_CONV_TRANSPOSE] = "ConvTranspose",
    [PARE_DENSE] = "Gemm",
    [PARE_MATMUL] = "MatMul",
    [PARE_ADD] = "Add",
    [PARE_MUL] = "Mul",
    [PARE_PRELU] = "PRelu",
    [PARE_CONCAT] = "Concat",
    [PARE_MAX_POOL] = "MaxPool",
    [PARE_AVERAGE_POOL] = "AveragePool",
    [PARE_REDUCE_MEAN] = "ReduceMean",
    [PARE_TABLE] = "table",
    [PARE_REQUANTIZE] = "requantize",
    [PARE_COPY] = "copy",
    [PARE_GATHER] = "Gather",
    [PARE_HOST] = "float",
};

static uint64_t macs_of(const struct program *p, const struct pare_op *op) {
    uint64_t outputs = p->values[op->output].count;
    switch (op->kind) {
    case PARE_CONV:
    case PARE_DENSE:
        return outputs * op->weights.columns;
    case PARE_CONV_TRANSPOSE: {
        /* Every input element meets each tap of every output channel of its group once. */
        const struct pare_window *w = &op->u.window;
        return (uint64_t)p->values[op->inputs[0]].count * (w->out_c / w->group) * w->kernel_h * w->kernel_w;
    }
    case PARE_MATMUL:
        return outputs * op->u.matmul.k;
    default:
        return 0;
    }
}

/* Widens packed fractions for struct format; one per row, or one. */
static enum pare_status set_fractions(struct context *ctx, struct arena *arena, struct format *f, const int8_t *frac,
                                      bool per_row, unsigned bits, uint32_t rows) {
    if (f->bits == 0 || frac == NULL) {
        return PARE_OK;
    }
    f->frac = frac_at(frac, per_row, bits, 0);
    if (per_row) {
        f->channel_frac = ARENA_ARRAY(arena, rows, int);
        if (f->channel_frac == NULL) {
            return fail_memory(ctx);
        }
        f->channels = (int)rows;
        for (uint32_t r = 0; r < rows; r++) {
            f->channel_frac[r] = frac_at(frac, true, bits, r);
        }
    }
    return PARE_OK;
}

static enum pare_status fill_parameters(struct context *ctx, struct arena *arena, const struct pare_op *op,
                                        struct inspected_layer *row) {
    struct tensor_report *weight = &row->layer.weight, *bias = &row->layer.bias;
    weight->count = (uint64_t)op->weights.rows * op->weights.columns;
    weight->format = (struct format){.bits = op->weights.bits, .is_signed = true};
    TRY(set_fractions(ctx, arena, &weight->format, op->weights.frac, op->weights.frac_per_row, op->weights.frac_bits,
                      op->weights.rows));
    if (op->bias.bits > 0) {
        bias->count = op->weights.rows;
        bias->format = (struct format){.bits = op->bias.bits, .is_signed = true};
        TRY(set_fractions(ctx, arena, &bias->format, op->bias.frac, op->bias.frac_per_row, op->bias.frac_bits,
                          op->weights.rows));
    }
    row->parameters = weight->count + bias->count;
    return PARE_OK;
}

static struct inspected_shape shape_of(struct arena *arena, const struct pare_value *v) {
    struct dim *dims = ARENA_ARRAY(arena, v->rank, struct dim);
    for (int i = 0; dims != NULL && i < v->rank; i++) {
        dims[i].value = v->dims[i];
    }
    return (struct inspected_shape){v->rank, dims};
}

static const char *name_at(const char *const *names, uint32_t index, const char *otherwise) {
    return names != NULL && names[index] != NULL ? names[index] : otherwise;
}

struct tensor_report codes_of_value(const struct pare_value *v) {
    return (struct tensor_report){.format = {.bits = v->bits, .is_signed = v->is_signed, .frac = v->frac},
                                  .count = v->count};
}

static enum pare_status fill_layer(struct context *ctx, struct arena *arena, const struct program *p, uint32_t index,
                                   struct inspected_layer *row) {
    const struct pare_op *op = &p->ops[index];
    const struct pare_value *output = &p->values[op->output];
    const char *name = name_at(p->op_names, index, arena_format(arena, "op_%u", (unsigned)index));
    row->layer = (struct layer_report){.name = name,
                                       .op = name_at(p->op_types, index, kind_names[op->kind]),
                                       .macs = macs_of(p, op),
                                       .is_float = op->kind == PARE_HOST};
    row->layer.output = codes_of_value(output);
    row->output_shape = shape_of(arena, output);
    if (row->output_shape.dims == NULL || name == NULL) {
        return fail_memory(ctx);
    }
    if (!row->layer.is_float) {
        row->layer.accumulator_bits = op->wide ? 64 : 32;
        row->layer.exact_in_float32 = op_exact_in_float32(p, op);
    }
    return pare_kind_has_weights(op->kind) ? fill_parameters(ctx, arena, op, row) : PARE_OK;
}

enum pare_status layers_of_program(struct context *ctx, struct arena *arena, const struct program *p,
                                   struct inspection *out) {
    out->layers = ARENA_ARRAY(arena, p->op_count, struct inspected_layer);
    if (out->layers == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        TRY(fill_layer(ctx, arena, p, i, &out->layers[i]));
    }
    out->layer_count = p->op_count;
    out->quantized = true;
    out->exact_bits = program_exact_bits(p);
    return PARE_OK;
}
