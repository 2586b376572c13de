/* Sums of products of integer codes: ConvInteger, MatMulInteger, QLinearConv, QLinearMatMul, QGemm. Sums wrap as int32,
 * as those of other runtimes do; below 33,000 terms nothing wraps. */
#include "float/codes_call.h"
#include "float/geometry.h"
#include "graph/broadcast.h"

#include <string.h>

/* ---- convolution ---- */

struct conv {
    struct grid grid;
    int64_t batch, groups, in_channels, out_channels; /* channels of one group */
    const int32_t *x, *w;
    int32_t *sums; /* [batch][groups * out_channels][positions] */
};

struct tap_run {
    const int32_t *image, *kernel;
    int32_t *sums;
    int64_t stride;
};

static void add_tap(void *user, const struct grid_run *run) {
    const struct tap_run *t = user;
    const int32_t *x = t->image + run->image;
    int32_t *y = t->sums + run->output;
    uint32_t w = (uint32_t)t->kernel[run->tap];
    for (int64_t i = 0; i < run->count; i++) {
        y[i] = (int32_t)((uint32_t)y[i] + w * (uint32_t)x[i * t->stride]);
    }
}

static void conv_channel(const struct conv *v, int64_t image, int64_t channel) {
    const struct grid *g = &v->grid;
    int64_t group = channel / v->out_channels, first = (image * v->groups + group) * v->in_channels;
    struct tap_run t = {.sums = v->sums + (image * v->groups * v->out_channels + channel) * grid_output_size(g),
                        .stride = g->stride[2]};
    for (int64_t i = 0; i < v->in_channels; i++) {
        t.image = v->x + (first + i) * grid_image_size(g);
        t.kernel = v->w + (channel * v->in_channels + i) * grid_taps(g);
        grid_visit(g, add_tap, &t);
    }
}

/* Operands at inputs `x` and `w`, with zero points at `x_zero` and `w_zero`. */
static enum pare_status conv_sums(struct float_call *c, const int at[4], struct conv *v) {
    const struct tensor *operands[] = {c->inputs[at[0]], c->inputs[at[2]]};
    const struct shape *w = &operands[1]->shape;
    struct float_call plain = *c;
    int32_t *x = NULL, *codes = NULL;
    plain.inputs = operands;
    TRY(grid_of_conv(&plain, &v->grid));
    TRY(call_centred(c, at[0], at[1], 0, &x));
    TRY(call_centred(c, at[2], at[3], 0, &codes));
    v->groups = node_int(c->node, "group");
    v->batch = operands[0]->shape.dim[0];
    v->in_channels = w->dim[1];
    v->out_channels = w->dim[0] / v->groups;
    v->x = x;
    v->w = codes;
    size_t count = tensor_count(&c->outputs[0]);
    v->sums = call_scratch(c, count, sizeof *v->sums);
    if (v->sums == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (int64_t i = 0; count > 0 && i < v->batch * w->dim[0]; i++) {
        conv_channel(v, i / w->dim[0], i % w->dim[0]);
    }
    return PARE_OK;
}

enum pare_status float_conv_integer(struct float_call *c) {
    struct conv v;
    TRY(conv_sums(c, (const int[]){0, 2, 1, 3}, &v));
    if (tensor_count(&c->outputs[0]) > 0) {
        memcpy(c->outputs[0].data, v.sums, tensor_bytes(&c->outputs[0]));
    }
    return PARE_OK;
}

/* One factor per channel: factor * scales of input `index` / the scale of the output, rounded after each step. */
static enum pare_status output_scales(struct float_call *c, float factor, int index, float output, float **out,
                                      size_t *count) {
    const struct tensor *scale = c->inputs[index];
    *count = tensor_count(scale);
    *out = call_scratch(c, *count, sizeof **out);
    if (*out == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < *count; i++) {
        float product = factor * (float)tensor_get_double(scale, i);
        (*out)[i] = product / output;
    }
    return PARE_OK;
}

enum pare_status float_qlinear_conv(struct float_call *c) {
    struct conv v;
    float *scales = NULL;
    const struct tensor *bias = call_input(c, 8);
    TRY(conv_sums(c, (const int[]){0, 2, 3, 5}, &v));
    struct requantize r = {.rows = (size_t)(v.batch * v.groups * v.out_channels),
                           .row = (size_t)grid_output_size(&v.grid),
                           .zero = call_zero(c, 7)};
    TRY(output_scales(c, call_scale(c, 1, 1), 4, call_scale(c, 6, 1), &scales, &r.scales));
    size_t channels = (size_t)(v.groups * v.out_channels);
    float *each = call_scratch(c, channels, sizeof *each);
    if (each == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < channels; i++) {
        each[i] = scales[r.scales == 1 ? 0 : i];
    }
    r.scale = each;
    r.scales = channels;
    r.add = bias == NULL ? NULL : bias->data;
    return call_requantize(c, &r, v.sums);
}

/* ---- matrices ---- */

struct product {
    int64_t rows, columns, depth;
    int64_t a_row, a_depth, b_depth, b_column; /* steps in elements */
};

static void multiply(const struct product *p, const int32_t *a, const int32_t *b, int32_t *sums) {
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t k = 0; k < p->depth; k++) {
            uint32_t x = (uint32_t)a[i * p->a_row + k * p->a_depth];
            for (int64_t j = 0; x != 0 && j < p->columns; j++) {
                int32_t *y = &sums[i * p->columns + j];
                *y = (int32_t)((uint32_t)*y + x * (uint32_t)b[k * p->b_depth + j * p->b_column]);
            }
        }
    }
}

/* Operands as stacks of matrices; a vector is one row on the left, one column on the right. */
static struct shape stacked(const struct shape *s, bool is_left) {
    struct shape matrix = {.rank = 2, .dim = {is_left ? 1 : s->dim[0], is_left ? s->dim[0] : 1}};
    return s->rank == 1 ? matrix : *s;
}

static enum pare_status matmul_sums(struct float_call *c, const int at[4], int32_t **sums) {
    const struct shape *left = &c->inputs[at[0]]->shape;
    struct shape a = stacked(left, true), b = stacked(&c->inputs[at[2]]->shape, false), stack;
    struct product p = {.rows = a.dim[a.rank - 2], .depth = a.dim[a.rank - 1], .columns = b.dim[b.rank - 1]};
    int32_t *x = NULL, *w = NULL;
    int64_t a_stride[TENSOR_MAX_RANK], b_stride[TENSOR_MAX_RANK];
    p.a_row = p.depth;
    p.b_depth = p.columns;
    p.a_depth = p.b_column = 1;
    a.rank -= 2;
    b.rank -= 2;
    if (!broadcast_shape(&a, &b, &stack)) {
        return fail(c->ctx, PARE_ERROR_INTERNAL, "the stacks of matrices do not broadcast");
    }
    broadcast_strides(&a, &stack, a_stride);
    broadcast_strides(&b, &stack, b_stride);
    TRY(call_centred(c, at[0], at[1], left->rank - 2, &x));
    TRY(call_centred(c, at[2], at[3], c->inputs[at[2]]->shape.rank - 1, &w));
    *sums = call_scratch(c, tensor_count(&c->outputs[0]), sizeof **sums);
    if (*sums == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < (int64_t)dims_product(&stack, 0, stack.rank); i++) {
        multiply(&p, x + broadcast_offset(&stack, a_stride, i) * p.rows * p.depth,
                 w + broadcast_offset(&stack, b_stride, i) * p.depth * p.columns, *sums + i * p.rows * p.columns);
    }
    return PARE_OK;
}

enum pare_status float_matmul_integer(struct float_call *c) {
    int32_t *sums = NULL;
    TRY(matmul_sums(c, (const int[]){0, 2, 1, 3}, &sums));
    if (tensor_count(&c->outputs[0]) > 0) {
        memcpy(c->outputs[0].data, sums, tensor_bytes(&c->outputs[0]));
    }
    return PARE_OK;
}

/* Sums of rows of `columns`, to codes. */
static enum pare_status columns_to_codes(struct float_call *c, struct requantize *r, int64_t columns,
                                         const int32_t *sums) {
    size_t count = tensor_count(&c->outputs[0]);
    r->row = (size_t)columns;
    r->rows = columns > 0 ? count / r->row : 0;
    r->inner = true;
    return call_requantize(c, r, sums);
}

enum pare_status float_qlinear_matmul(struct float_call *c) {
    const struct shape *b = &c->inputs[3]->shape;
    int32_t *sums = NULL;
    float *scales = NULL;
    struct requantize r = {.zero = call_zero(c, 7)};
    TRY(matmul_sums(c, (const int[]){0, 2, 3, 5}, &sums));
    TRY(output_scales(c, call_scale(c, 1, 1), 4, call_scale(c, 6, 1), &scales, &r.scales));
    r.scale = scales;
    return columns_to_codes(c, &r, b->rank == 1 ? 1 : b->dim[b->rank - 1], sums);
}

/* ---- QGemm ---- */

static enum pare_status gemm_sums(struct float_call *c, struct product *p, int32_t **sums) {
    const struct shape *a = &c->inputs[0]->shape, *b = &c->inputs[3]->shape;
    bool ta = node_int(c->node, "transA") != 0, tb = node_int(c->node, "transB") != 0;
    int32_t *x = NULL, *w = NULL;
    *p = (struct product){.rows = a->dim[ta], .depth = a->dim[!ta], .columns = b->dim[!tb]};
    p->a_row = ta ? 1 : a->dim[1];
    p->a_depth = ta ? a->dim[1] : 1;
    p->b_depth = tb ? 1 : b->dim[1];
    p->b_column = tb ? b->dim[1] : 1;
    TRY(call_centred(c, 0, 2, 0, &x));
    TRY(call_centred(c, 3, 5, tb ? 0 : 1, &w));
    *sums = call_scratch(c, tensor_count(&c->outputs[0]), sizeof **sums);
    if (*sums == NULL) {
        return PARE_ERROR_MEMORY;
    }
    multiply(p, x, w, *sums);
    return PARE_OK;
}

static void add_addend(struct float_call *c, const struct product *p, int32_t *sums) {
    const struct tensor *addend = call_input(c, 6);
    int64_t stride[TENSOR_MAX_RANK];
    if (addend == NULL) {
        return;
    }
    broadcast_strides(&addend->shape, &c->outputs[0].shape, stride);
    for (int64_t i = 0; i < p->rows * p->columns; i++) {
        int32_t more = ((const int32_t *)addend->data)[i / p->columns * stride[0] + i % p->columns * stride[1]];
        sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)more);
    }
}

enum pare_status float_qgemm(struct float_call *c) {
    struct product p;
    struct requantize r = {.zero = call_zero(c, 8)};
    int32_t *sums = NULL;
    float *scales = NULL;
    TRY(gemm_sums(c, &p, &sums));
    add_addend(c, &p, sums);
    float factor = node_float(c->node, "alpha") * call_scale(c, 1, 1);
    TRY(output_scales(c, factor, 4, call_scale(c, 7, 1), &scales, &r.scales));
    r.scale = scales;
    if (c->outputs[0].type != DTYPE_FLOAT) {
        return columns_to_codes(c, &r, p.columns, sums);
    }
    for (int64_t i = 0; i < p.rows * p.columns; i++) {
        ((float *)c->outputs[0].data)[i] = (float)sums[i] * scales[r.scales == 1 ? 0 : i % p.columns];
    }
    return PARE_OK;
}
