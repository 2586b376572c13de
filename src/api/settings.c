/* Settings by name: one row each, with the parser of its value. */
#include "api/api.h"
#include "base/decimal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* False, with or without a message of its own, when the text does not fit; then nothing is changed. */
typedef bool parse_value(struct context *ctx, struct pare_settings *s, void *field, const char *text);

static bool parse_text(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)s;
    char **target = field;
    size_t size = strlen(text) + 1;
    if (size == 1) {
        return false;
    }
    char *copy = malloc(size);
    if (copy == NULL) {
        fail_memory(ctx);
        return false;
    }
    memcpy(copy, text, size);
    free(*target);
    *target = copy;
    return true;
}

static bool parse_input_shape(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    return input_shape_parse(field, text);
}

static bool parse_opset(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    char *end;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || value < 7 || value > 25) {
        return false;
    }
    *(int *)field = (int)value;
    return true;
}

static bool parse_flag(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0) {
        return false;
    }
    *(bool *)field = on;
    return true;
}

static bool parse_number(const char *text, double *out, const char **end) {
    char *stop;
    *out = parse_decimal(text, &stop);
    *end = stop;
    return stop != text && isfinite(*out);
}

static bool parse_drop(const char *text, double *drop, bool *relative) {
    double value;
    const char *unit;
    if (!parse_number(text, &value, &unit) || value <= 0 || value > 100) {
        return false;
    }
    bool is_percent = strcmp(unit, "%") == 0;
    if (!is_percent && strcmp(unit, "pt") != 0) {
        return false;
    }
    *drop = value / 100;
    *relative = is_percent;
    return true;
}

static bool parse_max_drop(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    bool fine = parse_drop(text, &s->search.max_drop, &s->search.max_drop_relative);
    s->max_drop_given = s->max_drop_given || fine;
    return fine;
}

static bool parse_pick_drop(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    return parse_drop(text, &s->pick.max_drop, &s->pick.max_drop_relative);
}

struct unit {
    const char *name;
    double factor;
};

/* A number above 0 and one of the units, which end with a row of zeros. */
static bool parse_quantity(const char *text, const struct unit *units, double *out) {
    double value;
    const char *unit;
    if (!parse_number(text, &value, &unit) || value <= 0) {
        return false;
    }
    for (; units->name != NULL; units++) {
        if (strcasecmp(unit, units->name) == 0) {
            *out = value * units->factor;
            return true;
        }
    }
    return false;
}

/* JSON readers that hold numbers as doubles keep every whole number up to here. */
static const uint64_t largest_integer = UINT64_C(1) << 53;

static bool parse_whole(const char *text, const struct unit *units, uint64_t *out) {
    double value;
    if (!parse_quantity(text, units, &value) || value < 1 || value > (double)largest_integer) {
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

static const struct unit bytes[] = {
    {"", 1},         {"B", 1},         {"K", 1 << 10}, {"KB", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
    {"MB", 1 << 20}, {"MiB", 1 << 20}, {"G", 1 << 30}, {"GB", 1 << 30}, {"GiB", 1 << 30}, {0},
};

static bool parse_bytes(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    return parse_whole(text, bytes, field);
}

/* Bytes, kept as bits. */
static bool parse_memory(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    uint64_t value;
    if (!parse_whole(text, bytes, &value)) {
        return false;
    }
    *(uint64_t *)field = 8 * value;
    return true;
}

static bool parse_count(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    static const struct unit units[] = {{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {0}};
    return parse_whole(text, units, field);
}

static bool parse_point(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || value == 0) {
        return false;
    }
    *(size_t *)field = value;
    return true;
}

/* Of a test vector, which is source text. */
static bool parse_samples(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    size_t count;
    bool fine = parse_point(ctx, s, &count, text) && count <= 1000;
    *(size_t *)field = fine ? count : *(size_t *)field;
    return fine;
}

/* "90", "90s", "5m" or "2h" */
static bool parse_seconds(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {0}};
    return parse_quantity(text, units, field);
}

static bool parse_confidence(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    double value;
    const char *end;
    if (!parse_number(text, &value, &end) || *end != 0 || value <= 0.5 || value >= 1) {
        return false;
    }
    *(double *)field = value;
    return true;
}

static bool parse_seed(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || value > largest_integer) {
        return false;
    }
    *(uint64_t *)field = value;
    return true;
}

static bool parse_metric(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    for (enum metric m = METRIC_TOP1; m <= METRIC_SQNR; m++) {
        if (strcmp(metric_name(m), text) == 0) {
            *(enum metric *)field = m;
            s->metric_given = true;
            return true;
        }
    }
    return false;
}

static bool parse_cost(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    for (enum cost_kind c = COST_MEMORY; c <= COST_BALANCED; c++) {
        if (strcmp(cost_name(c), text) == 0) {
            *(enum cost_kind *)field = c;
            return true;
        }
    }
    return false;
}

/* "8", "2..8" or "2,4,8"; the pieces of a list may be ranges too. */
static bool parse_widths(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    uint32_t mask = 0;
    for (;;) {
        char *end;
        long low = strtol(text, &end, 10), high = low;
        if (end == text) {
            return false;
        }
        if (strncmp(end, "..", 2) == 0) {
            text = end + 2;
            high = strtol(text, &end, 10);
            if (end == text) {
                return false;
            }
        }
        if (low < 2 || high > 16 || low > high) {
            return false;
        }
        mask |= (UINT32_C(1) << (high + 1)) - (UINT32_C(1) << low);
        if (*end == 0) {
            break;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1;
    }
    *(uint32_t *)field = mask;
    return true;
}

static bool parse_scale(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    double value;
    if (preprocess_parse_number(ctx, "scale", text, &value) != PARE_OK) {
        return false;
    }
    *(double *)field = value;
    s->preprocess_declared = true;
    return true;
}

static bool parse_channels(struct context *ctx, struct pare_settings *s, const char *option, const char *text,
                           double field[PREPROCESS_MAX_CHANNELS], size_t *count) {
    double values[PREPROCESS_MAX_CHANNELS];
    size_t given;
    if (preprocess_parse_list(ctx, option, text, values, &given) != PARE_OK) {
        return false;
    }
    memcpy(field, values, given * sizeof *values);
    *count = given;
    s->preprocess_declared = true;
    return true;
}

static bool parse_mean(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    return parse_channels(ctx, s, "mean", text, field, &s->declared.mean_count);
}

static bool parse_std(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    return parse_channels(ctx, s, "std", text, field, &s->declared.std_count);
}

static bool parse_layout(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    enum layout value;
    if (preprocess_parse_layout(ctx, "layout", text, &value) != PARE_OK) {
        return false;
    }
    *(enum layout *)field = value;
    s->preprocess_declared = true;
    return true;
}

/* The index of `text` among `count` words. */
static bool parse_word(const char *text, const char *const *words, int count, int *out) {
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_target(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    static const char *const words[] = {[EXPORT_C] = "c",
                                        [EXPORT_PARE] = "pare",
                                        [EXPORT_QDQ] = "qdq",
                                        [EXPORT_QONNX] = "qonnx",
                                        [EXPORT_INTEGER] = "integer"};
    int word;
    bool known = parse_word(text, words, 5, &word);
    s->target = known ? (enum export_target)word : s->target;
    return known;
}

static bool parse_packing(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    static const char *const words[] = {"size", "speed"};
    int word;
    bool known = parse_word(text, words, 2, &word);
    s->packing = !known ? s->packing : word == 0 ? PACKING_SIZE : PACKING_SPEED;
    return known;
}

struct row {
    const char *name;
    parse_value *parse;
    size_t offset; /* of its field */
    const char *expected;
};

#define FIELD(member) offsetof(struct pare_settings, member)

#define DROP "1% (of the float accuracy) or 0.5pt (points), above 0 and at most 100"
#define BYTES "bytes, at least 1, such as 65536, 64KB or 1.5MB"

static const struct row rows[] = {
    {"all-values", parse_flag, FIELD(all_values), "true or false"},
    {"bitops-max", parse_count, FIELD(search.limits.bit_operations), "a number of at least 1, such as 250M or 1G"},
    {"bits", parse_widths, FIELD(search.widths), "widths from 2 to 16, such as 8, 2..8 or 2,4,8"},
    {"calib", parse_text, FIELD(calib), "a path"},
    {"confidence", parse_confidence, FIELD(search.confidence), "a number strictly between 0.5 and 1, such as 0.95"},
    {"cost", parse_cost, FIELD(search.cost), "memory, multiplication, bitops or balanced"},
    {"data", parse_text, FIELD(data), "a path"},
    {"drop-max", parse_pick_drop, 0, DROP},
    {"flash-max", parse_bytes, FIELD(search.limits.flash_bytes), BYTES},
    {"input-shape", parse_input_shape, FIELD(input_shapes),
     "NAME=1,3,48,192, with sizes from 1 on, or words for what stays open"},
    {"layout", parse_layout, FIELD(declared.layout), "nchw or nhwc"},
    {"max-drop", parse_max_drop, 0, DROP},
    {"mean", parse_mean, FIELD(declared.mean), "numbers such as 0.5 or 0.49,0.48,0.45"},
    {"memory-max", parse_memory, FIELD(search.limits.memory_bits), BYTES},
    {"metric", parse_metric, FIELD(search.metric), "top1, top5, agreement or sqnr"},
    {"model", parse_text, FIELD(model), "a path"},
    {"opset", parse_opset, FIELD(opset), "a number from 7 to 25"},
    {"pack", parse_packing, 0, "size or speed"},
    {"point", parse_point, FIELD(pick.point), "a number from 1 on"},
    {"preprocess", parse_flag, FIELD(preprocess), "true or false"},
    {"python", parse_text, FIELD(python), "a program"},
    {"ram-max", parse_bytes, FIELD(search.limits.ram_bytes), BYTES},
    {"reference", parse_text, FIELD(reference), "a path"},
    {"resume", parse_flag, FIELD(search.resume), "true or false"},
    {"samples", parse_samples, FIELD(samples), "a number from 1 to 1000"},
    {"scale", parse_scale, FIELD(declared.scale), "a number or a quotient such as 1/255"},
    {"seed", parse_seed, FIELD(search.seed), "a whole number from 0 to 2^53"},
    {"std", parse_std, FIELD(declared.std), "numbers such as 0.5 or 0.22,0.22,0.23"},
    {"test", parse_text, FIELD(test), "a path"},
    {"to", parse_target, 0, "c, pare, qdq, qonnx or integer"},
    {"time-limit", parse_seconds, FIELD(search.time_limit), "seconds above 0, such as 90, 90s, 5m or 2h"},
};

void settings_init(struct pare_settings *s) {
    *s = (struct pare_settings){.samples = 4,
                                .search = {
                                    .metric = METRIC_TOP1,
                                    .max_drop = 0.01,
                                    .max_drop_relative = true,
                                    .widths = 0x1fc, /* 2..8 */
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
        if (rows[i].parse == parse_text) {
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
