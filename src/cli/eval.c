/* pare eval: accuracy of a network on a data file. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"data", 0, "FILE", ROLE_SETTING, "samples: .npz with x and y, .npy, or a folder of input_N.pb"},
    {"reference", 0, "MODEL", ROLE_SETTING, "a float network to compare with: agreement and sqnr"},
    {"predictions", 0, "OUT.npz", ROLE_COMMAND, "gets the predicted classes and all outputs"},
    PREPROCESS_OPTIONS,
    INPUT_SHAPE_OPTION,
    REPORT_OPTIONS,
    {0},
};

static enum pare_status evaluate(struct session *s, const struct pare_network *network) {
    const char *path = arguments_value(&s->arguments, "predictions");
    struct pare_tensors *predictions = NULL;
    struct pare_report *report = NULL;
    enum pare_status status =
        pare_evaluate(s->context, network, s->settings, path != NULL ? &predictions : NULL, &report);
    if (status == PARE_OK && path != NULL) {
        status = pare_tensors_write(s->context, predictions, path);
    }
    if (status == PARE_OK) {
        session_print_report(s, report);
    }
    pare_tensors_free(predictions);
    pare_report_free(report);
    return status;
}

static enum pare_status run(struct session *s) {
    if (arguments_value(&s->arguments, "data") == NULL) {
        return session_usage_error(s, "missing --data FILE: the samples to evaluate on");
    }
    struct pare_network *network = NULL;
    enum pare_status status = pare_network_open_with(s->context, s->arguments.operands[0], s->settings, &network);
    if (status == PARE_OK) {
        status = evaluate(s, network);
    }
    pare_network_free(network);
    return status;
}

const struct command command_eval = {
    .name = "eval",
    .operand = "FILE",
    .summary = "measure the accuracy of a network on labelled samples",
    .options = options,
    .run = run,
    .example = "pare eval out/model.onnx --data VAL.npz --reference MODEL.onnx",
};
