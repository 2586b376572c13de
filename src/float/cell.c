#include "float/cell.h"

#include "float/product.h"

/* state -> weight * state + bias, for `rows` rows from `first` on. */
static enum pare_status multiply_state(const struct cell *k, int64_t first, int64_t rows, const float *state,
                                       float *out) {
    for (int64_t i = 0; i < rows; i++) {
        out[i] = k->bias != NULL ? k->bias[first + i] : 0.0f;
    }
    return matrix_product(k->ctx, 1, rows, k->hidden, 1.0f, (struct matrix){state, k->hidden, false},
                          (struct matrix){k->weight + first * k->hidden, k->hidden, true}, 1.0f, out, rows);
}

static float activate(const struct cell *k, int index, float x) {
    const struct cell_activation *a = &k->activations[index];
    if (k->clip > 0.0f) {
        x = x > k->clip ? k->clip : x < -k->clip ? -k->clip : x;
    }
    return a->function(x, a->alpha, a->beta);
}

enum pare_status cell_step_rnn(const struct cell *k, const float *input, float *h, float *c) {
    (void)c;
    TRY(multiply_state(k, 0, k->hidden, h, k->gates));
    for (int64_t i = 0; i < k->hidden; i++) {
        h[i] = activate(k, 0, k->gates[i] + input[i]);
    }
    return PARE_OK;
}

/* Gates z, r, h. */
enum pare_status cell_step_gru(const struct cell *k, const float *input, float *h, float *c) {
    (void)c;
    int64_t n = k->hidden;
    float *z = k->gates, *r = k->gates + n, *candidate = k->gates + 2 * n;
    TRY(multiply_state(k, 0, 2 * n, h, z));
    for (int64_t i = 0; i < 2 * n; i++) {
        z[i] = activate(k, 0, z[i] + input[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        k->reset[i] = k->linear_before_reset ? h[i] : r[i] * h[i];
    }
    TRY(multiply_state(k, 2 * n, n, k->reset, candidate));
    for (int64_t i = 0; i < n; i++) {
        float state = k->linear_before_reset ? r[i] * candidate[i] : candidate[i];
        float y = activate(k, 1, input[2 * n + i] + state);
        h[i] = (1.0f - z[i]) * y + z[i] * h[i];
    }
    return PARE_OK;
}

static float peephole(const struct cell *k, int gate, int64_t i, float c) {
    return k->peepholes != NULL ? k->peepholes[gate * k->hidden + i] * c : 0.0f;
}

/* Gates i, o, f, c; peepholes of i, o, f. */
enum pare_status cell_step_lstm(const struct cell *k, const float *input, float *h, float *c) {
    int64_t n = k->hidden;
    TRY(multiply_state(k, 0, 4 * n, h, k->gates));
    for (int64_t i = 0; i < n; i++) {
        float in = activate(k, 0, k->gates[i] + input[i] + peephole(k, 0, i, c[i]));
        float forget = activate(k, 0, k->gates[2 * n + i] + input[2 * n + i] + peephole(k, 2, i, c[i]));
        float candidate = activate(k, 1, k->gates[3 * n + i] + input[3 * n + i]);
        c[i] = (k->input_forget ? 1.0f - in : forget) * c[i] + in * candidate;
        float out = activate(k, 0, k->gates[n + i] + input[n + i] + peephole(k, 1, i, c[i]));
        h[i] = out * k->activations[2].function(c[i], k->activations[2].alpha, k->activations[2].beta);
    }
    return PARE_OK;
}
