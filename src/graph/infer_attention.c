/* Shapes of attention and what goes with it. */
#include "graph/infer.h"

#include <string.h>

/* [batch, heads, length, size] of a query, key or value: as given, or packed as [batch, length, heads * size]. */
static enum pare_status unpack_heads(const struct infer_call *c, int i, const char *heads_attr, struct dim out[4]) {
    const struct infer_value *v = infer_input(c, i);
    int64_t heads = node_int(c->node, heads_attr);
    for (int k = 0; k < 4; k++) {
        out[k] = v->rank == 4 ? v->dims[k] : dim_unknown();
    }
    if (v->rank != 3) {
        return PARE_OK;
    }
    if (heads < 1 || (v->dims[2].value >= 0 && v->dims[2].value % heads != 0)) {
        return infer_fail(c, "input %d does not divide into %lld heads (%s)", i, (long long)heads, heads_attr);
    }
    out[0] = v->dims[0];
    out[1] = dim_known(heads);
    out[2] = v->dims[1];
    out[3] = v->dims[2].value < 0 ? dim_unknown() : dim_known(v->dims[2].value / heads);
    return PARE_OK;
}

static struct dim joined(const struct dim *a, const struct dim *b) {
    return a->value >= 0 && b->value >= 0 ? dim_known(a->value + b->value) : dim_unknown();
}

static enum pare_status check_parts(const struct infer_call *c, struct dim q[4], struct dim k[4], struct dim v[4]) {
    bool fits = dim_unify(&q[0], &k[0]) && dim_unify(&q[0], &v[0]) && dim_unify(&k[1], &v[1]) &&
                dim_unify(&k[2], &v[2]) && dim_unify(&q[3], &k[3]);
    bool grouped = q[1].value < 0 || k[1].value < 0 || (k[1].value > 0 && q[1].value % k[1].value == 0);
    return fits && grouped ? PARE_OK : infer_fail(c, "query, key and value do not fit each other");
}

enum pare_status infer_attention(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *past = infer_input(c, 4);
    struct dim q[4], k[4], v[4];
    for (int i = 0; i < 3; i++) {
        TRY(infer_check_rank(c, i, 3, 4));
    }
    TRY(infer_check_rank(c, 4, 4, 4));
    TRY(infer_check_rank(c, 5, 4, 4));
    TRY(unpack_heads(c, 0, "q_num_heads", q));
    TRY(unpack_heads(c, 1, "kv_num_heads", k));
    TRY(unpack_heads(c, 2, "kv_num_heads", v));
    TRY(check_parts(c, q, k, v));
    struct dim total = past == NULL ? k[2] : past->rank == 4 ? joined(&past->dims[2], &k[2]) : dim_unknown();
    struct dim features[] = {q[1], v[3]}, packed[] = {q[0], q[2], dim_product(features, 0, 2)};
    struct dim heads[] = {q[0], q[1], q[2], v[3]}, scores[] = {q[0], q[1], q[2], total};
    struct dim keys[] = {q[0], k[1], total, k[3]}, values[] = {q[0], k[1], total, v[3]};
    TRY(infer_set_output(c, 1, x->type, 4, keys));
    TRY(infer_set_output(c, 2, infer_input(c, 2)->type, 4, values));
    TRY(infer_set_output(c, 3, x->type, 4, scores));
    return infer_set(c, x->type, x->rank, x->rank == 3 ? packed : heads);
}

enum pare_status infer_rotary_embedding(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim unpacked[4];
    TRY(infer_check_rank(c, 0, 3, 4));
    TRY(infer_check_rank(c, 1, 2, 3));
    TRY(infer_check_rank(c, 2, 2, 3));
    TRY(infer_check_rank(c, 3, 2, 2));
    TRY(unpack_heads(c, 0, "num_heads", unpacked));
    return infer_set(c, x->type, x->rank, x->dims);
}

/* Packed [batch, time, heads * size]; the state is [batch, heads, key size, value size]. */
enum pare_status infer_linear_attention(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim q[4], k[4], v[4];
    for (int i = 0; i < 3; i++) {
        TRY(infer_check_rank(c, i, 3, 3));
    }
    TRY(unpack_heads(c, 0, "q_num_heads", q));
    TRY(unpack_heads(c, 1, "kv_num_heads", k));
    TRY(unpack_heads(c, 2, "kv_num_heads", v));
    TRY(check_parts(c, q, k, v));
    struct dim features[] = {q[1], v[3]}, packed[] = {q[0], q[2], dim_product(features, 0, 2)};
    struct dim state[] = {q[0], k[1], q[3], v[3]};
    const struct infer_value *past = infer_input(c, 3);
    for (int i = 0; past != NULL && past->rank == 4 && i < 4; i++) {
        if (!dim_unify(&state[i], &past->dims[i])) {
            return infer_fail(c, "the past state does not fit");
        }
    }
    TRY(infer_check_rank(c, 3, 4, 4));
    TRY(infer_set_output(c, 1, past != NULL ? past->type : x->type, 4, state));
    return infer_set(c, x->type, 3, packed);
}

/* [batch, channels, time]; the state holds what the next window still sees. */
enum pare_status infer_causal_conv_with_state(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *w = infer_input(c, 1), *past = infer_input(c, 3);
    struct dim state[] = {dim_unknown(), dim_unknown(), dim_unknown()};
    TRY(infer_check_rank(c, 0, 3, 3));
    TRY(infer_check_rank(c, 1, 3, 3));
    TRY(infer_check_rank(c, 3, 3, 3));
    if (x->rank == 3) {
        state[0] = x->dims[0];
        state[1] = x->dims[1];
        TRY(infer_check_vector(c, 2, &x->dims[1]));
    }
    if (w->rank == 3 && w->dims[2].value >= 1) {
        state[2] = dim_known(w->dims[2].value - 1);
    }
    bool fits = w->rank != 3 || (dim_unify(&state[1], &w->dims[0]) && w->dims[2].value != 0 &&
                                 (w->dims[1].value < 0 || w->dims[1].value == 1));
    for (int i = 0; past != NULL && past->rank == 3 && i < 3; i++) {
        fits = fits && dim_unify(&state[i], &past->dims[i]);
    }
    if (!fits) {
        return infer_fail(c, "the weight or the past state does not fit");
    }
    TRY(infer_set_output(c, 1, x->type, 3, state));
    return infer_set(c, x->type, x->rank, x->dims);
}
