#include "api/tail.h"

#include "float/float.h"
#include "graph/op.h"

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

static enum pare_status build_tail(struct context *ctx, struct graph *g, const struct op *op, const char *name,
                                   json_t *attributes) {
    struct value *x, *y;
    struct node *node;
    TRY(graph_add_value(ctx, g, NULL, "program_output", &x));
    TRY(graph_add_input(ctx, g, x));
    TRY(graph_add_value(ctx, g, name, "output", &y));
    TRY(graph_add_node(ctx, g, op, NULL, &x, 1, &y, 1, NULL, &node));
    TRY(graph_add_output(ctx, g, y));
    x->type = DTYPE_FLOAT;
    y->type = op->id == OP_ArgMax ? DTYPE_INT64 : DTYPE_FLOAT;
    return set_attributes(ctx, node, attributes);
}

static enum pare_status read_tail(struct context *ctx, struct pare_network *n, json_t *note) {
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
    TRY(build_tail(ctx, n->tails[index], op, name, attributes));
    n->outputs[index].name = n->tails[index]->outputs[0]->name;
    n->outputs[index].type = n->tails[index]->outputs[0]->type;
    return PARE_OK;
}

static enum pare_status read_tails(struct context *ctx, struct pare_network *n, json_t *root) {
    json_t *notes = json_object_get(root, "tail");
    if (notes == NULL) {
        return PARE_OK;
    }
    n->tails = ARENA_ARRAY(&n->arena, (size_t)n->output_count, struct graph *);
    if (n->tails == NULL) {
        return fail_memory(ctx);
    }
    size_t i;
    json_t *note;
    json_array_foreach(notes, i, note) {
        TRY(read_tail(ctx, n, note));
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

void tails_free(struct pare_network *n) {
    for (int k = 0; n->tails != NULL && k < n->output_count; k++) {
        graph_free(n->tails[k]);
    }
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
