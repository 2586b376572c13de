/* Nodes that stay in float: steps of the host between codes, or between float values. */
#include "float/float.h"
#include "quant/codes.h"
#include "quant/lower.h"
#include "quant/rules.h"

#include <string.h>

/* One tensor of the node as the program holds it. */
struct port {
    struct tensor tensor;      /* its shape; its data only where it is a constant */
    const struct point *point; /* whose format the codes have when the step runs; NULL: float32 */
    bool given, constant;
};

struct host_node {
    const struct node *node;
    struct port *inputs; /* node->input_count */
    struct port output;
    int output_index;
};

/* ---- running ---- */

static enum pare_status read_port(struct context *ctx, struct arena *a, const struct port *p, const void *data,
                                  struct tensor *t) {
    size_t count = tensor_count(&p->tensor);
    *t = p->tensor;
    float *x = ARENA_ARRAY(a, count, float);
    if (x == NULL) {
        return fail_memory(ctx);
    }
    if (p->point != NULL) {
        dequantize_codes(data, count, &p->point->format, x);
    } else {
        memcpy(x, data, count * sizeof(float));
    }
    t->data = x;
    return PARE_OK;
}

static enum pare_status write_port(struct context *ctx, const struct port *p, const struct tensor *t, void *data) {
    if (t->type != DTYPE_FLOAT || tensor_count(t) != tensor_count(&p->tensor)) {
        return fail(ctx, PARE_ERROR_INTERNAL, "its output has another type or size than was inferred");
    }
    if (p->point != NULL) {
        quantize_floats(t->data, tensor_count(t), &p->point->format, data);
    } else {
        memcpy(data, t->data, tensor_bytes(t));
    }
    return PARE_OK;
}

static enum pare_status run_in(struct context *ctx, struct arena *a, const struct host_node *h,
                               const void *const *inputs, void *output) {
    size_t input_count = (size_t)h->node->input_count, output_count = (size_t)h->node->output_count;
    struct tensor *tensors = ARENA_ARRAY(a, input_count, struct tensor);
    const struct tensor **given = ARENA_ARRAY(a, input_count, const struct tensor *);
    struct tensor *results = ARENA_ARRAY(a, output_count, struct tensor);
    if (tensors == NULL || given == NULL || results == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < input_count; i++) {
        const struct port *p = &h->inputs[i];
        if (p->given && !p->constant) {
            TRY(read_port(ctx, a, p, *inputs++, &tensors[i]));
            given[i] = &tensors[i];
        } else {
            given[i] = p->given ? &p->tensor : NULL;
        }
    }
    TRY(float_run_node(ctx, h->node, given, results));
    enum pare_status status = write_port(ctx, &h->output, &results[h->output_index], output);
    for (size_t i = 0; i < output_count; i++) {
        tensor_free(&results[i]);
    }
    return status;
}

static enum pare_status run_host_node(void *user, struct context *ctx, const void *const *inputs, void *output) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = run_in(ctx, &scratch, user, inputs, output);
    arena_free(&scratch);
    return status;
}

/* ---- lowering ---- */

#define MUST_BE_FLOAT "values that change with the input must be float32"

static enum pare_status make_port(struct lowering *l, const struct value *v, struct port *p) {
    *p = (struct port){.given = v != NULL, .constant = value_is_constant(v)};
    if (v == NULL) {
        return PARE_OK;
    }
    if (p->constant) {
        p->tensor = *v->constant;
        return PARE_OK;
    }
    if (v->type != DTYPE_FLOAT) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s is %s; " MUST_BE_FLOAT, v->name, dtype_name(v->type));
    }
    p->tensor.type = DTYPE_FLOAT;
    p->point = scheme_point_of(l->scheme, v);
    if (!value_shape(v, 1, &p->tensor.shape)) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "%s: its shape is not fixed for one sample", v->name);
    }
    return PARE_OK;
}

static enum pare_status make_ports(struct lowering *l, struct host_node *h) {
    const struct node *n = h->node;
    h->inputs = ARENA_ARRAY(l->program->arena, (size_t)n->input_count, struct port);
    if (h->inputs == NULL) {
        return fail_memory(l->ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        TRY(make_port(l, n->inputs[i], &h->inputs[i]));
    }
    return make_port(l, n->outputs[h->output_index], &h->output);
}

static enum pare_status lower_output(struct lowering *l, const struct node *n, int output) {
    struct host_node *h = ARENA_NEW(l->program->arena, struct host_node);
    if (h == NULL) {
        return fail_memory(l->ctx);
    }
    *h = (struct host_node){.node = n, .output_index = output};
    TRY(make_ports(l, h));
    struct value *inputs[PARE_MAX_INPUTS];
    int count = 0;
    for (int i = 0; i < n->input_count; i++) {
        if (!h->inputs[i].given || h->inputs[i].constant) {
            continue;
        }
        if (count == PARE_MAX_INPUTS) {
            return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "more than %d inputs in float", PARE_MAX_INPUTS);
        }
        inputs[count++] = n->inputs[i];
    }
    if (count == 0) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "it is computed from constants only; fold it");
    }
    struct pare_op *op = NULL;
    TRY(lower_op_to(l, n, PARE_HOST, inputs, count, n->outputs[output], &op));
    struct host_step step = {.run = run_host_node, .user = h, .name = n->name, .op = n->op->name};
    return lower_step(l, &step, &op->u.host.step);
}

enum pare_status lower_host_step(struct lowering *l, const struct node *n) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL && n->outputs[i]->use_count > 0) {
            TRY(lower_output(l, n, i));
        }
    }
    return PARE_OK;
}

static const struct value *not_float(struct value *const *values, int count) {
    for (int i = 0; i < count; i++) {
        bool read = values[i] != NULL && !value_is_constant(values[i]) && values[i]->use_count > 0;
        if (read && values[i]->type != DTYPE_FLOAT) {
            return values[i];
        }
    }
    return NULL;
}

enum pare_status lower_obstacle(struct context *ctx, struct arena *a, const struct node *n, const char **what) {
    const struct value *input = not_float(n->inputs, n->input_count);
    const struct value *v = input != NULL ? input : not_float(n->outputs, n->output_count);
    *what = NULL;
    if (v == NULL || v->type == DTYPE_NONE) {
        return PARE_OK;
    }
    *what = arena_format(a, "%s of %s; " MUST_BE_FLOAT, n->op->name, dtype_name(v->type));
    return *what != NULL ? PARE_OK : fail_memory(ctx);
}
