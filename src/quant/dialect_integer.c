/*   codes of x ──▶ bytes ─┐
 *                         ├─▶ ConvInteger each ──▶ sum of 256^k times them, in double ──▶ + bias ──▶ * 2^-shift ──▶
 * Round codes of w ──▶ bytes ─┘                                                                            float ◀── *
 * step
 *
 * Every byte is unsigned, the upper one with a zero point where codes are signed: 8-bit products of mixed signs
 * saturate in the integer kernels of some processors. A sum of bytes stays below 2^31 for up to 33,000 terms; beyond,
 * the layer stays as it is. The double sum is exact up to 2^53. What an Add behind takes unrounded is added before
 * Round. */
#include "passes/rewrite.h"
#include "quant/dialect.h"

#include "graph/op.h"
#include "passes/passes.h"
#include "quant/certificate.h"
#include "quant/dialect_build.h"
#include "quant/parameters.h"

#include <math.h>
#include <string.h>

#define FLOAT32_EXACT (INT64_C(1) << 24)
#define DOUBLE_EXACT (INT64_C(1) << 53)
#define TERMS_MAX 33000
#define BYTES_MAX 2

/* Codes as unsigned bytes, the lowest first: code = sum of 256^k * (byte[k] - zero[k]). */
struct bytes {
    int count;
    struct value *byte[BYTES_MAX], *zero[BYTES_MAX];
};

/* What is added to codes to make them unsigned. */
static int64_t offset_of(const struct format *f, int bytes) {
    return !f->is_signed ? 0 : bytes == 1 ? 128 : 32768;
}

static int bytes_of_format(const struct format *f) {
    return f->bits > 8 ? 2 : 1;
}

static enum pare_status add_zeros(struct context *ctx, struct graph *g, const struct format *f, struct bytes *b) {
    for (int k = 0; k < b->count; k++) {
        bool upper = k == b->count - 1;
        double zero = upper && f->is_signed ? 128 : 0;
        TRY(build_scalar(ctx, g, DTYPE_UINT8, zero, "zero_point", &b->zero[k]));
    }
    return PARE_OK;
}

/* ---- operands ---- */

static enum pare_status split_input(struct context *ctx, struct node *n, const struct format *f, struct bytes *b) {
    struct value *code = NULL, *upper = NULL, *lower = NULL;
    b->count = bytes_of_format(f);
    TRY(build_cast(ctx, n, n->inputs[0], DTYPE_DOUBLE, &code));
    TRY(build_with_scalar(ctx, n, "Mul", code, ldexp(1, f->frac), &code));
    TRY(build_with_scalar(ctx, n, "Add", code, (double)offset_of(f, b->count), &code));
    if (b->count == 2) {
        TRY(build_with_scalar(ctx, n, "Mul", code, 1.0 / 256, &upper));
        TRY(build_node(ctx, n, "Floor", &upper, 1, "upper", &upper));
        TRY(build_with_scalar(ctx, n, "Mul", upper, 256, &lower));
        TRY(build_node(ctx, n, "Sub", (struct value *[]){code, lower}, 2, "lower", &code));
        TRY(build_cast(ctx, n, upper, DTYPE_UINT8, &b->byte[1]));
    }
    TRY(build_cast(ctx, n, code, DTYPE_UINT8, &b->byte[0]));
    return add_zeros(ctx, n->graph, f, b);
}

/* As ConvInteger and MatMulInteger read them: [out][in][kernel], or [in][out]. */
static size_t weight_place(const struct linear *l, uint32_t row, uint32_t column) {
    return l->node->op->id == OP_Conv ? (size_t)row * l->columns + column : (size_t)column * l->rows + row;
}

static struct shape weight_shape(const struct linear *l) {
    return l->node->op->id == OP_Conv ? l->weight->constant->shape : (struct shape){2, {l->columns, l->rows}};
}

static enum pare_status split_weights(struct context *ctx, struct graph *g, const struct linear *l, struct bytes *b) {
    const struct format *f = &l->weights->format;
    struct shape shape = weight_shape(l);
    struct tensor part;
    b->count = bytes_of_format(f);
    for (int k = 0; k < b->count; k++) {
        TRY(tensor_new(ctx, g->arena, DTYPE_UINT8, &shape, &part));
        for (uint32_t r = 0; r < l->rows; r++) {
            for (uint32_t c = 0; c < l->columns; c++) {
                int64_t code = l->weights->codes[(size_t)r * l->columns + c] + offset_of(f, b->count);
                ((uint8_t *)part.data)[weight_place(l, r, c)] = (uint8_t)(code >> (8 * k) & 0xff);
            }
        }
        TRY(graph_add_constant(ctx, g, l->weight->name, &part, &b->byte[k]));
    }
    return add_zeros(ctx, g, f, b);
}

/* ---- sums ---- */

static enum pare_status sum_of_products(struct context *ctx, struct node *n, const struct bytes *x,
                                        const struct bytes *w, struct value **out) {
    const char *op = node_is(n, "Conv") ? "ConvInteger" : "MatMulInteger";
    *out = NULL;
    for (int i = 0; i < x->count * w->count; i++) {
        int a = i / w->count, b = i % w->count;
        struct value *inputs[] = {x->byte[a], w->byte[b], x->zero[a], w->zero[b]}, *part = NULL;
        TRY(build_node(ctx, n, op, inputs, 4, "products", &part));
        TRY(node_copy_attributes(ctx, n, part->producer));
        TRY(build_cast(ctx, n, part, DTYPE_DOUBLE, &part));
        TRY(a + b == 0 ? PARE_OK : build_with_scalar(ctx, n, "Mul", part, ldexp(1, 8 * (a + b)), &part));
        TRY(*out == NULL ? PARE_OK : build_node(ctx, n, "Add", (struct value *[]){*out, part}, 2, "sums", &part));
        *out = part;
    }
    return PARE_OK;
}

/* One double per row, in a shape that broadcasts to the output. */
static enum pare_status per_row(struct context *ctx, struct node *n, const struct linear *l, const double *values,
                                struct value **out) {
    struct tensor t;
    int spatial = node_is(n, "Conv") ? l->weight->constant->shape.rank - 2 : 0;
    struct shape shape = {.rank = 1 + spatial, .dim = {l->rows}};
    for (int i = 1; i < shape.rank; i++) {
        shape.dim[i] = 1;
    }
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_DOUBLE, &shape, &t));
    for (uint32_t r = 0; r < l->rows; r++) {
        tensor_set_double(&t, r, values[r]);
    }
    return graph_add_constant(ctx, n->graph, "per_channel", &t, out);
}

struct rows {
    double *bias, *factor; /* in units of the sums, and from there to codes of the output */
};

static enum pare_status rows_of(struct context *ctx, struct arena *a, const struct linear *l,
                                const struct bias_choice *b, struct rows *rows) {
    rows->bias = ARENA_ARRAY(a, l->rows, double);
    rows->factor = ARENA_ARRAY(a, l->rows, double);
    if (rows->bias == NULL || rows->factor == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t r = 0; r < l->rows; r++) {
        int frac = format_frac(&l->weights->format, (int)r) + l->in->format.frac;
        bool has_bias = b->format.bits > 0;
        rows->bias[r] = has_bias ? ldexp(b->codes[r], frac - format_frac(&b->format, (int)r)) : 0;
        rows->factor[r] = ldexp(1, l->out->format.frac - frac);
    }
    return PARE_OK;
}

/* Codes of the output, not rounded: what is added behind the layer, if anything, in double too. *last is the node whose
 * result they replace. */
static enum pare_status add_addend(struct context *ctx, const struct linear *l, struct node *n, struct value **codes,
                                   struct node **last) {
    struct value *pair[2] = {*codes, NULL};
    *last = n;
    if (l->sum == NULL) {
        return PARE_OK;
    }
    *last = value_single_user(n->outputs[0]);
    struct value *addend = (*last)->inputs[(*last)->inputs[0] == n->outputs[0]];
    TRY(build_cast(ctx, *last, addend, DTYPE_DOUBLE, &pair[1]));
    TRY(build_with_scalar(ctx, *last, "Mul", pair[1], ldexp(1, l->out->format.frac), &pair[1]));
    return build_node(ctx, *last, "Add", pair, 2, "unrounded", codes);
}

static enum pare_status rewrite(struct context *ctx, struct arena *a, const struct linear *l,
                                const struct bias_choice *bias, struct node *n) {
    struct bytes x = {.count = 0}, w = {.count = 0};
    struct rows rows;
    struct value *pair[2] = {NULL, NULL};
    struct node *last = NULL;
    TRY(split_input(ctx, n, &l->in->format, &x));
    TRY(split_weights(ctx, n->graph, l, &w));
    TRY(sum_of_products(ctx, n, &x, &w, &pair[0]));
    TRY(rows_of(ctx, a, l, bias, &rows));
    TRY(per_row(ctx, n, l, rows.bias, &pair[1]));
    TRY(build_node(ctx, n, "Add", pair, 2, "sums", &pair[0]));
    TRY(per_row(ctx, n, l, rows.factor, &pair[1]));
    TRY(build_node(ctx, n, "Mul", pair, 2, "unrounded", &pair[0]));
    TRY(add_addend(ctx, l, n, &pair[0], &last));
    TRY(build_node(ctx, last, "Round", pair, 1, "rounded", &pair[0]));
    TRY(build_with_scalar(ctx, last, "Mul", pair[0], ldexp(1, -l->out->format.frac), &pair[0]));
    TRY(build_cast(ctx, last, pair[0], DTYPE_FLOAT, &pair[0]));
    TRY(graph_replace(ctx, n->graph, last->outputs[0], pair[0]));
    graph_remove_node(n->graph, last);
    if (last != n) {
        graph_remove_node(n->graph, n);
    }
    return PARE_OK;
}

/* ---- which layers ---- */

static struct node *find_node(const struct graph *g, const char *name) {
    for (struct node *n = g->first; n != NULL; n = n->next) {
        if (strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

static const char *obstacle(const struct linear *l, int64_t largest) {
    enum op_id id = l->node->op->id;
    if (id != OP_Conv && id != OP_Gemm && id != OP_MatMul) {
        return "ONNX has no integer operator for it";
    }
    if (l->zero_point != NULL) {
        return "its input has zero points of its own";
    }
    if (largest > DOUBLE_EXACT) {
        return "its sums need more than the 53 bits of a double";
    }
    return l->columns > TERMS_MAX ? "its sums have too many terms" : NULL;
}

static enum pare_status rewrite_linear(struct context *ctx, struct scheme *s, struct linear *l, struct graph *g,
                                       int *changed) {
    const struct bias_choice *bias = NULL;
    struct node *n = find_node(g, l->node->name);
    struct arena scratch;
    TRY(linear_bias_choice(ctx, &s->arena, l, &bias));
    int64_t largest = linear_accumulator(l, bias);
    if (n == NULL || largest <= FLOAT32_EXACT) {
        return PARE_OK;
    }
    if (obstacle(l, largest) != NULL) {
        context_warn(ctx, "%s (%s) stays in float, where its sums may be rounded: %s", n->name, n->op->name,
                     obstacle(l, largest));
        return PARE_OK;
    }
    ++*changed;
    arena_init(&scratch);
    enum pare_status status = rewrite(ctx, &scratch, l, bias, n);
    arena_free(&scratch);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s (%s)", l->node->name, l->node->op->name);
}

enum pare_status dialect_integer(struct context *ctx, struct scheme *s, struct graph *g, int *changed) {
    int removed = 0;
    *changed = 0;
    for (size_t i = 0; i < s->linear_count; i++) {
        TRY(rewrite_linear(ctx, s, &s->linears[i], g, changed));
    }
    TRY(graph_infer(ctx, g));
    return passes_run_one(ctx, g, "dead_code", &removed);
}
