/* If, Loop and Scan. */
#include "float/kernels.h"
#include "float/scope.h"
#include "float/slices.h"

#include <limits.h>
#include <string.h>

static const struct graph *subgraph(const struct float_call *c, const char *name) {
    return node_attr(c->node, name)->graph; /* shape inference has seen it */
}

enum pare_status float_if(struct float_call *c) {
    if (tensor_count(c->inputs[0]) != 1) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the condition must have one element");
    }
    bool yes = tensor_get_int(c->inputs[0], 0) != 0;
    return call_subgraph(c, subgraph(c, yes ? "then_branch" : "else_branch"), NULL, c->outputs);
}

/* ---- what Loop and Scan share: states that each iteration replaces, and results that are stacked ---- */

struct iteration {
    struct float_call *call;
    const struct graph *body;
    int first;              /* outputs of the body before the states: Loop's condition */
    int states, stacks;     /* the body's further outputs, in this order, and all of the node's */
    struct tensor *inputs;  /* of the body, owned */
    struct tensor *outputs; /* of the body */
    struct stack *stack;
};

static enum pare_status iteration_begin(struct float_call *c, int first, int states, struct iteration *it) {
    const struct graph *body = subgraph(c, "body");
    *it = (struct iteration){.call = c, .body = body, .first = first, .states = states};
    it->stacks = c->node->output_count - states;
    it->inputs = call_scratch(c, (size_t)body->input_count, sizeof *it->inputs);
    it->outputs = call_scratch(c, (size_t)body->output_count, sizeof *it->outputs);
    it->stack = call_scratch(c, (size_t)it->stacks, sizeof *it->stack);
    return it->inputs == NULL || it->outputs == NULL || it->stack == NULL ? PARE_ERROR_MEMORY : PARE_OK;
}

static void iteration_end(struct iteration *it) {
    for (int i = 0; it->inputs != NULL && i < it->body->input_count; i++) {
        tensor_free(&it->inputs[i]);
    }
    for (int i = 0; it->stack != NULL && i < it->stacks; i++) {
        stack_free(&it->stack[i]);
    }
}

static enum pare_status set_input(struct iteration *it, int index, const struct tensor *t) {
    tensor_free(&it->inputs[index]);
    return tensor_duplicate(it->call->ctx, t, &it->inputs[index]);
}

/* Takes the body's outputs over: `base` is where the states stand among its inputs. */
static enum pare_status keep_outputs(struct iteration *it, int base) {
    enum pare_status status = PARE_OK;
    for (int i = 0; i < it->states; i++) {
        tensor_free(&it->inputs[base + i]);
        it->inputs[base + i] = it->outputs[it->first + i];
    }
    for (int i = 0; i < it->stacks; i++) {
        struct tensor *t = &it->outputs[it->first + it->states + i];
        if (status != PARE_OK) {
            tensor_free(t);
            continue;
        }
        status = stack_push(it->call->ctx, &it->stack[i], t);
    }
    return status;
}

/* The states, and what was stacked, along the axis that each result wants. */
static enum pare_status give_outputs(struct iteration *it, int base, const int64_t *axes, const int64_t *backwards) {
    struct float_call *c = it->call;
    for (int i = 0; i < it->states; i++) {
        c->outputs[i] = it->inputs[base + i];
        it->inputs[base + i] = (struct tensor){0};
    }
    for (int i = 0; i < it->stacks; i++) {
        const struct value *v = it->body->outputs[it->first + it->states + i];
        struct stacking s = {.axis = axes == NULL ? 0 : axes[i], .backwards = backwards != NULL && backwards[i] != 0};
        TRY(stack_join(c->ctx, &it->stack[i], &s, v, &c->outputs[it->states + i]));
    }
    return PARE_OK;
}

/* ---- Loop ---- */

/* A loop without an end would never be noticed. */
#define MAX_ITERATIONS ((int64_t)1 << 20)

static enum pare_status set_scalar(struct iteration *it, int index, enum dtype type, int64_t v) {
    struct shape scalar = {.rank = it->body->inputs[index]->rank == 1, .dim = {1}};
    tensor_free(&it->inputs[index]);
    TRY(tensor_alloc(it->call->ctx, type, &scalar, &it->inputs[index]));
    tensor_set_int(&it->inputs[index], 0, v);
    return PARE_OK;
}

static enum pare_status iterate(struct iteration *it, int64_t trips, bool condition) {
    struct context *ctx = it->call->ctx;
    for (int64_t i = 0; i < trips && condition; i++) {
        if (i >= MAX_ITERATIONS) {
            return fail(ctx, PARE_ERROR_INPUT, "more than %lld iterations", (long long)MAX_ITERATIONS);
        }
        TRY(set_scalar(it, 0, DTYPE_INT64, i));
        TRY(set_scalar(it, 1, DTYPE_BOOL, condition));
        TRY(call_subgraph(it->call, it->body, it->inputs, it->outputs));
        condition = tensor_count(&it->outputs[0]) > 0 && tensor_get_int(&it->outputs[0], 0) != 0;
        tensor_free(&it->outputs[0]);
        TRY(keep_outputs(it, 2));
    }
    return PARE_OK;
}

static enum pare_status loop(struct iteration *it) {
    struct float_call *c = it->call;
    const struct tensor *trips = call_input(c, 0), *condition = call_input(c, 1);
    for (int i = 0; i < it->states; i++) {
        if (c->inputs[2 + i] == NULL) {
            return fail(c->ctx, PARE_ERROR_INPUT, "state %d is omitted", i);
        }
        TRY(set_input(it, 2 + i, c->inputs[2 + i]));
    }
    TRY(iterate(it, trips != NULL && tensor_count(trips) > 0 ? tensor_get_int(trips, 0) : INT64_MAX,
                condition == NULL || tensor_count(condition) == 0 || tensor_get_int(condition, 0) != 0));
    return give_outputs(it, 2, NULL, NULL);
}

enum pare_status float_loop(struct float_call *c) {
    struct iteration it;
    TRY(iteration_begin(c, 1, c->node->input_count - 2, &it));
    enum pare_status status = loop(&it);
    iteration_end(&it);
    return status;
}

/* ---- Scan ---- */

/* The list of an attribute, with zeros where it is not given; NULL when it has another length. */
static const int64_t *list_of(struct float_call *c, const char *name, int count) {
    size_t given = 0;
    const int64_t *list = node_ints(c->node, name, &given);
    if (list == NULL) {
        return call_scratch(c, (size_t)count, sizeof *list);
    }
    if (given != (size_t)count) {
        (void)fail(c->ctx, PARE_ERROR_INPUT, "%s has %zu entries, expected %d", name, given, count);
        return NULL;
    }
    return list;
}

struct scan {
    int scanned; /* inputs */
    const int64_t *input_axes, *input_backwards, *output_axes, *output_backwards;
};

static enum pare_status read_scan(struct float_call *c, int states, struct scan *s) {
    int stacks = c->node->output_count - states;
    s->scanned = c->node->input_count - states;
    s->input_axes = list_of(c, "scan_input_axes", s->scanned);
    s->input_backwards = list_of(c, "scan_input_directions", s->scanned);
    s->output_axes = list_of(c, "scan_output_axes", stacks);
    s->output_backwards = list_of(c, "scan_output_directions", stacks);
    bool read =
        s->input_axes != NULL && s->input_backwards != NULL && s->output_axes != NULL && s->output_backwards != NULL;
    return read ? PARE_OK : c->ctx->diag.code;
}

/* How many slices every scanned input has. */
static enum pare_status count_slices(const struct iteration *it, const struct scan *s, int64_t *length) {
    const struct float_call *c = it->call;
    for (int i = 0; i < s->scanned; i++) {
        const struct shape *shape = &c->inputs[it->states + i]->shape;
        int axis = axis_from_start(s->input_axes[i], shape->rank);
        if (axis < 0 || axis >= shape->rank || (i > 0 && shape->dim[axis] != *length)) {
            return fail(c->ctx, PARE_ERROR_INPUT, "scanned input %d does not have the axis, or the length of the first",
                        i);
        }
        *length = shape->dim[axis];
    }
    return PARE_OK;
}

static enum pare_status scan(struct iteration *it) {
    struct float_call *c = it->call;
    struct scan s;
    int64_t length = 0;
    TRY(read_scan(c, it->states, &s));
    TRY(count_slices(it, &s, &length));
    for (int i = 0; i < it->states; i++) {
        TRY(set_input(it, i, c->inputs[i]));
    }
    for (int64_t step = 0; step < length; step++) {
        for (int i = 0; i < s.scanned; i++) {
            const struct tensor *whole = c->inputs[it->states + i];
            int axis = axis_from_start(s.input_axes[i], whole->shape.rank);
            tensor_free(&it->inputs[it->states + i]);
            TRY(slice_take(c->ctx, whole, axis, s.input_backwards[i] != 0 ? length - 1 - step : step,
                           &it->inputs[it->states + i]));
        }
        TRY(call_subgraph(c, it->body, it->inputs, it->outputs));
        TRY(keep_outputs(it, 0));
    }
    return give_outputs(it, 0, s.output_axes, s.output_backwards);
}

enum pare_status float_scan(struct float_call *c) {
    struct iteration it;
    TRY(iteration_begin(c, 0, c->node->input_count - (int)node_int(c->node, "num_scan_inputs"), &it));
    enum pare_status status = scan(&it);
    iteration_end(&it);
    return status;
}
