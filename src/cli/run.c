/* pare run: tensors in, tensors out. */
#include "cli/session.h"
#include "cli/shared_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct option options[] = {
    {"input", 'i', "SOURCE", ROLE_COMMAND, "X.npy, NAME=X.npy (repeat it), X.npz, or a folder of input_N.pb"},
    {"output", 'o', "Y.npz", ROLE_COMMAND, "gets every output under its name"},
    {"all-values", 0, NULL, ROLE_SETTING, "add every quantised value, as integers, under its ONNX name"},
    {"preprocess", 0, NULL, ROLE_SETTING, "take raw samples: apply the preprocessing that the file carries"},
    PREPROCESS_OPTIONS,
    INPUT_SHAPE_OPTION,
    {0},
};

static enum pare_status read_inputs(struct session *s, const struct pare_network *network,
                                    struct pare_tensors *inputs) {
    for (size_t i = 0; i < s->arguments.given_count; i++) {
        const struct given_option *given = &s->arguments.given[i];
        if (strcmp(given->option->name, "input") == 0) {
            enum pare_status status = pare_tensors_read(s->context, inputs, network, given->value);
            if (status != PARE_OK) {
                return status;
            }
        }
    }
    return PARE_OK;
}

static enum pare_status run_network(struct session *s, const char *output) {
    struct pare_network *network = NULL;
    struct pare_tensors *inputs = NULL, *outputs = NULL;
    enum pare_status status = pare_network_open_with(s->context, s->arguments.operands[0], s->settings, &network);
    if (status == PARE_OK) {
        status = pare_tensors_new(s->context, &inputs);
    }
    if (status == PARE_OK) {
        status = read_inputs(s, network, inputs);
    }
    if (status == PARE_OK) {
        status = pare_run(s->context, network, s->settings, inputs, &outputs);
    }
    if (status == PARE_OK) {
        status = pare_tensors_write(s->context, outputs, output);
    }
    pare_tensors_free(outputs);
    pare_tensors_free(inputs);
    pare_network_free(network);
    return status;
}

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), ending_length = strlen(ending);
    return length > ending_length && strcmp(text + length - ending_length, ending) == 0;
}

static enum pare_status run(struct session *s) {
    const char *output = arguments_value(&s->arguments, "output");
    if (arguments_value(&s->arguments, "input") == NULL) {
        return session_usage_error(s, "missing --input SOURCE: X.npy, NAME=X.npy, X.npz or a folder");
    }
    if (output == NULL) {
        return session_usage_error(s, "missing -o Y.npz: where the outputs go");
    }
    if (!ends_with(output, ".npz")) {
        return session_usage_error(s, "-o %s: outputs are written as an archive, whose name ends in .npz", output);
    }
    return run_network(s, output);
}

const struct command command_run = {
    .name = "run",
    .operand = "FILE",
    .summary = "run a network on tensors",
    .options = options,
    .run = run,
    .example = "pare run out/model.pare --input x.npy -o y.npz",
    .notes = "The inputs are taken as the model wants them. --scale, --mean, --std and --layout declare preprocessing, "
             "and imply\n--preprocess.\n",
};
