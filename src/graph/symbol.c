/* Symbolic dimensions that get a size. */
#include "graph/graph.h"

static void fix_value(struct value *v, const char *symbol, int64_t size) {
    for (int i = 0; i < v->rank; i++) {
        if (v->dims[i].value < 0 && v->dims[i].symbol == symbol) {
            v->dims[i] = (struct dim){.value = size};
        }
    }
}

void graph_fix_symbol(struct graph *g, const char *symbol, int64_t size) {
    for (int i = 0; i < g->value_count; i++) {
        fix_value(g->values[i], symbol, size);
    }
    for (struct node *n = g->first; n != NULL; n = n->next) {
        for (int i = 0; i < n->attr_count; i++) {
            if (n->attrs[i].graph != NULL) {
                graph_fix_symbol(n->attrs[i].graph, symbol, size);
            }
        }
    }
}
