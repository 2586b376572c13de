/* Attention: softmax(scale * Q K' + mask) V, head by head. */
#include "float/kernels.h"
#include "graph/broadcast.h"

#include <math.h>
#include <string.h>

/* Inputs by their place. */
enum { QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, NONPAD };

/* Heads of an input, in double: element k of position t in head h of sample b. */
struct heads {
    const double *data;
    int64_t heads, length, size;
    bool packed; /* [batch, length, heads * size]; else [batch, heads, length, size] */
};

static const double *head_row(const struct heads *h, int64_t batch, int64_t head, int64_t t) {
    int64_t row = h->packed ? (batch * h->length + t) * h->heads + head : (batch * h->heads + head) * h->length + t;
    return h->data + row * h->size;
}

static enum pare_status load_heads(struct float_call *c, int index, const char *attr, struct heads *out) {
    const struct tensor *t = call_input(c, index);
    double *data = NULL;
    if (t == NULL) {
        return PARE_OK;
    }
    TRY(call_doubles(c, index, &data));
    const int64_t *d = t->shape.dim;
    bool packed = t->shape.rank == 3;
    int64_t heads = packed ? node_int(c->node, attr) : d[1];
    *out = (struct heads){data, heads, packed ? d[1] : d[2], packed ? d[2] / heads : d[3], packed};
    return PARE_OK;
}

struct attention {
    struct float_call *call;
    struct heads q, k, v, past_k, past_v;
    int64_t batch, total, groups; /* keys with the past; query heads per key head */
    double scale, softcap;
    bool causal;
    int64_t left, right, output_mode;
    struct shape scores; /* [batch, heads, queries, total] */
    int64_t mask_stride[TENSOR_MAX_RANK];
    double *row; /* scratch, [total] */
};

/* A row of the past, or of what is new behind it. */
static const double *joined_row(const struct heads *past, const struct heads *now, int64_t b, int64_t h, int64_t t) {
    return t < past->length ? head_row(past, b, h, t) : head_row(now, b, h, t - past->length);
}

/* How many keys stand before the present queries. */
static int64_t offset_of(const struct attention *a, int64_t b) {
    const struct tensor *nonpad = call_input(a->call, NONPAD);
    if (a->past_k.data != NULL || nonpad == NULL) {
        return a->past_k.length;
    }
    return tensor_get_int(nonpad, (size_t)b) - a->q.length;
}

static bool is_visible(const struct attention *a, int64_t b, int64_t query, int64_t key) {
    const struct tensor *nonpad = call_input(a->call, NONPAD);
    int64_t position = offset_of(a, b) + query;
    return (nonpad == NULL || key < tensor_get_int(nonpad, (size_t)b)) && (!a->causal || key <= position) &&
           (a->left < 0 || key >= position - a->left) && (a->right < 0 || key <= position + a->right);
}

/* What the mask adds; -infinity hides a key. A mask with fewer keys hides the others. */
static double mask_at(const struct attention *a, int64_t b, int64_t h, int64_t query, int64_t key) {
    const struct tensor *mask = call_input(a->call, MASK);
    if (mask == NULL) {
        return 0.0;
    }
    if (mask->shape.rank > 0 && key >= mask->shape.dim[mask->shape.rank - 1] &&
        mask->shape.dim[mask->shape.rank - 1] != 1) {
        return -(double)INFINITY;
    }
    size_t at =
        (size_t)(b * a->mask_stride[0] + h * a->mask_stride[1] + query * a->mask_stride[2] + key * a->mask_stride[3]);
    return mask->type != DTYPE_BOOL        ? tensor_get_double(mask, at)
           : tensor_get_int(mask, at) != 0 ? 0.0
                                           : -(double)INFINITY;
}

static void note(const struct attention *a, int64_t mode, size_t row, const double *scores) {
    for (int64_t i = 0; mode == a->output_mode && call_wants(a->call, 3) && i < a->total; i++) {
        tensor_set_double(&a->call->outputs[3], row * (size_t)a->total + (size_t)i, scores[i]);
    }
}

/* A row without any visible key becomes zeros. */
static void softmax_row(double *x, int64_t count) {
    double largest = -(double)INFINITY, sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, x[i]);
    }
    for (int64_t i = 0; i < count; i++) {
        x[i] = isinf(largest) && largest < 0 ? 0.0 : exp(x[i] - largest);
        sum += x[i];
    }
    for (int64_t i = 0; i < count && sum > 0.0; i++) {
        x[i] /= sum;
    }
}

static void score_row(const struct attention *a, int64_t b, int64_t h, int64_t query, size_t row) {
    const double *q = head_row(&a->q, b, h, query);
    for (int64_t key = 0; key < a->total; key++) {
        const double *k = joined_row(&a->past_k, &a->k, b, h / a->groups, key);
        double sum = 0.0;
        for (int64_t i = 0; i < a->q.size; i++) {
            sum += q[i] * k[i];
        }
        a->row[key] = sum * a->scale;
    }
    note(a, 0, row, a->row);
    for (int64_t key = 0; a->softcap != 0.0 && key < a->total; key++) {
        a->row[key] = a->softcap * tanh(a->row[key] / a->softcap);
    }
    note(a, 1, row, a->row);
    for (int64_t key = 0; key < a->total; key++) {
        a->row[key] += is_visible(a, b, query, key) ? mask_at(a, b, h, query, key) : -(double)INFINITY;
    }
    note(a, 2, row, a->row);
    softmax_row(a->row, a->total);
    note(a, 3, row, a->row);
}

static void attend_row(const struct attention *a, int64_t b, int64_t h, int64_t query) {
    size_t row = (size_t)((b * a->q.heads + h) * a->q.length + query);
    score_row(a, b, h, query, row);
    size_t out = a->q.packed ? (size_t)((b * a->q.length + query) * a->q.heads + h) : row;
    for (int64_t i = 0; i < a->v.size; i++) {
        double sum = 0.0;
        for (int64_t key = 0; key < a->total; key++) {
            double weight = a->row[key];
            sum += weight == 0.0 ? 0.0 : weight * joined_row(&a->past_v, &a->v, b, h / a->groups, key)[i];
        }
        tensor_set_double(&a->call->outputs[0], out * (size_t)a->v.size + (size_t)i, sum);
    }
}

/* The past with what is new behind it. */
static void give_present(const struct attention *a, int output, const struct heads *past, const struct heads *now) {
    size_t at = 0;
    for (int64_t i = 0; call_wants(a->call, output) && i < a->batch * now->heads * a->total; i++) {
        const double *row = joined_row(past, now, i / (now->heads * a->total), i / a->total % now->heads, i % a->total);
        for (int64_t k = 0; k < now->size; k++) {
            tensor_set_double(&a->call->outputs[output], at++, row[k]);
        }
    }
}

static enum pare_status set_up_mask(struct attention *a) {
    const struct tensor *mask = call_input(a->call, MASK);
    if (mask == NULL) {
        return PARE_OK;
    }
    struct shape given = mask->shape, out;
    if (given.rank > 0 && given.dim[given.rank - 1] < a->total && given.dim[given.rank - 1] != 1) {
        given.dim[given.rank - 1] = a->total; /* the rest is hidden; strides come from the mask itself */
    }
    if (given.rank > 4 || !broadcast_shape(&given, &a->scores, &out) || !shape_equal(&out, &a->scores)) {
        return fail(a->call->ctx, PARE_ERROR_INPUT, "the mask does not broadcast to the scores");
    }
    struct shape own = a->scores;
    own.dim[3] = mask->shape.rank > 0 ? mask->shape.dim[mask->shape.rank - 1] : 1;
    broadcast_strides(&mask->shape, &own, a->mask_stride);
    a->mask_stride[3] = own.dim[3] == 1 ? 0 : 1;
    return PARE_OK;
}

static enum pare_status set_up(struct attention *a) {
    struct float_call *c = a->call;
    const struct tensor *nonpad = call_input(c, NONPAD);
    TRY(load_heads(c, QUERY, "q_num_heads", &a->q));
    TRY(load_heads(c, KEY, "kv_num_heads", &a->k));
    TRY(load_heads(c, VALUE, "kv_num_heads", &a->v));
    TRY(load_heads(c, PAST_KEY, "", &a->past_k));
    TRY(load_heads(c, PAST_VALUE, "", &a->past_v));
    a->batch = c->inputs[QUERY]->shape.dim[0];
    a->total = a->past_k.length + a->k.length;
    bool past_fits = (a->past_k.data == NULL) == (a->past_v.data == NULL) && a->past_k.length == a->past_v.length;
    if (a->past_k.data != NULL && past_fits) {
        past_fits = a->past_k.heads == a->k.heads && a->past_v.heads == a->k.heads && a->past_k.size == a->k.size &&
                    a->past_v.size == a->v.size && c->inputs[PAST_KEY]->shape.dim[0] == a->batch &&
                    c->inputs[PAST_VALUE]->shape.dim[0] == a->batch;
    }
    if (!past_fits || a->k.heads < 1 || (nonpad != NULL && tensor_count(nonpad) != (size_t)a->batch)) {
        return fail(c->ctx, PARE_ERROR_INPUT, "past keys and values do not fit, or lengths are not one per sample");
    }
    a->groups = a->q.heads / a->k.heads;
    a->scores = (struct shape){4, {a->batch, a->q.heads, a->q.length, a->total}};
    a->row = call_scratch(c, (size_t)a->total, sizeof *a->row);
    return a->row == NULL ? PARE_ERROR_MEMORY : set_up_mask(a);
}

enum pare_status float_attention(struct float_call *c) {
    struct attention a = {.call = c,
                          .softcap = (double)node_float(c->node, "softcap"),
                          .causal = node_int(c->node, "is_causal") != 0,
                          .left = node_int(c->node, "left_window_size"),
                          .right = node_int(c->node, "right_window_size"),
                          .output_mode = node_int(c->node, "qk_matmul_output_mode")};
    TRY(set_up(&a));
    bool given = node_attr(c->node, "scale") != NULL;
    a.scale = given ? (double)node_float(c->node, "scale") : 1.0 / sqrt((double)a.q.size);
    for (int64_t i = 0; i < a.batch * a.q.heads * a.q.length; i++) {
        attend_row(&a, i / (a.q.heads * a.q.length), i / a.q.length % a.q.heads, i % a.q.length);
    }
    give_present(&a, 1, &a.past_k, &a.k);
    give_present(&a, 2, &a.past_v, &a.v);
    return PARE_OK;
}
