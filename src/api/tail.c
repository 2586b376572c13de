#include "api/tail.h"

#include "api/runner.h"
#include "float/float.h"
#include "graph/op.h"
#include "quant/lower.h"

#include <string.h>

/* The program may hold the same numbers under another shape: a Reshape costs it nothing. */
static json_t *json_shape(const struct value *cut) {
    struct shape shape = {0};
    json_t *array = json_array();
    value_shape(cut, 1, &shape);
    for (int i = 0; i < shape.rank; i++) {
        json_array_append_new(array, json_integer(shape.dim[i]));
    }
    return array;
}

json_t *tail_json(const struct node *node, int index) {
    json_t *attributes = json_object();
    for (int i = 0; i < node->attr_count; i++) {
        if (node->attrs[i].type == ATTR_INT) {
            json_object_set_new(attributes, node->attrs[i].name, json_integer(node->attrs[i].i));
        }
    }
    return json_pack("{s:i, s:s, s:s, s:o, s:o}", "output", index, "op", node->op->name, "name", node->outputs[0]->name,
                     "shape", json_shape(node->inputs[0]), "attributes", attributes);
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

/* False where the program does not end with so many numbers. */
static bool set_shape(struct value *x, json_t *dims, const struct pare_value *cut) {
    size_t count = 1, i;
    json_t *dim;
    x->type = DTYPE_FLOAT;
    x->rank = (int)json_array_size(dims);
    if (!json_is_array(dims) || json_array_size(dims) > TENSOR_MAX_RANK) {
        return false;
    }
    json_array_foreach(dims, i, dim) {
        json_int_t size = json_integer_value(dim);
        x->dims[i] = (struct dim){.value = size};
        if (size < 1 || !size_multiply(count, (size_t)size, &count)) {
            return false;
        }
    }
    return count == cut->count;
}

static enum pare_status build_tail(struct context *ctx, struct graph *g, struct value *x, const struct op *op,
                                   const char *name, json_t *attributes) {
    struct value *y;
    struct node *node;
    TRY(graph_add_input(ctx, g, x));
    TRY(graph_add_value(ctx, g, name, "output", &y));
    TRY(graph_add_node(ctx, g, op, NULL, &x, 1, &y, 1, NULL, &node));
    TRY(graph_add_output(ctx, g, y));
    TRY(set_attributes(ctx, node, attributes));
    return graph_infer(ctx, g);
}

static enum pare_status read_tail(struct context *ctx, struct pare_network *n, json_t *note) {
    int index;
    const char *op_name, *name;
    json_t *shape, *attributes;
    if (json_unpack(note, "{s:i, s:s, s:s, s:o, s:o}", "output", &index, "op", &op_name, "name", &name, "shape", &shape,
                    "attributes", &attributes) != 0 ||
        index < 0 || index >= n->output_count || n->tails[index] != NULL) {
        return fail_tail(ctx, n);
    }
    const struct op *op = op_find(op_name);
    if (op == NULL || !lower_cuts(op)) {
        return fail_tail(ctx, n);
    }
    struct value *x;
    TRY(graph_new(ctx, "tail", &n->tails[index]));
    TRY(graph_add_value(ctx, n->tails[index], NULL, "program_output", &x));
    if (!set_shape(x, shape, &n->program->values[n->program->outputs[index]])) {
        return fail_tail(ctx, n);
    }
    return build_tail(ctx, n->tails[index], x, op, name, attributes);
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
        TRY(read_tail(ctx, n, note));
    }
    for (int k = 0; k < n->output_count; k++) {
        if (n->tails[k] != NULL) {
            port_of_value(n->tails[k]->outputs[0], &n->outputs[k]);
            port_open_batch(&n->outputs[k]);
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

static enum pare_status tail_of_node(struct context *ctx, struct pare_network *n, const struct node *node, int index) {
    json_t *note = tail_json(node, index);
    enum pare_status status = note != NULL ? read_tail(ctx, n, note) : fail_memory(ctx);
    json_decref(note);
    return status;
}

enum pare_status tails_of_scheme(struct context *ctx, struct pare_network *n) {
    TRY(make_room(ctx, n));
    for (int k = 0; k < n->output_count; k++) {
        const struct node *node = lower_tail(n->scheme, n->scheme->graph->outputs[k]);
        if (node != NULL) {
            TRY(tail_of_node(ctx, n, node, k));
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

/* ---- running them ---- */

static enum pare_status finish_sample(struct context *ctx, const struct graph *tail, const struct tensor *cut,
                                      size_t sample, size_t samples, struct pare_tensors *out, struct tensor *stack) {
    struct tensor one = {.type = DTYPE_FLOAT}, result = {0};
    size_t bytes = tensor_bytes(cut) / samples;
    value_shape(tail->inputs[0], 1, &one.shape);
    one.data = (char *)cut->data + sample * bytes;
    TRY(float_run(ctx, tail, &one, &result, NULL, NULL));
    enum pare_status status =
        sample == 0 ? stack_tensor(ctx, &out->arena, "tail", result.type, &result.shape, samples, stack) : PARE_OK;
    if (status == PARE_OK && tensor_bytes(&result) > 0) {
        memcpy((char *)stack->data + sample * tensor_bytes(&result), result.data, tensor_bytes(&result));
    }
    tensor_free(&result);
    return status;
}

/* Sample by sample: an axis of the operator may be any axis of one, and stacking adds none. */
static enum pare_status finish_output(struct context *ctx, const struct graph *tail, size_t samples,
                                      struct pare_tensors *out, struct tensor *output) {
    struct tensor stack = {0};
    for (size_t i = 0; i < samples; i++) {
        TRY(finish_sample(ctx, tail, output, i, samples, out, &stack));
    }
    *output = stack;
    return PARE_OK;
}

enum pare_status tails_apply(struct context *ctx, const struct pare_network *n, size_t samples,
                             struct pare_tensors *out, size_t first) {
    for (int k = 0; n->tails != NULL && k < n->output_count; k++) {
        if (n->tails[k] != NULL) {
            TRY(finish_output(ctx, n->tails[k], samples, out, &out->set.items[first + (size_t)k].tensor));
        }
    }
    return PARE_OK;
}
