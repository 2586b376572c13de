/* pare inspect: what is in a file. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {REPORT_OPTIONS, {0}};

static enum pare_status run(struct session *s) {
    struct pare_network *network = NULL;
    struct pare_report *report = NULL;
    enum pare_status status = pare_network_open(s->context, s->arguments.operands[0], &network);
    if (status == PARE_OK) {
        status = pare_inspect(s->context, network, &report);
    }
    if (status == PARE_OK) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    pare_network_free(network);
    return status;
}

const struct command command_inspect = {
    .name = "inspect",
    .operand = "FILE",
    .summary = "list layers, shapes, parameters, multiplications and formats",
    .options = options,
    .run = run,
};
