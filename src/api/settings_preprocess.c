/* Settings that declare the preprocessing. */
#include "api/settings.h"

#include <string.h>

bool setting_scale(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
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

bool setting_mean(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    return parse_channels(ctx, s, "mean", text, field, &s->declared.mean_count);
}

bool setting_std(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    return parse_channels(ctx, s, "std", text, field, &s->declared.std_count);
}

bool setting_layout(struct context *ctx, struct pare_settings *s, void *field, const char *text) {
    enum layout value;
    if (preprocess_parse_layout(ctx, "layout", text, &value) != PARE_OK) {
        return false;
    }
    *(enum layout *)field = value;
    s->preprocess_declared = true;
    return true;
}
