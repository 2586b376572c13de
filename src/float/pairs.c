#include "float/pairs.h"

#include "graph/broadcast.h"

/* Both inputs' strides over the output's dimensions, 0 where they are broadcast. */
struct pair {
    struct shape out;
    int64_t a[TENSOR_MAX_RANK], b[TENSOR_MAX_RANK];
};

/* Joins dimensions over which both inputs advance evenly: most calls become one or two loops. */
static void pair_simplify(struct pair *p) {
    int rank = 0;
    for (int i = 0; i < p->out.rank; i++) {
        int64_t dim = p->out.dim[i];
        if (dim == 1) {
            continue;
        }
        bool joins = rank > 0 && p->a[rank - 1] == p->a[i] * dim && p->b[rank - 1] == p->b[i] * dim;
        p->out.dim[rank - joins] = joins ? p->out.dim[rank - 1] * dim : dim;
        p->a[rank - joins] = p->a[i];
        p->b[rank - joins] = p->b[i];
        rank += !joins;
    }
    if (rank == 0) {
        p->out.dim[rank] = p->a[rank] = p->b[rank] = 1;
        rank = 1;
    }
    p->out.rank = rank;
}

static void walk(struct float_call *c, const struct pair *p, row_function *visit) {
    int last = p->out.rank - 1;
    size_t count = (size_t)p->out.dim[last], rows = dims_product(&p->out, 0, last);
    struct row r = {.count = count, .a_step = (size_t)p->a[last], .b_step = (size_t)p->b[last]};
    int64_t index[TENSOR_MAX_RANK] = {0};
    for (size_t row = 0; row < rows; row++) {
        visit(c, &r);
        r.y += count;
        for (int i = last - 1; i >= 0; i--) {
            r.a += (size_t)p->a[i];
            r.b += (size_t)p->b[i];
            if (++index[i] < p->out.dim[i]) {
                break;
            }
            r.a -= (size_t)(p->a[i] * p->out.dim[i]);
            r.b -= (size_t)(p->b[i] * p->out.dim[i]);
            index[i] = 0;
        }
    }
}

void pairs_walk(struct float_call *c, row_function *visit) {
    struct pair p = {.out = c->outputs[0].shape};
    if (tensor_count(&c->outputs[0]) == 0) {
        return;
    }
    broadcast_strides(&c->inputs[0]->shape, &p.out, p.a);
    broadcast_strides(&c->inputs[1]->shape, &p.out, p.b);
    pair_simplify(&p);
    walk(c, &p, visit);
}

enum pare_status pairs_run(struct float_call *c, row_function *real, row_function *integer) {
    enum dtype type = c->inputs[0]->type;
    row_function *visit = dtype_is_float(type) ? real : integer;
    if (visit == NULL || type == DTYPE_STRING || type == DTYPE_BOOL) {
        return call_refuse_type(c, type);
    }
    pairs_walk(c, visit);
    return PARE_OK;
}
