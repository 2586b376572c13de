#include "graph/graph.h"
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
