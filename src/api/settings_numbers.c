/* Settings that are numbers, with and without units. */
#include "api/settings.h"
#include "base/decimal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool setting_opset(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_max_drop(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    bool fine = parse_drop(text, &s->search.max_drop, &s->search.max_drop_relative);
    s->max_drop_given = s->max_drop_given || fine;
    return fine;
}

bool setting_pick_drop(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_bytes(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    return parse_whole(text, bytes, field);
}

/* Bytes, kept as bits. */
bool setting_memory(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    uint64_t value;
    if (!parse_whole(text, bytes, &value)) {
        return false;
    }
    *(uint64_t *)field = 8 * value;
    return true;
}

bool setting_count(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    static const struct unit units[] = {{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {0}};
    return parse_whole(text, units, field);
}

bool setting_point(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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
bool setting_samples(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    size_t count;
    bool fine = setting_point(ctx, s, &count, text) && count <= 1000;
    *(size_t *)field = fine ? count : *(size_t *)field;
    return fine;
}

/* "90", "90s", "5m" or "2h" */
bool setting_seconds(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {0}};
    return parse_quantity(text, units, field);
}

bool setting_confidence(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_seed(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

/* "8", "2..8" or "2,4,8"; the pieces of a list may be ranges too. */
static bool parse_widths(const char *text, uint32_t *out) {
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
    *out = mask;
    return true;
}

bool setting_widths(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    return parse_widths(text, field);
}

/* Inputs follow unless they have widths of their own. */
bool setting_bits(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    if (!parse_widths(text, field)) {
        return false;
    }
    s->has_bits = true;
    s->search.input_widths = s->has_input_bits ? s->search.input_widths : s->search.widths;
    return true;
}

bool setting_input_bits(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    bool is_list = parse_widths(text, field);
    s->has_input_bits = s->has_input_bits || is_list;
    return is_list;
}
