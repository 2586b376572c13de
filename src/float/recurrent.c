/* RNN, GRU and LSTM: every sequence of the batch through the cell of each direction. */
#include "float/cell.h"
#include "float/kernels.h"
#include "float/product.h"

#include <string.h>

/* Inputs by their place. */
enum { X, W, R, B, LENGTHS, INITIAL_H, INITIAL_C, PEEPHOLES };

struct recurrence {
    struct float_call *call;
    cell_step *step;
    int gates, activations;
    const char *defaults; /* of the activations */
    int64_t time, batch, input, hidden, directions;
    bool batch_first;
    float *projected; /* scratch, [time, gates * hidden] of one sequence */
};

static const float *floats(const struct recurrence *r, int index) {
    const struct tensor *t = call_input(r->call, index);
    return t != NULL ? t->data : NULL;
}

/* Where a state [directions, batch, hidden] or [batch, directions, hidden] holds one sequence. */
static int64_t state_at(const struct recurrence *r, int64_t direction, int64_t sample) {
    return (r->batch_first ? sample * r->directions + direction : direction * r->batch + sample) * r->hidden;
}

static float *output_at(const struct recurrence *r, int64_t step, int64_t direction, int64_t sample) {
    int64_t at = r->batch_first ? (sample * r->time + step) * r->directions + direction
                                : (step * r->directions + direction) * r->batch + sample;
    float *y = r->call->outputs[0].data;
    return y != NULL ? y + at * r->hidden : NULL;
}

/* The inputs of one sequence times their weights, and the bias. */
static enum pare_status project(const struct recurrence *r, int64_t direction, int64_t sample) {
    int64_t rows = r->gates * r->hidden, stride = r->batch_first ? r->input : r->batch * r->input;
    const float *x = floats(r, X) + sample * (r->batch_first ? r->time * r->input : r->input), *bias = floats(r, B);
    const float *weight = floats(r, W) + direction * rows * r->input;
    for (int64_t i = 0; i < r->time * rows; i++) {
        r->projected[i] = bias != NULL ? bias[direction * 2 * rows + i % rows] : 0.0f;
    }
    return matrix_product(r->call->ctx, r->time, rows, r->input, 1.0f, (struct matrix){x, stride, false},
                          (struct matrix){weight, r->input, true}, 1.0f, r->projected, rows);
}

static void copy_state(float *to, const float *from, int64_t count) {
    if (from != NULL && to != NULL) {
        memcpy(to, from, (size_t)count * sizeof *to);
    }
}

static float *output_state(const struct recurrence *r, int output, int64_t at) {
    return call_wants(r->call, output) ? (float *)r->call->outputs[output].data + at : NULL;
}

static enum pare_status run_sequence(const struct recurrence *r, const struct cell *k, int64_t direction, bool reverse,
                                     int64_t sample, int64_t length, float *h, float *c) {
    int64_t rows = r->gates * r->hidden, at = state_at(r, direction, sample);
    const float *initial_h = floats(r, INITIAL_H), *initial_c = floats(r, INITIAL_C);
    memset(h, 0, (size_t)r->hidden * sizeof *h);
    memset(c, 0, (size_t)r->hidden * sizeof *c);
    copy_state(h, initial_h != NULL ? initial_h + at : NULL, r->hidden);
    copy_state(c, initial_c != NULL ? initial_c + at : NULL, r->hidden);
    TRY(project(r, direction, sample));
    for (int64_t i = 0; i < r->time; i++) {
        int64_t step = i < length && reverse ? length - 1 - i : i;
        float *y = output_at(r, step, direction, sample);
        if (i < length) {
            TRY(r->step(k, r->projected + step * rows, h, c));
            copy_state(y, h, r->hidden);
        } else if (y != NULL) {
            memset(y, 0, (size_t)r->hidden * sizeof *y);
        }
    }
    copy_state(output_state(r, 1, at), h, r->hidden);
    copy_state(output_state(r, 2, at), c, r->hidden);
    return PARE_OK;
}

static enum pare_status set_up_cell(const struct recurrence *r, int64_t direction, struct cell *k) {
    int64_t rows = r->gates * r->hidden;
    const float *bias = floats(r, B), *peepholes = floats(r, PEEPHOLES);
    const struct node *n = r->call->node;
    *k = (struct cell){.ctx = r->call->ctx, .hidden = r->hidden};
    k->weight = floats(r, R) + direction * rows * r->hidden;
    k->bias = bias != NULL ? bias + direction * 2 * rows + rows : NULL;
    k->peepholes = peepholes != NULL ? peepholes + direction * 3 * r->hidden : NULL;
    k->clip = node_float(n, "clip");
    k->linear_before_reset = node_int(n, "linear_before_reset") != 0;
    k->input_forget = node_int(n, "input_forget") != 0;
    k->gates = call_scratch(r->call, (size_t)rows, sizeof(float));
    k->reset = call_scratch(r->call, (size_t)r->hidden, sizeof(float));
    if (k->gates == NULL || k->reset == NULL) {
        return PARE_ERROR_MEMORY;
    }
    return cell_activations(r->call, (int)direction, r->defaults, r->activations, k->activations);
}

static enum pare_status run_direction(const struct recurrence *r, int64_t direction, bool reverse) {
    struct cell k;
    const struct tensor *lengths = call_input(r->call, LENGTHS);
    float *h = call_scratch(r->call, (size_t)r->hidden, sizeof *h);
    float *c = call_scratch(r->call, (size_t)r->hidden, sizeof *c);
    TRY(set_up_cell(r, direction, &k));
    if (h == NULL || c == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < r->batch; i++) {
        int64_t length = lengths != NULL ? tensor_get_int(lengths, (size_t)i) : r->time;
        if (length < 0 || length > r->time) {
            return fail(r->call->ctx, PARE_ERROR_INPUT, "sequence %lld has length %lld of %lld", (long long)i,
                        (long long)length, (long long)r->time);
        }
        TRY(run_sequence(r, &k, direction, reverse, i, length, h, c));
    }
    return PARE_OK;
}

static enum pare_status run(struct recurrence *r) {
    struct float_call *c = r->call;
    const struct shape *x = &c->inputs[X]->shape, *w = &c->inputs[R]->shape;
    const char *direction = node_string(c->node, "direction");
    r->batch_first = node_int(c->node, "layout") != 0;
    r->time = x->dim[r->batch_first];
    r->batch = x->dim[!r->batch_first];
    r->input = x->dim[2];
    r->hidden = w->dim[2];
    r->directions = w->dim[0];
    r->projected = call_scratch(c, (size_t)r->time, (size_t)(r->gates * r->hidden) * sizeof *r->projected);
    if (r->projected == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < r->directions; i++) {
        TRY(run_direction(r, i, i == 1 || strcmp(direction, "reverse") == 0));
    }
    return PARE_OK;
}

enum pare_status float_rnn(struct float_call *c) {
    struct recurrence r = {.call = c, .step = cell_step_rnn, .gates = 1, .activations = 1, .defaults = "Tanh"};
    return call_is_float32(c) ? run(&r) : call_widened(c, float_rnn);
}

enum pare_status float_gru(struct float_call *c) {
    struct recurrence r = {.call = c, .step = cell_step_gru, .gates = 3, .activations = 2, .defaults = "Sigmoid,Tanh"};
    return call_is_float32(c) ? run(&r) : call_widened(c, float_gru);
}

enum pare_status float_lstm(struct float_call *c) {
    struct recurrence r = {
        .call = c, .step = cell_step_lstm, .gates = 4, .activations = 3, .defaults = "Sigmoid,Tanh,Tanh"};
    return call_is_float32(c) ? run(&r) : call_widened(c, float_lstm);
}
