/* pare pick: another point of a search, without a new one. */
#include "cli/session.h"
#include "cli/shared_options.h"

#include <stdio.h>

static const struct option options[] = {
    {"point", 0, "N", ROLE_SETTING, "the point with this number (search.pareto in report.json, from 1)"},
    {"drop-max", 0, "D", ROLE_SETTING, "the cheapest point that loses at most 1% of the float accuracy, or 0.5pt"},
    {"memory-max", 0, "BYTES", ROLE_SETTING, "only points with this much memory (paper): 120KB, 1MB; KB: 1024 bytes"},
    {"flash-max", 0, "BYTES", ROLE_SETTING, "only points whose .pare file is at most this large"},
    {"ram-max", 0, "BYTES", ROLE_SETTING, "only points with at most this peak of activations"},
    {"bitops-max", 0, "N", ROLE_SETTING, "only points with at most this many bit operations: 250M, 1G"},
    PACK_OPTION,
    {"output", 'o', "FOLDER", ROLE_COMMAND, "gets the files (default: they replace those of the search)"},
    {"model", 0, "FILE", ROLE_SETTING, "the float network of the search, where it has moved"},
    {"data", 0, "FILE", ROLE_SETTING, "the data of the search, where they have moved"},
    {"calib", 0, "FILE", ROLE_SETTING, "the same"},
    {"test", 0, "FILE", ROLE_SETTING, "the same"},
    INPUT_SHAPE_OPTION,
    REPORT_OPTIONS,
    {0},
};

static enum pare_status run(struct session *s) {
    struct pare_report *report = NULL;
    enum pare_status status =
        pare_pick(s->context, s->settings, s->arguments.operands[0], arguments_value(&s->arguments, "output"), &report);
    if (report != NULL) {
        session_print_report(s, report);
    }
    pare_report_free(report);
    return status;
}

const struct command command_pick = {
    .name = "pick",
    .operand = "OUT",
    .summary = "write another point of a search that `quantize` made in the folder OUT, without a new search",
    .options = options,
    .run = run,
    .example = "pare pick out --flash-max 64KB -o small",
    .notes = "Without --drop-max the most accurate point within the limits is taken.\n",
};
