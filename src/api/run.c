/* pare_run: given tensors matched with the network's inputs and cut into samples. */
#include "api/data.h"

#include <string.h>

struct given_inputs {
    const struct pare_network *network;
    const struct tensor **tensors; /* one per input of the network */
    size_t runs;
};

static enum pare_status fail_mismatch(struct context *ctx, const struct port *p, const struct tensor *t) {
    char wanted[256], shape[256];
    bool raw = dtype_is_float(p->type) && !dtype_is_float(t->type);
    return fail(ctx, PARE_ERROR_INPUT, "input '%s': the model wants %s, the tensor is %s %s%s", p->name,
                port_text(p, wanted, sizeof wanted), dtype_name(t->type), shape_text(&t->shape, shape, sizeof shape),
                raw ? "; with --preprocess it takes raw samples, as a data file has them" : "");
}

/* The tensor as the input wants it: other widths of floats are converted. */
static enum pare_status convert(struct context *ctx, struct arena *arena, const struct port *p,
                                const struct tensor **given) {
    const struct tensor *t = *given;
    if (t->type == p->type || !dtype_is_float(t->type) || p->type != DTYPE_FLOAT) {
        return PARE_OK;
    }
    struct tensor *converted = ARENA_NEW(arena, struct tensor);
    if (converted == NULL) {
        return fail_memory(ctx);
    }
    TRY(tensor_new(ctx, arena, DTYPE_FLOAT, &t->shape, converted));
    for (size_t i = 0; i < tensor_count(t); i++) {
        tensor_set_double(converted, i, tensor_get_double(t, i));
    }
    *given = converted;
    return PARE_OK;
}

/* How many runs the tensor holds: the first axis may be a multiple of what the model takes at once. */
static enum pare_status runs_of(struct context *ctx, const struct port *p, const struct tensor *t, size_t *runs) {
    *runs = 1;
    if (t->type != p->type || (p->rank >= 0 && t->shape.rank != p->rank)) {
        return fail_mismatch(ctx, p, t);
    }
    for (int i = 1; i < p->rank; i++) {
        if (p->dims[i].value >= 0 && p->dims[i].value != t->shape.dim[i]) {
            return fail_mismatch(ctx, p, t);
        }
    }
    if (p->rank < 1) {
        return PARE_OK;
    }
    int64_t batch = p->dims[0].value >= 0 ? p->dims[0].value : 1;
    if (batch == 0 || t->shape.dim[0] % batch != 0 || t->shape.dim[0] == 0) {
        return fail_mismatch(ctx, p, t);
    }
    *runs = (size_t)(t->shape.dim[0] / batch);
    return PARE_OK;
}

static bool has_open_batch(const struct pare_network *n) {
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i].rank != 0 && (n->inputs[i].rank < 0 || n->inputs[i].dims[0].value < 0)) {
            return true;
        }
    }
    return false;
}

/* Outputs whose first axis does not grow with the samples cannot be joined. */
static bool can_split(const struct pare_network *n) {
    bool open = has_open_batch(n);
    for (int i = 0; i < n->output_count; i++) {
        const struct port *p = &n->outputs[i];
        if (p->rank == 0 || (open && p->rank > 0 && p->dims[0].value >= 0)) {
            return false;
        }
    }
    return true;
}

/* One run where the inputs' first axes are no common batch (a recurrent state, a scalar). */
static enum pare_status settle_runs(struct context *ctx, struct given_inputs *g, const size_t *runs) {
    bool split = can_split(g->network);
    for (int i = 1; i < g->network->input_count; i++) {
        split = split && runs[i] == runs[0];
    }
    g->runs = split ? runs[0] : 1;
    for (int i = 0; !split && i < g->network->input_count; i++) {
        const struct port *p = &g->network->inputs[i];
        if (p->rank > 0 && p->dims[0].value >= 0 && runs[i] != 1) {
            return fail_mismatch(ctx, p, g->tensors[i]);
        }
    }
    return PARE_OK;
}

static enum pare_status match_inputs(struct context *ctx, struct given_inputs *g, struct arena *arena,
                                     const struct pare_tensors *inputs) {
    const struct pare_network *n = g->network;
    char text[1024];
    for (size_t k = 0; k < inputs->set.count; k++) {
        if (network_input(n, inputs->set.items[k].name) == NULL) {
            return fail(ctx, PARE_ERROR_INPUT, "there is no input '%s'; the network's inputs are %s",
                        inputs->set.items[k].name, network_inputs_text(n, text, sizeof text));
        }
    }
    g->tensors = ARENA_ARRAY(arena, (size_t)n->input_count, const struct tensor *);
    size_t *runs = ARENA_ARRAY(arena, (size_t)n->input_count, size_t);
    if (g->tensors == NULL || runs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        g->tensors[i] = tensor_set_find(&inputs->set, n->inputs[i].name);
        if (g->tensors[i] == NULL) {
            return fail(ctx, PARE_ERROR_INPUT, "input '%s' is missing; the network's inputs are %s", n->inputs[i].name,
                        network_inputs_text(n, text, sizeof text));
        }
        TRY(convert(ctx, arena, &n->inputs[i], &g->tensors[i]));
        TRY(runs_of(ctx, &n->inputs[i], g->tensors[i], &runs[i]));
    }
    return settle_runs(ctx, g, runs);
}

/* Views of the given tensors: run `index` is a slice of the first axis. */
static enum pare_status load_slice(const void *user, struct context *ctx, struct arena *arena, size_t index,
                                   struct tensor *inputs) {
    (void)ctx;
    (void)arena;
    const struct given_inputs *g = user;
    for (int i = 0; i < g->network->input_count; i++) {
        inputs[i] = *g->tensors[i];
        if (g->runs > 1) {
            size_t bytes = tensor_bytes(g->tensors[i]) / g->runs;
            inputs[i].shape.dim[0] /= (int64_t)g->runs;
            inputs[i].data = (char *)g->tensors[i]->data + index * bytes;
        }
    }
    return PARE_OK;
}

static enum pare_status run_given(struct context *ctx, const struct pare_network *n, bool all_values,
                                  const struct pare_tensors *inputs, struct pare_tensors *outputs) {
    struct arena arena;
    arena_init(&arena);
    struct given_inputs given = {.network = n};
    enum pare_status status = match_inputs(ctx, &given, &arena, inputs);
    if (status == PARE_OK) {
        struct samples samples = {.count = given.runs, .load = load_slice, .user = &given};
        status = network_run(ctx, n, &samples, all_values, outputs);
    }
    arena_free(&arena);
    return status;
}

/* The inputs are raw data: matched and preprocessed as samples of a data file are. */
static enum pare_status run_preprocessed(struct context *ctx, const struct pare_network *n,
                                         const struct pare_settings *settings, const struct pare_tensors *inputs,
                                         struct pare_tensors *outputs) {
    struct preprocess preprocess;
    TRY(network_preprocess(ctx, n, settings, &preprocess));
    if (preprocess_is_identity(&preprocess) && !settings->preprocess_declared) {
        context_warn(ctx, "%s: it carries no preprocessing, and none is declared (--scale, --mean, --std, --layout)",
                     n->path);
    }
    struct arena arena;
    arena_init(&arena);
    struct dataset data;
    enum pare_status status = network_take_data(ctx, &arena, n, &inputs->set, &preprocess, &data);
    if (status == PARE_OK) {
        struct samples samples = dataset_samples(&data);
        status = network_run(ctx, n, &samples, settings->all_values, outputs);
    }
    arena_free(&arena);
    return status;
}

enum pare_status pare_run(struct pare_context *context, const struct pare_network *network,
                          const struct pare_settings *settings, const struct pare_tensors *inputs,
                          struct pare_tensors **outputs) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    *outputs = NULL;
    bool all_values = settings != NULL && settings->all_values;
    if (all_values && network->program == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "--all-values: %s runs in float: it has no quantised values", network->path);
    }
    struct pare_tensors *set;
    TRY(tensors_new(ctx, &set));
    bool raw = settings != NULL && (settings->preprocess || settings->preprocess_declared);
    enum pare_status status =
        raw ? run_preprocessed(ctx, network, settings, inputs, set) : run_given(ctx, network, all_values, inputs, set);
    if (status != PARE_OK) {
        pare_tensors_free(set);
        return status;
    }
    *outputs = set;
    return PARE_OK;
}
