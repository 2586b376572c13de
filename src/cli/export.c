/* pare export: a compact file as C sources for a device, or packed otherwise. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"to", 0, "c|pare", ROLE_SETTING, "C sources with the runtime, or a .pare file without names (default: c)"},
    {"pack", 0, "size|speed", ROLE_SETTING,
     "weights of exact widths, or in whole bytes, which need no unpacking (default: as they are)"},
    {"data", 0, "FILE", ROLE_SETTING, "samples of the test vector (default: random codes)"},
    {"samples", 0, "N", ROLE_SETTING, "how many at most (default: 4)"},
    {"seed", 0, "N", ROLE_SETTING, "of the random codes (default: 0)"},
    PREPROCESS_OPTIONS,
    {"output", 'o', "DIR", ROLE_COMMAND, "the new folder, or with --to pare the file"},
    {0},
};

static enum pare_status run(struct session *s) {
    const char *output = arguments_value(&s->arguments, "output");
    if (output == NULL) {
        return session_usage_error(s, "missing -o DIR: where the sources go");
    }
    struct pare_network *network = NULL;
    enum pare_status status = pare_network_open(s->context, s->arguments.operands[0], &network);
    if (status == PARE_OK) {
        status = pare_export(s->context, network, s->settings, output);
    }
    pare_network_free(network);
    return status;
}

const struct command command_export = {
    .name = "export",
    .operand = "MODEL.pare",
    .summary = "write a compact file as C sources for a device, with the runtime that it needs and a test",
    .options = options,
    .run = run,
    .example = "pare export out/model.pare --to c -o firmware && make -C firmware check",
    .notes =
        "The codes are the same for every packing. `make check` in the new folder says whether a compiler's program "
        "gives them.\n",
};
