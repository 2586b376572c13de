#include "api/tail.h"

#include "float/float.h"
#include "graph/op.h"
#include "quant/lower.h"

#include <string.h>

json_t *tail_json(const struct node *node, int index) {
    json_t *attributes = json_object();
    for (int i = 0; i < node->attr_count; i++) {
        if (node->attrs[i].type == ATTR_INT) {
            json_object_set_new(attributes, node->attrs[i].name, json_integer(node->attrs[i].i));
        }
    }
    return json_pack("{s:i, s:s, s:s, s:o}", "output", index, "op", node->op->name, "name", node->outputs[0]->name,
                     "attributes", attributes);
}

static enum pare_status fail_tail(struct context *ctx, const struct pare_network *n) {
    return fail(ctx, PARE_ERROR_INPUT, "%s: the note about its last operator cannot be read; write the file again",
                n->path);
}

static enum pare_status set_attributes(struct context *ctx, struct node *node, json_t *attributes) {
    const char *name;
    json_t *value;
    json_object_foreach(attributes, name, value) {
        TRY(node_set_int(ctx, node, name, json_integer_value(value)));
    }
    return PARE_OK;
}

static void set_shape(struct graph *g, struct value *x, const struct port *p) {
    x->type = DTYPE_FLOAT;
    x->rank = p->rank;
    for (int i = 0; i < p->rank; i++) {
        x->dims[i] = (struct dim){.value = p->dims[i].value};
    }
    if (p->rank > 0) {
        x->dims[0] = (struct dim){.value = -1, .symbol = graph_symbol(g, "N")}; /* the stacked samples */
    }
}

static enum pare_status build_tail(struct context *ctx, struct graph *g, const struct op *op, const char *name,
                                   const struct port *cut, json_t *attributes) {
    struct value *x, *y;
    struct node *node;
    TRY(graph_add_value(ctx, g, NULL, "program_output", &x));
    TRY(graph_add_input(ctx, g, x));
    TRY(graph_add_value(ctx, g, name, "output", &y));
    TRY(graph_add_node(ctx, g, op, NULL, &x, 1, &y, 1, NULL, &node));
    TRY(graph_add_output(ctx, g, y));
    set_shape(g, x, cut);
    TRY(set_attributes(ctx, node, attributes));
    return graph_infer(ctx, g);
}

/* `cut` lists, per output, what the program ends with. */
static enum pare_status read_tail(struct context *ctx, struct pare_network *n, json_t *note, const struct port *cut) {
    int index;
    const char *op_name, *name;
    json_t *attributes;
    if (json_unpack(note, "{s:i, s:s, s:s, s:o}", "output", &index, "op", &op_name, "name", &name, "attributes",
                    &attributes) != 0 ||
        index < 0 || index >= n->output_count || n->tails[index] != NULL) {
        return fail_tail(ctx, n);
    }
    const struct op *op = op_find(op_name);
    if (op == NULL || (op->id != OP_Softmax && op->id != OP_ArgMax)) {
        return fail_tail(ctx, n);
    }
    TRY(graph_new(ctx, "tail", &n->tails[index]));
    return build_tail(ctx, n->tails[index], op, name, &cut[index], attributes);
}

static enum pare_status make_room(struct context *ctx, struct pare_network *n) {
    n->tails = ARENA_ARRAY(&n->arena, (size_t)n->output_count, struct graph *);
    return n->tails != NULL ? PARE_OK : fail_memory(ctx);
}

static enum pare_status read_tails(struct context *ctx, struct pare_network *n, json_t *root) {
    json_t *notes = json_object_get(root, "tail");
    if (notes == NULL) {
        return PARE_OK;
    }
    TRY(make_room(ctx, n));
    size_t i;
    json_t *note;
    json_array_foreach(notes, i, note) {
        TRY(read_tail(ctx, n, note, n->outputs));
    }
    for (int k = 0; k < n->output_count; k++) {
        if (n->tails[k] != NULL) {
            port_of_value(n->tails[k]->outputs[0], &n->outputs[k]);
        }
    }
    return PARE_OK;
}

enum pare_status tails_read(struct context *ctx, struct pare_network *n) {
    if (n->metadata == NULL) {
        return PARE_OK;
    }
    json_t *root = json_loads(n->metadata, 0, NULL);
    enum pare_status status = root != NULL ? read_tails(ctx, n, root) : fail_tail(ctx, n);
    json_decref(root);
    return status;
}

static enum pare_status tail_of_node(struct context *ctx, struct pare_network *n, const struct node *node, int index,
                                     struct port *cut) {
    port_of_value(node->inputs[0], &cut[index]);
    json_t *note = tail_json(node, index);
    enum pare_status status = note != NULL ? read_tail(ctx, n, note, cut) : fail_memory(ctx);
    json_decref(note);
    return status;
}

enum pare_status tails_of_scheme(struct context *ctx, struct pare_network *n) {
    TRY(make_room(ctx, n));
    struct port *cut = ARENA_ARRAY(&n->arena, (size_t)n->output_count, struct port);
    if (cut == NULL) {
        return fail_memory(ctx);
    }
    for (int k = 0; k < n->output_count; k++) {
        const struct node *node = lower_tail(n->scheme, n->scheme->graph->outputs[k]);
        if (node != NULL) {
            TRY(tail_of_node(ctx, n, node, k, cut));
        }
    }
    return PARE_OK;
}

void tails_free(struct pare_network *n) {
    for (int k = 0; n->tails != NULL && k < n->output_count; k++) {
        graph_free(n->tails[k]);
    }
    n->tails = NULL;
}

static enum pare_status apply_tail(struct context *ctx, const struct graph *tail, struct pare_tensors *out,
                                   struct tensor *t) {
    struct tensor result = {0}, copy;
    TRY(float_run(ctx, tail, t, &result, NULL, NULL));
    enum pare_status status = tensor_new(ctx, &out->arena, result.type, &result.shape, &copy);
    if (status == PARE_OK && tensor_bytes(&copy) > 0) {
        memcpy(copy.data, result.data, tensor_bytes(&copy));
    }
    tensor_free(&result);
    if (status == PARE_OK) {
        *t = copy;
    }
    return status;
}

enum pare_status tails_apply(struct context *ctx, const struct pare_network *n, struct pare_tensors *out,
                             size_t first) {
    for (int k = 0; n->tails != NULL && k < n->output_count; k++) {
        if (n->tails[k] != NULL) {
            TRY(apply_tail(ctx, n->tails[k], out, &out->set.items[first + (size_t)k].tensor));
        }
    }
    return PARE_OK;
}
