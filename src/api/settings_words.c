/* Settings that are texts, and words out of a list. */
#include "api/settings.h"

#include <stdlib.h>
#include <string.h>

bool setting_text(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_input_shape(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    return input_shape_parse(field, text);
}

bool setting_flag(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)s;
    bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0) {
        return false;
    }
    *(bool *)field = on;
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

bool setting_metric(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_cost(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_target(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

/* Of headers that the exported sources include, or firmware beside them. */
static bool is_taken(const char *name) {
    static const char *const taken[] = {"assert", "complex", "ctype",       "errno",  "fenv",   "float",   "inttypes",
                                        "limits", "locale",  "math",        "setjmp", "signal", "stdarg",  "stdbool",
                                        "stddef", "stdint",  "stdio",       "stdlib", "string", "strings", "time",
                                        "wchar",  "wctype",  "test_vector", "unistd"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(name, taken[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, "pare", 4) == 0;
}

bool setting_name(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    size_t length = strlen(text);
    bool fits = length < sizeof s->name && strspn(text, letters) == length && text[0] >= 'a' && text[0] <= 'z';
    if (!fits || is_taken(text)) {
        return false;
    }
    memcpy(s->name, text, length + 1);
    return true;
}

bool setting_packing(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    (void)ctx;
    (void)field;
    for (enum packing p = PACKING_SIZE; p <= PACKING_SPEED; p++) {
        if (strcmp(text, packing_name(p)) == 0) {
            s->search.packing = p;
            return true;
        }
    }
    return false;
}
