/* One node: shapes from its row's shape function, memory for the outputs, and its kernel. */
#include "float/kernels.h"
#include "float/scope.h"

static void describe(const struct tensor *t, struct infer_value *v) {
    *v = (struct infer_value){.type = t->type, .rank = t->shape.rank, .constant = t};
    for (int i = 0; i < t->shape.rank; i++) {
        v->dims[i] = (struct dim){.value = t->shape.dim[i]};
    }
}

/* PARE_ERROR_INPUT when the value could not be inferred completely from known inputs. */
static enum pare_status shape_of(struct context *ctx, const struct infer_value *v, struct shape *s) {
    *s = (struct shape){.rank = v->rank};
    bool known = v->rank >= 0 && v->type != DTYPE_NONE;
    for (int i = 0; i < v->rank; i++) {
        s->dim[i] = v->dims[i].value;
        known = known && s->dim[i] >= 0;
    }
    return known ? PARE_OK : fail(ctx, PARE_ERROR_INPUT, "the shape of the output does not follow from the inputs");
}

static enum pare_status infer_outputs(struct context *ctx, const struct node *n, const struct tensor *const *inputs,
                                      struct arena *scratch, struct infer_value *outputs) {
    struct infer_value *values = ARENA_ARRAY(scratch, (size_t)n->input_count, struct infer_value);
    const struct infer_value **pointers = ARENA_ARRAY(scratch, (size_t)n->input_count, const struct infer_value *);
    if (values == NULL || pointers == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        if (inputs[i] != NULL) {
            describe(inputs[i], &values[i]);
            pointers[i] = &values[i];
        }
    }
    for (int i = 0; i < n->output_count; i++) {
        outputs[i].rank = -1;
    }
    struct infer_call call = {.ctx = ctx, .arena = scratch, .node = n, .inputs = pointers, .outputs = outputs};
    return n->op->infer(&call);
}

static enum pare_status allocate_outputs(struct context *ctx, const struct node *n, const struct infer_value *inferred,
                                         struct tensor *outputs) {
    for (int i = 0; i < n->output_count; i++) {
        struct shape shape;
        if (inferred[i].by_kernel) {
            outputs[i].type = inferred[i].type;
            continue;
        }
        TRY(shape_of(ctx, &inferred[i], &shape));
        outputs[i] = (struct tensor){.type = inferred[i].type, .shape = shape};
        if (n->outputs[i] != NULL) {
            TRY(tensor_alloc(ctx, inferred[i].type, &shape, &outputs[i]));
        }
    }
    return PARE_OK;
}

/* Whether the kernel made what was left to it. */
static enum pare_status check_outputs(const struct float_call *c) {
    for (int i = 0; i < c->node->output_count; i++) {
        if (c->node->outputs[i] != NULL && c->outputs[i].data == NULL) {
            return fail(c->ctx, PARE_ERROR_INTERNAL, "output %d was not made", i);
        }
    }
    return PARE_OK;
}

static enum pare_status run_kernel(struct float_call *c, const struct infer_value *inferred) {
    TRY(allocate_outputs(c->ctx, c->node, inferred, c->outputs));
    TRY(float_kernels[c->node->op->id](c));
    return check_outputs(c);
}

static enum pare_status run(struct float_call *c) {
    const struct node *n = c->node;
    struct infer_value *inferred = ARENA_ARRAY(c->scratch, (size_t)n->output_count, struct infer_value);
    if (inferred == NULL) {
        return fail_memory(c->ctx);
    }
    TRY(infer_outputs(c->ctx, n, c->inputs, c->scratch, inferred)); /* names the node itself */
    return run_kernel(c, inferred) == PARE_OK ? PARE_OK : fail_at(c->ctx, "%s (%s)", n->name, n->op->name);
}

enum pare_status float_run_node(struct context *ctx, const struct node *n, const struct tensor *const *inputs,
                                struct tensor *outputs) {
    return float_run_node_in(ctx, NULL, n, inputs, outputs);
}

enum pare_status float_run_node_in(struct context *ctx, const struct run *scope, const struct node *n,
                                   const struct tensor *const *inputs, struct tensor *outputs) {
    struct arena scratch;
    arena_init(&scratch);
    for (int i = 0; i < n->output_count; i++) {
        outputs[i] = (struct tensor){0};
    }
    struct float_call call = {
        .ctx = ctx, .node = n, .inputs = inputs, .outputs = outputs, .scratch = &scratch, .scope = scope};
    enum pare_status status = run(&call);
    for (int i = 0; i < n->output_count && status != PARE_OK; i++) {
        tensor_free(&outputs[i]);
    }
    arena_free(&scratch);
    return status;
}
