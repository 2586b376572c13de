/* Questions about nodes and values. */
#include "graph/graph.h"
#include "graph/op.h"

#include <string.h>

bool node_is(const struct node *n, const char *op_name) {
    return n != NULL && strcmp(n->op->name, op_name) == 0;
}

bool value_is_constant(const struct value *v) {
    return v != NULL && v->constant != NULL;
}

bool value_is_output(const struct value *v) {
    for (int i = 0; i < v->use_count; i++) {
        if (v->uses[i].node == NULL) {
            return true;
        }
    }
    return false;
}

struct node *value_single_user(const struct value *v) {
    return v->use_count == 1 ? v->uses[0].node : NULL;
}

bool same_dim(const struct dim *a, const struct dim *b) {
    return a->value >= 0 ? a->value == b->value : b->value < 0 && a->symbol != NULL && a->symbol == b->symbol;
}

bool value_same_shape(const struct value *a, const struct value *b) {
    if (a->rank < 0 || a->rank != b->rank) {
        return false;
    }
    int same = 0;
    while (same < a->rank && same_dim(&a->dims[same], &b->dims[same])) {
        same++;
    }
    return same == a->rank;
}

bool value_shape(const struct value *v, int64_t batch, struct shape *out) {
    if (v->rank < 0) {
        return false;
    }
    out->rank = v->rank;
    for (int i = 0; i < v->rank; i++) {
        out->dim[i] = v->dims[i].value;
        if (out->dim[i] < 0 && i == 0) {
            out->dim[i] = batch;
        }
        if (out->dim[i] < 0) {
            return false;
        }
    }
    return true;
}

bool value_scalar(const struct value *v, double *out) {
    if (!value_is_constant(v) || v->constant->type == DTYPE_STRING || tensor_count(v->constant) != 1) {
        return false;
    }
    *out = tensor_get_double(v->constant, 0);
    return true;
}

bool node_has_subgraphs(const struct node *n) {
    for (int i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].type == ATTR_GRAPH) {
            return true;
        }
    }
    return false;
}

bool graph_has_subgraphs(const struct graph *g) {
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        if (node_has_subgraphs(n)) {
            return true;
        }
    }
    return false;
}
