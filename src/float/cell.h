/* The cells of recurrent networks: one step of one sequence. */
#ifndef PARE_FLOAT_CELL_H
#define PARE_FLOAT_CELL_H

#include "float/float.h"

struct cell_activation {
    float (*function)(float x, float alpha, float beta);
    float alpha, beta;
};

#define CELL_MAX_ACTIVATIONS 3

/* What one direction of a node computes with. */
struct cell {
    struct context *ctx;
    int64_t hidden;
    const float *weight;      /* [gates * hidden, hidden]: what the state is multiplied by */
    const float *bias;        /* [gates * hidden] of the state's product, or NULL */
    const float *peepholes;   /* LSTM: [3 * hidden], of the gates i, o, f, or NULL */
    float clip;               /* of what enters an activation; 0: none */
    bool linear_before_reset; /* GRU */
    bool input_forget;        /* LSTM: f is 1 - i */
    struct cell_activation activations[CELL_MAX_ACTIVATIONS];
    float *gates; /* scratch, [gates * hidden] */
    float *reset; /* scratch, [hidden] */
};

/* `input` is [gates * hidden]: the input's product with its weights, and its bias; h and c are replaced by the next
 * states. c is NULL but for LSTM. Formulas: operators RNN, GRU and LSTM of ONNX. */
typedef enum pare_status cell_step(const struct cell *k, const float *input, float *h, float *c);
cell_step cell_step_rnn, cell_step_gru, cell_step_lstm;

/* The activations of direction `direction` as the node names them, or the operator's own, `count` per direction.
 * PARE_ERROR_UNSUPPORTED names one that does not exist. */
enum pare_status cell_activations(struct float_call *call, int direction, const char *defaults, int count,
                                  struct cell_activation *out);

#endif
