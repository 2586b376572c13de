/* RotaryEmbedding, LinearAttention and CausalConvWithState. */
#include "float/kernels.h"

#include <math.h>
#include <string.h>

/* ---- RotaryEmbedding: pairs of features are turned by an angle that grows with the position ---- */

struct rotation {
    int64_t batch, length, heads, size, half; /* pairs that are turned */
    bool packed, interleaved;
    int64_t rows; /* of the tables of cosines and sines; 0: one per position of every sample */
};

static enum pare_status read_rotation(struct float_call *c, struct rotation *r) {
    const struct shape *x = &c->inputs[0]->shape, *table = &c->inputs[1]->shape;
    int64_t turned = node_int(c->node, "rotary_embedding_dim");
    r->packed = x->rank == 3;
    r->batch = x->dim[0];
    r->heads = r->packed ? node_int(c->node, "num_heads") : x->dim[1];
    r->length = r->packed ? x->dim[1] : x->dim[2];
    r->size = r->packed ? x->dim[2] / r->heads : x->dim[3];
    r->half = (turned > 0 ? turned : r->size) / 2;
    r->interleaved = node_int(c->node, "interleaved") != 0;
    r->rows = call_input(c, 3) != NULL ? table->dim[0] : 0;
    bool fits = shape_equal(table, &c->inputs[2]->shape) && table->dim[table->rank - 1] == r->half &&
                2 * r->half <= r->size && (table->rank == 2) == (r->rows > 0 || call_input(c, 3) != NULL);
    if (fits && table->rank == 3) {
        fits = table->dim[0] == r->batch && table->dim[1] == r->length;
    } else if (fits) {
        const struct shape *positions = &call_input(c, 3)->shape;
        fits = positions->dim[0] == r->batch && positions->dim[1] == r->length;
    }
    return fits ? PARE_OK : fail(c->ctx, PARE_ERROR_INPUT, "the tables do not fit the input");
}

static enum pare_status table_row(struct float_call *c, const struct rotation *r, int64_t b, int64_t t, int64_t *row) {
    const struct tensor *positions = call_input(c, 3);
    *row = b * r->length + t;
    if (positions == NULL) {
        return PARE_OK;
    }
    *row = tensor_get_int(positions, (size_t)*row);
    return *row >= 0 && *row < r->rows
               ? PARE_OK
               : fail(c->ctx, PARE_ERROR_INPUT, "position %lld is not in the tables", (long long)*row);
}

static void rotate(struct float_call *c, const struct rotation *r, size_t begin, int64_t row) {
    for (int64_t i = 0; i < r->half; i++) {
        size_t first = begin + (size_t)(r->interleaved ? 2 * i : i);
        size_t second = begin + (size_t)(r->interleaved ? 2 * i + 1 : r->half + i);
        double cosine = tensor_get_double(c->inputs[1], (size_t)(row * r->half + i));
        double sine = tensor_get_double(c->inputs[2], (size_t)(row * r->half + i));
        double x = tensor_get_double(c->inputs[0], first), y = tensor_get_double(c->inputs[0], second);
        tensor_set_double(&c->outputs[0], first, cosine * x - sine * y);
        tensor_set_double(&c->outputs[0], second, sine * x + cosine * y);
    }
}

enum pare_status float_rotary_embedding(struct float_call *c) {
    struct rotation r;
    TRY(read_rotation(c, &r));
    TRY(float_copy(c));
    for (int64_t i = 0; i < r.batch * r.length * r.heads; i++) {
        int64_t b = i / (r.length * r.heads), h = i % r.heads, t = i / r.heads % r.length, row = 0;
        int64_t at = r.packed ? i : (b * r.heads + h) * r.length + t;
        TRY(table_row(c, &r, b, t, &row));
        rotate(c, &r, (size_t)(at * r.size), row);
    }
    return PARE_OK;
}

/* ---- LinearAttention: a state per head, which every step decays and adds to ---- */

/* Inputs by their place. */
enum { QUERY, KEY, VALUE, PAST, DECAY, BETA };

struct linear_attention {
    int64_t batch, time, q_heads, heads, key_size, value_size;
    double *q, *k, *v, *decay, *beta; /* the last two may be NULL */
    int64_t decays, betas;            /* per step: one per key feature, per head, or one */
    bool gated, delta;
    double scale;
    double *state;  /* [batch, heads, key_size, value_size] */
    double *change; /* scratch, [value_size] */
};

static double decay_at(const struct linear_attention *a, int64_t step, int64_t head, int64_t i) {
    bool per_feature = a->decays == a->heads * a->key_size;
    return exp(a->decay[step * a->decays + (per_feature ? head * a->key_size + i : head)]);
}

/* S = decay * S; change = v - S' k where the rule says so; S += beta * k change'. */
static void update_state(const struct linear_attention *a, double *s, int64_t step, int64_t head) {
    const double *k = a->k + (step * a->heads + head) * a->key_size;
    const double *v = a->v + (step * a->heads + head) * a->value_size;
    double beta = a->delta ? a->beta[step * a->betas + (a->betas == 1 ? 0 : head)] : 1.0;
    for (int64_t i = 0; a->gated && i < a->key_size; i++) {
        for (int64_t j = 0; j < a->value_size; j++) {
            s[i * a->value_size + j] *= decay_at(a, step, head, i);
        }
    }
    for (int64_t j = 0; j < a->value_size; j++) {
        a->change[j] = v[j];
        for (int64_t i = 0; a->delta && i < a->key_size; i++) {
            a->change[j] -= s[i * a->value_size + j] * k[i];
        }
    }
    for (int64_t i = 0; i < a->key_size; i++) {
        for (int64_t j = 0; j < a->value_size; j++) {
            s[i * a->value_size + j] += beta * k[i] * a->change[j];
        }
    }
}

static void read_state(struct float_call *c, const struct linear_attention *a, const double *s, int64_t step,
                       int64_t q_head) {
    const double *q = a->q + (step * a->q_heads + q_head) * a->key_size;
    for (int64_t j = 0; j < a->value_size; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < a->key_size; i++) {
            sum += q[i] * s[i * a->value_size + j];
        }
        tensor_set_double(&c->outputs[0], (size_t)((step * a->q_heads + q_head) * a->value_size + j), sum * a->scale);
    }
}

static void attend(struct float_call *c, const struct linear_attention *a) {
    int64_t group = a->q_heads / a->heads;
    for (int64_t n = 0; n < a->batch * a->heads; n++) {
        int64_t b = n / a->heads, head = n % a->heads;
        double *s = a->state + n * a->key_size * a->value_size;
        for (int64_t t = 0; t < a->time; t++) {
            int64_t step = b * a->time + t;
            update_state(a, s, step, head);
            for (int64_t i = 0; i < group; i++) {
                read_state(c, a, s, step, head * group + i);
            }
        }
    }
}

static enum pare_status read_linear_attention(struct float_call *c, struct linear_attention *a) {
    const char *rule = node_string(c->node, "update_rule");
    const int64_t *q = c->inputs[QUERY]->shape.dim, *v = c->inputs[VALUE]->shape.dim;
    a->delta = strstr(rule, "delta") != NULL;
    a->gated = strstr(rule, "gated") != NULL;
    a->batch = q[0];
    a->time = q[1];
    a->q_heads = node_int(c->node, "q_num_heads");
    a->heads = node_int(c->node, "kv_num_heads");
    a->key_size = q[2] / a->q_heads;
    a->value_size = v[2] / a->heads;
    a->scale = (double)node_float(c->node, "scale");
    a->scale = a->scale != 0.0 ? a->scale : 1.0 / sqrt((double)a->key_size);
    TRY(call_doubles(c, QUERY, &a->q));
    TRY(call_doubles(c, KEY, &a->k));
    TRY(call_doubles(c, VALUE, &a->v));
    TRY(call_doubles(c, PAST, &a->state));
    TRY(call_doubles(c, DECAY, &a->decay));
    TRY(call_doubles(c, BETA, &a->beta));
    size_t states = (size_t)(a->batch * a->heads), size = (size_t)(a->key_size * a->value_size) * sizeof(double);
    a->state = a->state != NULL ? a->state : call_scratch(c, states, size);
    a->change = call_scratch(c, (size_t)a->value_size, sizeof *a->change);
    return a->state == NULL || a->change == NULL ? PARE_ERROR_MEMORY : PARE_OK;
}

/* How many entries a gate has per step; false when that is none of the allowed numbers. */
static bool gate_fits(const struct float_call *c, int index, const struct linear_attention *a, int64_t other,
                      int64_t *entries) {
    const struct tensor *t = call_input(c, index);
    if (t == NULL || t->shape.rank != 3 || t->shape.dim[0] != a->batch || t->shape.dim[1] != a->time) {
        return false;
    }
    *entries = t->shape.dim[2];
    return *entries == a->heads || *entries == other;
}

enum pare_status float_linear_attention(struct float_call *c) {
    struct linear_attention a = {0};
    TRY(read_linear_attention(c, &a));
    if ((a.gated && !gate_fits(c, DECAY, &a, a.heads * a.key_size, &a.decays)) ||
        (a.delta && !gate_fits(c, BETA, &a, 1, &a.betas))) {
        return fail(c->ctx, PARE_ERROR_INPUT, "decay or beta does not fit the update rule");
    }
    attend(c, &a);
    for (size_t i = 0; call_wants(c, 1) && i < tensor_count(&c->outputs[1]); i++) {
        tensor_set_double(&c->outputs[1], i, a.state[i]);
    }
    return PARE_OK;
}

/* ---- CausalConvWithState ---- */

/* Element t of a channel, the past having negative positions. */
static double sample_at(const struct float_call *c, size_t channel, int64_t t, int64_t length, int64_t kept) {
    const struct tensor *past = call_input(c, 3);
    if (t >= 0) {
        return tensor_get_double(c->inputs[0], channel * (size_t)length + (size_t)t);
    }
    return past != NULL ? tensor_get_double(past, channel * (size_t)kept + (size_t)(kept + t)) : 0.0;
}

enum pare_status float_causal_conv_with_state(struct float_call *c) {
    const struct shape *x = &c->inputs[0]->shape;
    const struct tensor *bias = call_input(c, 2);
    const char *activation = node_string(c->node, "activation");
    bool silu = strcmp(activation, "silu") == 0 || strcmp(activation, "swish") == 0;
    int64_t length = x->dim[2], taps = c->inputs[1]->shape.dim[2];
    size_t channels = (size_t)x->dim[1];
    for (size_t i = 0; i < (size_t)x->dim[0] * channels; i++) {
        for (int64_t t = 0; t < length; t++) {
            double sum = bias != NULL ? tensor_get_double(bias, i % channels) : 0.0;
            for (int64_t k = 0; k < taps; k++) {
                double w = tensor_get_double(c->inputs[1], i % channels * (size_t)taps + (size_t)k);
                sum += w * sample_at(c, i, t - taps + 1 + k, length, taps - 1);
            }
            sum = silu ? sum / (1.0 + exp(-sum)) : sum;
            tensor_set_double(&c->outputs[0], i * (size_t)length + (size_t)t, sum);
        }
        for (int64_t k = 0; call_wants(c, 1) && k < taps - 1; k++) {
            double v = sample_at(c, i, length - taps + 1 + k, length, taps - 1);
            tensor_set_double(&c->outputs[1], i * (size_t)(taps - 1) + (size_t)k, v);
        }
    }
    return PARE_OK;
}
