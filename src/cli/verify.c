/* pare verify: whether every executor gives the same codes. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"data", 0, "FILE", ROLE_SETTING, "other samples (default: those that quantize left in OUT)"},
    {"samples", 0, "N", ROLE_SETTING, "how many of them at most (default: 4)"},
    PREPROCESS_OPTIONS,
    {"python", 0, "PROGRAM", ROLE_SETTING, "a Python with numpy and onnxruntime (default: python3)"},
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    struct pare_report *report = NULL;
    enum pare_status status = pare_verify(s->context, s->settings, s->arguments.operands[0], &report);
    if (report != NULL) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .operand = "OUT",
    .summary = "run the files that `quantize` wrote in every executor, and compare every code",
    .options = options,
    .run = run,
    .example = "pare verify out",
    .notes =
        "Compared with the runtime's own kernels are the host's, the codes that quantize stored, model.onnx in float, "
        "and\nmodel.onnx in ONNX Runtime where there is one. Exit code 1 where a code differs that must not, 4 "
        "where\nonly "
        "a float runtime does, in layers that are not certain.\n",
};
