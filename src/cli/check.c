/* pare check: whether a model can be used, and what stands in the way. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {INPUT_SHAPE_OPTION, REPORT_OPTIONS, {0}};

static enum pare_status run(struct session *s) {
    struct pare_report *report = NULL;
    enum pare_verdict verdict = PARE_VERDICT_FINE;
    enum pare_status status = pare_check(s->context, s->arguments.operands[0], s->settings, &verdict, &report);
    if (status != PARE_OK) {
        return status;
    }
    session_print_report(s, report);
    pare_report_free(report);
    s->told = true;
    s->remarks = verdict == PARE_VERDICT_REMARKS;
    return verdict == PARE_VERDICT_UNUSABLE ? PARE_ERROR_UNSUPPORTED : PARE_OK;
}

const struct command command_check = {
    .name = "check",
    .operand = "MODEL.onnx",
    .summary = "list what stands in the way of a model, and what would become of each layer",
    .options = options,
    .run = run,
    .example = "pare check model.onnx",
    .notes =
        "Nothing is executed, and the weights may be missing or broken: that is then in the list. The last column "
        "tells what a\nlayer becomes: integers; bounds of the operator before it, or its addend; cut (a final Softmax, "
        "LogSoftmax or ArgMax,\noutside the integers); float. Exit codes: 0 fine, 1 it works with remarks, 3 it cannot "
        "be used or quantised.\n",
};
