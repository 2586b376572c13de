#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

void graph_remove_unused_values(struct graph *g) {
    int kept = 0;
    for (int i = 0; i < g->value_count; i++) {
        struct value *v = g->values[i];
        if (v->use_count == 0 && v->producer == NULL && !v->is_input) {
            name_table_remove(&g->tables->values, v->name);
            continue;
        }
        v->position = kept;
        g->values[kept++] = v;
    }
    g->value_count = kept;
}

static bool is_unread(const struct value *v) {
    return v == NULL || v->use_count == 0;
}

void graph_remove_unread_outputs(struct graph *g) {
    for (struct node *n = g->first; n != NULL; n = n->next) {
        int least = n->op->out_min > 1 ? n->op->out_min : 1;
        while (n->op->out_max < OP_VARIADIC && n->output_count > least && is_unread(n->outputs[n->output_count - 1])) {
            struct value *v = n->outputs[--n->output_count];
            if (v != NULL) {
                v->producer = NULL;
            }
        }
    }
    graph_remove_unused_values(g);
}
