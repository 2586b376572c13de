/* pare clean: the rewrites alone. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"output", 'o', "OUT.onnx", ROLE_COMMAND, "gets the rewritten network; weights above 2 GiB go to OUT.onnx.data"},
    {"opset", 0, "N", ROLE_SETTING, "write this opset, from 7 to 25 (default: 21)"},
    {"data", 0, "FILE", ROLE_SETTING,
     "compare the outputs on samples of it, too: .npz, .npy, or a folder of input_N.pb"},
    INPUT_SHAPE_OPTION,
    PREPROCESS_OPTIONS,
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    const char *output = arguments_value(&s->arguments, "output");
    struct pare_report *report = NULL;
    if (output == NULL) {
        return session_usage_error(s, "missing -o OUT.onnx: where the rewritten network goes");
    }
    enum pare_status status = pare_clean(s->context, s->arguments.operands[0], s->settings, output, &report);
    if (status == PARE_OK) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    return status;
}

const struct command command_clean = {
    .name = "clean",
    .operand = "MODEL.onnx",
    .summary = "simplify a network in float: fold, merge and remove what changes no result",
    .options = options,
    .run = run,
    .example = "pare clean MODEL.onnx -o small.onnx --opset 13",
    .notes =
        "After every rewrite the outputs are compared with those of the model as it was, on made-up inputs and up to 8 "
        "samples\nof --data; a rewrite that changes them is undone, with a warning.\n",
};
