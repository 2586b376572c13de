/* pare inspect: what is in a file. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"memory", 0, NULL, ROLE_COMMAND, "where activations lie in memory, how long, and the least that is needed"},
    INPUT_SHAPE_OPTION,
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    struct pare_network *network = NULL;
    struct pare_report *report = NULL;
    enum pare_status status = pare_network_open_with(s->context, s->arguments.operands[0], s->settings, &network);
    if (status == PARE_OK) {
        bool memory = arguments_flag(&s->arguments, "memory");
        status = (memory ? pare_inspect_memory : pare_inspect)(s->context, network, &report);
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
    .example = "pare inspect out/model.pare",
    .notes =
        "Of a network in fixed point it tells the widths: 4s/5 stands for 4 bits, signed (u: unsigned), value = code "
        "* 2^-5;\n4s/5..8 where the channels differ. Inputs and outputs with codes are what the runtime takes and "
        "gives.\n",
};
