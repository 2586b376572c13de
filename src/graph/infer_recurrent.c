/* Shapes of RNN, GRU and LSTM. */
#include "graph/infer.h"

#include <string.h>

/* Y [time, directions, batch, hidden] and the states [directions, batch, hidden]; with layout 1 the batch stands
 * first. */
static enum pare_status set_outputs(struct infer_call *c, const struct dim *time, const struct dim *batch) {
    const struct infer_value *x = infer_input(c, 0), *r = infer_input(c, 2);
    bool batch_first = node_int(c->node, "layout") != 0;
    struct dim directions = r->rank == 3 ? r->dims[0] : dim_unknown();
    struct dim hidden = r->rank == 3 ? r->dims[2] : dim_unknown();
    struct dim sequence[] = {*time, directions, *batch, hidden}, state[] = {directions, *batch, hidden};
    struct dim sequence_first[] = {*batch, *time, directions, hidden}, state_first[] = {*batch, directions, hidden};
    TRY(infer_set_output(c, 0, x->type, 4, batch_first ? sequence_first : sequence));
    for (int i = 1; i < c->node->output_count; i++) {
        TRY(infer_set_output(c, i, x->type, 3, batch_first ? state_first : state));
    }
    return PARE_OK;
}

/* Fails when dimension `axis` of input i is known and differs. */
static enum pare_status expect_dim(const struct infer_call *c, int i, int axis, int64_t size) {
    const struct infer_value *v = infer_input(c, i);
    char text[INFER_TEXT_MAX];
    if (v == NULL || v->rank <= axis || v->dims[axis].value < 0 || size < 0 || v->dims[axis].value == size) {
        return PARE_OK;
    }
    return infer_fail(c, "input %d has shape %s, expected %lld at axis %d", i, infer_text(v, text, sizeof text),
                      (long long)size, axis);
}

static enum pare_status check_weights(const struct infer_call *c, int gates, const struct dim *batch) {
    const struct infer_value *x = infer_input(c, 0), *r = infer_input(c, 2);
    int64_t hidden = r->rank == 3 ? r->dims[2].value : -1, input = x->rank == 3 ? x->dims[2].value : -1;
    int64_t directions = strcmp(node_string(c->node, "direction"), "bidirectional") == 0 ? 2 : 1;
    bool batch_first = node_int(c->node, "layout") != 0;
    int64_t rows = hidden < 0 || hidden > INT32_MAX ? -1 : gates * hidden;
    TRY(expect_dim(c, 1, 2, input));
    for (int i = 1; i < 4; i++) {
        TRY(expect_dim(c, i, 0, directions));
        TRY(expect_dim(c, i, 1, i == 3 && rows >= 0 ? 2 * rows : rows));
    }
    for (int i = 5; i < 7; i++) {
        TRY(expect_dim(c, i, batch_first, directions));
        TRY(expect_dim(c, i, !batch_first, batch->value));
        TRY(expect_dim(c, i, 2, hidden));
    }
    TRY(expect_dim(c, 7, 0, directions));
    return expect_dim(c, 7, 1, hidden < 0 || hidden > INT32_MAX ? -1 : 3 * hidden);
}

static enum pare_status infer_recurrent(struct infer_call *c, int gates) {
    static const int ranks[] = {3, 3, 3, 2, 1, 3, 3, 2};
    const struct infer_value *x = infer_input(c, 0);
    struct dim time = dim_unknown(), batch = dim_unknown();
    for (int i = 0; i < c->node->input_count; i++) {
        TRY(infer_check_rank(c, i, ranks[i], ranks[i]));
        TRY(i == 4 ? PARE_OK : infer_check_same_type(c, 0, i));
    }
    if (x->rank == 3) {
        bool batch_first = node_int(c->node, "layout") != 0;
        time = x->dims[batch_first];
        batch = x->dims[!batch_first];
    }
    TRY(infer_check_vector(c, 4, &batch));
    TRY(check_weights(c, gates, &batch));
    return set_outputs(c, &time, &batch);
}

enum pare_status infer_rnn(struct infer_call *c) {
    return infer_recurrent(c, 1);
}

enum pare_status infer_gru(struct infer_call *c) {
    return infer_recurrent(c, 3);
}

enum pare_status infer_lstm(struct infer_call *c) {
    return infer_recurrent(c, 4);
}
