/* pare quantize: a float network in, the same network in fixed point out. */
#include "cli/session.h"
#include "cli/shared_options.h"

#include <stdio.h>

static const struct option options[] = {
    {"data", 0, "FILE", ROLE_SETTING, "labelled samples: .npz with x and y, .npy, or a folder of input_N.pb"},
    {"calib", 0, "FILE", ROLE_SETTING, "samples for the statistics (default: some of the samples of the search)"},
    {"test", 0, "FILE", ROLE_SETTING, "held-out samples (default: a part of --data, split by --seed)"},
    {"max-drop", 0, "D", ROLE_SETTING,
     "accuracy that may be lost, above 0: 1% of the float accuracy, or 0.5pt (default: 1%)"},
    {"flash-max", 0, "BYTES", ROLE_SETTING, "largest .pare file: 64KB, 1.5MB; KB: 1024 bytes"},
    {"ram-max", 0, "BYTES", ROLE_SETTING, "largest peak of activations"},
    {"memory-max", 0, "BYTES", ROLE_SETTING, "most memory (paper)"},
    {"bitops-max", 0, "N", ROLE_SETTING, "most bit operations: 250M, 1G"},
    {"metric", 0, "M", ROLE_SETTING, "top1, top5, agreement or sqnr (default: top1; without labels agreement)"},
    {"bits", 0, "LIST", ROLE_SETTING, "widths that may be used: 8, 2..8 or 2,4,8, from 2 to 16 (default: 2..8)"},
    {"weight-bits", 0, "LIST", ROLE_SETTING, "widths of weights (default: as --bits)"},
    {"activation-bits", 0, "LIST", ROLE_SETTING, "widths of the values between layers (default: as --bits)"},
    {"input-bits", 0, "LIST", ROLE_SETTING,
     "widths that the network's inputs may have (default: 2..12; as --bits where that is given)"},
    {"widths", 0, "FILE", ROLE_SETTING, "take the widths of a report.json, changed or not, and search for none"},
    {"keep-channels", 0, NULL, ROLE_SETTING, "take no channels out, not even those that are always zero"},
    {"cost", 0, "C", ROLE_SETTING, "memory, multiplication, bitops or balanced (default: balanced)"},
    PACK_OPTION,
    {"seed", 0, "N", ROLE_SETTING, "of the split and of every random choice (default: 0)"},
    {"confidence", 0, "P", ROLE_SETTING, "of the claim about the drop, between 0.5 and 1 (default: 0.95)"},
    PREPROCESS_OPTIONS,
    INPUT_SHAPE_OPTION,
    {"time-limit", 0, "T", ROLE_SETTING, "stop after 90s, 5m or 2h and take the best point so far"},
    {"resume", 0, NULL, ROLE_SETTING, "go on from the journal in the output folder"},
    {"output", 'o', "FOLDER", ROLE_COMMAND, "gets model.onnx, model.pare, report.json and the journal of the search"},
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    const char *folder = arguments_value(&s->arguments, "output");
    if (folder == NULL) {
        return session_usage_error(s, "missing -o FOLDER: where the result goes");
    }
    if (arguments_value(&s->arguments, "data") == NULL) {
        return session_usage_error(s, "missing --data FILE: the samples to search on");
    }
    struct pare_network *network = NULL;
    struct pare_report *report = NULL;
    enum pare_status status = pare_network_open_with(s->context, s->arguments.operands[0], s->settings, &network);
    if (status == PARE_OK) {
        status = pare_quantize(s->context, network, s->settings, folder, &report);
    }
    if (report != NULL) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    pare_network_free(network);
    return status;
}

const struct command command_quantize = {
    .name = "quantize",
    .operand = "MODEL.onnx",
    .summary = "take a float network to fixed point with the fewest bits that hold an accuracy bound",
    .options = options,
    .run = run,
    .example = "pare quantize MODEL.onnx --data VAL.npz --scale 1/255 --max-drop 1% -o out",
    .notes =
        "With limits (--flash-max, --ram-max, --memory-max, --bitops-max) but no --max-drop, the best accuracy within\n"
        "them is looked for; with both, both must hold.\n"
        "The first Ctrl-C stops the search and writes the best point so far; the second one quits.\n",
};
