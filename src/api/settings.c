/* Settings by name: one row each, with the parser of its value. */
#include "api/settings.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    setting_parser *parse;
    size_t offset; /* of its field */
    const char *expected;
};

#define FIELD(member) offsetof(struct pare_settings, member)

#define DROP "1% (of the float accuracy) or 0.5pt (points), above 0 and at most 100"
#define WIDTHS "widths from 2 to 16, such as 8, 2..8 or 2,4,8"
#define BYTES "bytes, at least 1, such as 65536, 64KB or 1.5MB"

static const struct row rows[] = {
    {"activation-bits", setting_widths, FIELD(search.activation_widths), WIDTHS},
    {"all-values", setting_flag, FIELD(all_values), "true or false"},
    {"bitops-max", setting_count, FIELD(search.limits.bit_operations), "a number of at least 1, such as 250M or 1G"},
    {"bits", setting_bits, FIELD(search.widths), WIDTHS},
    {"calib", setting_text, FIELD(calib), "a path"},
    {"confidence", setting_confidence, FIELD(search.confidence), "a number strictly between 0.5 and 1, such as 0.95"},
    {"cost", setting_cost, FIELD(search.cost), "memory, multiplication, bitops or balanced"},
    {"data", setting_text, FIELD(data), "a path"},
    {"drop-max", setting_pick_drop, 0, DROP},
    {"flash-max", setting_bytes, FIELD(search.limits.flash_bytes), BYTES},
    {"input-bits", setting_input_bits, FIELD(search.input_widths), WIDTHS},
    {"input-shape", setting_input_shape, FIELD(input_shapes),
     "NAME=1,3,48,192, with sizes from 1 on, or words for what stays open"},
    {"keep-channels", setting_flag, FIELD(search.keep_channels), "true or false"},
    {"layout", setting_layout, FIELD(declared.layout), "nchw or nhwc"},
    {"max-drop", setting_max_drop, 0, DROP},
    {"mean", setting_mean, FIELD(declared.mean), "numbers such as 0.5 or 0.49,0.48,0.45"},
    {"memory-max", setting_memory, FIELD(search.limits.memory_bits), BYTES},
    {"metric", setting_metric, FIELD(search.metric), "top1, top5, agreement or sqnr"},
    {"model", setting_text, FIELD(model), "a path"},
    {"name", setting_name, FIELD(name),
     "at most 32 lower-case letters, digits and underscores, a letter first; not test_vector, pare.. or a header of C"},
    {"opset", setting_opset, FIELD(opset), "a number from 7 to 25"},
    {"pack", setting_packing, 0, "size or speed"},
    {"point", setting_point, FIELD(pick.point), "a number from 1 on"},
    {"preprocess", setting_flag, FIELD(preprocess), "true or false"},
    {"python", setting_text, FIELD(python), "a program"},
    {"ram-max", setting_bytes, FIELD(search.limits.ram_bytes), BYTES},
    {"reference", setting_text, FIELD(reference), "a path"},
    {"resume", setting_flag, FIELD(search.resume), "true or false"},
    {"samples", setting_samples, FIELD(samples), "a number from 1 to 1000"},
    {"scale", setting_scale, FIELD(declared.scale), "a number or a quotient such as 1/255"},
    {"seed", setting_seed, FIELD(search.seed), "a whole number from 0 to 2^53"},
    {"std", setting_std, FIELD(declared.std), "numbers such as 0.5 or 0.22,0.22,0.23"},
    {"test", setting_text, FIELD(test), "a path"},
    {"to", setting_target, 0, "c, pare, qdq, qonnx or integer"},
    {"time-limit", setting_seconds, FIELD(search.time_limit), "seconds above 0, such as 90, 90s, 5m or 2h"},
    {"weight-bits", setting_widths, FIELD(search.weight_widths), WIDTHS},
    {"widths", setting_text, FIELD(widths), "a path"},
};

void settings_init(struct pare_settings *s) {
    *s = (struct pare_settings){.name = "model",
                                .samples = 4,
                                .search = {
                                    .metric = METRIC_TOP1,
                                    .max_drop = 0.01,
                                    .max_drop_relative = true,
                                    .widths = 0x1fc,        /* 2..8 */
                                    .input_widths = 0x1ffc, /* 2..12 */
                                    .cost = COST_BALANCED,
                                    .confidence = 0.95,
                                }};
    preprocess_init(&s->declared);
}

bool settings_have_limits(const struct pare_settings *s) {
    const struct limits *l = &s->search.limits;
    return l->memory_bits > 0 || l->flash_bytes > 0 || l->ram_bytes > 0 || l->bit_operations > 0;
}

enum pare_status pare_settings_new(struct pare_context *context, struct pare_settings **out) {
    context_clear(&context->base);
    *out = malloc(sizeof **out);
    if (*out == NULL) {
        return fail_memory(&context->base);
    }
    settings_init(*out);
    return PARE_OK;
}

void pare_settings_free(struct pare_settings *s) {
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].parse == setting_text) {
            free(*(char **)((char *)s + rows[i].offset));
        }
    }
    input_shapes_free(s->input_shapes);
    free(s);
}

enum pare_status pare_settings_set(struct pare_context *context, struct pare_settings *settings, const char *name,
                                   const char *value) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    if (name == NULL || value == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "a setting needs a name and a value");
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].parse(ctx, settings, (char *)settings + rows[i].offset, value)
                       ? PARE_OK
                       : fail(ctx, PARE_ERROR_USAGE, "%s '%s': expected %s", name, value, rows[i].expected);
        }
    }
    return fail(ctx, PARE_ERROR_USAGE, "no setting is named '%s'", name);
}
