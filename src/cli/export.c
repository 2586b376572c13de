/* pare export: a network in fixed point as C sources for a device, packed otherwise, or as other ONNX. */
#include "cli/session.h"
#include "cli/shared_options.h"

static const struct option options[] = {
    {"to", 0, "FORM", ROLE_SETTING,
     "c: sources with the runtime (default); pare: a .pare file without names; qdq, qonnx, integer: an ONNX"},
    {"name", 0, "NAME", ROLE_SETTING,
     "of the model in C: NAME.h, NAME_data.c, NAME_file, NAME_SIZE .. (default: model)"},
    {"opset", 0, "N", ROLE_SETTING, "of an ONNX, from 7 to 25 (default: 21)"},
    {"pack", 0, "size|speed", ROLE_SETTING,
     "weights of exact widths, or in whole bytes, which need no unpacking (default: as they are)"},
    {"data", 0, "FILE", ROLE_SETTING, "samples of the test vector (default: random codes)"},
    {"samples", 0, "N", ROLE_SETTING, "how many at most (default: 4)"},
    {"seed", 0, "N", ROLE_SETTING, "of the random codes (default: 0)"},
    PREPROCESS_OPTIONS,
    INPUT_SHAPE_OPTION,
    {"output", 'o', "OUT", ROLE_COMMAND, "the new folder of the sources, else the file"},
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    const char *output = arguments_value(&s->arguments, "output");
    if (output == NULL) {
        return session_usage_error(s, "missing -o OUT: where the result goes");
    }
    struct pare_network *network = NULL;
    struct pare_report *report = NULL;
    enum pare_status status = pare_network_open_with(s->context, s->arguments.operands[0], s->settings, &network);
    if (status == PARE_OK) {
        status = pare_export(s->context, network, s->settings, output, &report);
    }
    if (report != NULL && (!arguments_flag(&s->arguments, "quiet") || arguments_flag(&s->arguments, "json"))) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    pare_network_free(network);
    return status;
}

const struct command command_export = {
    .name = "export",
    .operand = "MODEL",
    .summary = "write a network in fixed point as C sources for a device, or as another file",
    .options = options,
    .run = run,
    .example = "pare export out/model.pare --to c -o firmware && make -C firmware check",
    .notes =
        "The codes are the same for every packing. `make check` in the new folder says whether a compiler's program "
        "gives them.\nAn ONNX is made of an ONNX in fixed point: qdq as quantize writes it, qonnx for FPGA flows, "
        "integer with "
        "ConvInteger and\nMatMulInteger where sums exceed what a float32 holds.\n",
};
