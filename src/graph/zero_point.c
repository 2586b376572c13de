#include "graph/zero_point.h"

#include "graph/op.h"

static bool varies_along_channels_only(const struct value *constant, const struct value *x) {
    const struct shape *s = &constant->constant->shape;
    for (int i = 0; i < s->rank; i++) {
        bool is_channel = i + x->rank - s->rank == 1;
        if (s->dim[i] != 1 && !(is_channel && s->dim[i] == x->dims[1].value)) {
            return false;
        }
    }
    return s->rank <= x->rank;
}

bool node_is_zero_point(const struct node *n) {
    if (!node_is(n, "Sub") || value_is_constant(n->inputs[0]) || !value_is_constant(n->inputs[1])) {
        return false;
    }
    const struct value *x = n->inputs[0], *p = n->inputs[1], *y = n->outputs[0];
    bool fits = x->rank >= 3 && x->dims[1].value > 0 && p->type == DTYPE_FLOAT && varies_along_channels_only(p, x);
    for (int i = 0; fits && i < y->use_count; i++) {
        const struct use *use = &y->uses[i];
        fits = node_is(use->node, "Conv") && use->index == 0 && value_is_constant(use->node->inputs[1]);
    }
    return fits && y->use_count > 0;
}

double zero_point_of(const struct node *n, int64_t channel) {
    const struct tensor *p = n->inputs[1]->constant;
    return tensor_get_double(p, tensor_count(p) == 1 ? 0 : (size_t)channel);
}
