/* Concat: inputs are brought to the output's format as they are copied. */
#include "graph/axes.h"
#include "quant/rules.h"

/* A run of the output along the axis, not yet copied there. */
struct piece {
    uint32_t value, size;
};

static uint32_t product(const struct shape *s, int begin, int end) {
    uint32_t p = 1;
    for (int i = begin; i < end; i++) {
        p *= (uint32_t)s->dim[i];
    }
    return p;
}

/* Copies pieces one behind the other into program value `output`; `like` has the bounds and the outer and inner sizes.
 */
static enum pare_status join(struct lowering *l, const struct node *n, const struct pare_op *like,
                             const struct piece *pieces, int count, uint32_t output) {
    struct pare_op op = *like, *appended = NULL;
    op.input_count = (uint8_t)count;
    op.output = output;
    for (int i = 0; i < count; i++) {
        op.inputs[i] = pieces[i].value;
        op.u.concat.size[i] = pieces[i].size;
    }
    return lower_append(l, n, &op, &appended);
}

/* One joined piece for up to PARE_MAX_INPUTS pieces, in the output's format: bringing it there a second time changes
 * nothing. */
static enum pare_status join_group(struct lowering *l, const struct node *n, const struct pare_op *like,
                                   const struct piece *pieces, int count, struct piece *joined) {
    *joined = (struct piece){.size = 0};
    for (int i = 0; i < count; i++) {
        joined->size += pieces[i].size;
    }
    uint32_t elements = like->u.concat.outer * joined->size * like->u.concat.inner;
    TRY(lower_part(l, like->output, elements, &joined->value));
    return join(l, n, like, pieces, count, joined->value);
}

static enum pare_status join_all(struct lowering *l, const struct node *n, const struct pare_op *like,
                                 struct piece *pieces, int count) {
    while (count > PARE_MAX_INPUTS) {
        int groups = 0;
        for (int i = 0; i < count; i += PARE_MAX_INPUTS) {
            int size = count - i < PARE_MAX_INPUTS ? count - i : PARE_MAX_INPUTS;
            struct piece joined;
            TRY(join_group(l, n, like, &pieces[i], size, &joined));
            pieces[groups++] = joined;
        }
        count = groups;
    }
    return join(l, n, like, pieces, count, like->output);
}

static enum pare_status find_pieces(struct lowering *l, const struct node *n, struct piece *pieces,
                                    struct pare_op *op) {
    struct shape s = {0};
    int axis = 0;
    for (int i = 0; i < n->input_count; i++) {
        if (!value_shape(n->inputs[i], 1, &s) || !axis_resolve(node_int(n, "axis"), s.rank, &axis)) {
            return fail(l->ctx, PARE_ERROR_INPUT, "it has no such axis");
        }
        TRY(lower_value(l, n->inputs[i], &pieces[i].value));
        pieces[i].size = (uint32_t)s.dim[axis];
    }
    op->u.concat.outer = product(&s, 0, axis);
    op->u.concat.inner = product(&s, axis + 1, s.rank);
    return PARE_OK;
}

static enum pare_status lower_concat(struct lowering *l, const struct node *n) {
    struct piece *pieces = ARENA_ARRAY(l->program->arena, (size_t)n->input_count, struct piece);
    struct pare_op like;
    if (pieces == NULL) {
        return fail_memory(l->ctx);
    }
    TRY(lower_draft(l, n, PARE_CONCAT, &like));
    TRY(find_pieces(l, n, pieces, &like));
    return join_all(l, n, &like, pieces, n->input_count);
}

const struct rule rule_concat = {RULE_ROUNDS, true, NULL, lower_concat, NULL, NULL};
