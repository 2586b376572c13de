/* Inputs and outputs as rows of an inspection: what they are from outside, and as codes of the integer program. */
#include "api/layers.h"

#include "graph/op.h"
#include "quant/lower.h"

static enum pare_status make_room(struct context *ctx, struct arena *arena, int inputs, int outputs,
                                  struct inspection *out) {
    out->input_count = (size_t)inputs;
    out->output_count = (size_t)outputs;
    out->inputs = ARENA_ARRAY(arena, out->input_count, struct inspected_port);
    out->outputs = ARENA_ARRAY(arena, out->output_count, struct inspected_port);
    return out->inputs != NULL && out->outputs != NULL ? PARE_OK : fail_memory(ctx);
}

static void fill_port(const struct port *port, struct inspected_port *row) {
    *row =
        (struct inspected_port){.name = port->name, .type = dtype_name(port->type), .shape = {port->rank, port->dims}};
}

static void fill_value(const struct value *v, struct inspected_port *row) {
    *row = (struct inspected_port){.name = v->name, .type = dtype_name(v->type), .shape = {v->rank, v->dims}};
}

/* Ports of the program that hold floats have no codes. */
static void fill_codes(const struct program *p, struct inspection *out) {
    for (size_t k = 0; k < out->input_count; k++) {
        const struct pare_value *v = &p->values[p->inputs[k]];
        out->inputs[k].codes = v->storage != PARE_F32 ? codes_of_value(v) : (struct tensor_report){0};
    }
    for (size_t k = 0; k < out->output_count; k++) {
        const struct pare_value *v = &p->values[p->outputs[k]];
        out->outputs[k].codes = v->storage != PARE_F32 ? codes_of_value(v) : (struct tensor_report){0};
    }
}

enum pare_status ports_of_network(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  struct inspection *out) {
    TRY(make_room(ctx, arena, n->input_count, n->output_count, out));
    for (int k = 0; k < n->input_count; k++) {
        fill_port(&n->inputs[k], &out->inputs[k]);
    }
    for (int k = 0; k < n->output_count; k++) {
        fill_port(&n->outputs[k], &out->outputs[k]);
        if (n->tails != NULL && n->tails[k] != NULL) {
            out->outputs[k].tail = n->tails[k]->first->op->name;
        }
    }
    if (n->program != NULL) {
        fill_codes(n->program, out);
    }
    return PARE_OK;
}

enum pare_status ports_of_graph(struct context *ctx, struct arena *arena, const struct graph *g,
                                struct inspection *out) {
    TRY(make_room(ctx, arena, g->input_count, g->output_count, out));
    for (int k = 0; k < g->input_count; k++) {
        fill_value(g->inputs[k], &out->inputs[k]);
    }
    for (int k = 0; k < g->output_count; k++) {
        fill_value(g->outputs[k], &out->outputs[k]);
    }
    return PARE_OK;
}

enum pare_status ports_of_scheme(struct context *ctx, struct arena *arena, const struct scheme *scheme,
                                 const struct program *p, struct inspection *out) {
    const struct graph *g = scheme->graph;
    TRY(make_room(ctx, arena, g->input_count, g->output_count, out));
    for (int k = 0; k < g->input_count; k++) {
        fill_value(g->inputs[k], &out->inputs[k]);
    }
    for (int k = 0; k < g->output_count; k++) {
        const struct node *tail = lower_tail(scheme, g->outputs[k]);
        fill_value(g->outputs[k], &out->outputs[k]);
        out->outputs[k].tail = tail != NULL ? tail->op->name : NULL;
    }
    fill_codes(p, out);
    return PARE_OK;
}
