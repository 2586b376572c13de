#include "tensor/preprocess.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 64

void preprocess_init(struct preprocess *p) {
    *p = (struct preprocess){.scale = 1};
}

bool preprocess_is_identity(const struct preprocess *p) {
    return p->scale == 1 && p->mean_count == 0 && p->std_count == 0;
}

static enum pare_status check_divisor(struct context *ctx, const char *name, double v) {
    if (!isfinite((float)v) || (float)v == 0) {
        return fail(ctx, PARE_ERROR_USAGE, "%s: %g cannot be used; give a finite number that is not 0", name, v);
    }
    return PARE_OK;
}

enum pare_status preprocess_check(struct context *ctx, const struct preprocess *p) {
    TRY(check_divisor(ctx, "scale", p->scale));
    if (p->mean_count > PREPROCESS_MAX_CHANNELS || p->std_count > PREPROCESS_MAX_CHANNELS) {
        return fail(ctx, PARE_ERROR_USAGE, "mean, std: at most %d channels are possible", PREPROCESS_MAX_CHANNELS);
    }
    for (size_t i = 0; i < p->mean_count; i++) {
        if (!isfinite((float)p->mean[i])) {
            return fail(ctx, PARE_ERROR_USAGE, "mean: %g is not finite in float32", p->mean[i]);
        }
    }
    for (size_t i = 0; i < p->std_count; i++) {
        TRY(check_divisor(ctx, "std", p->std[i]));
    }
    if (p->mean_count > 1 && p->std_count > 1 && p->mean_count != p->std_count) {
        return fail(ctx, PARE_ERROR_USAGE, "mean has %zu numbers and std %zu; give one, or one per channel",
                    p->mean_count, p->std_count);
    }
    return PARE_OK;
}

static bool parse_quotient(const char *text, double *out) {
    char *end = NULL;
    *out = parse_decimal(text, &end);
    if (end == text) {
        return false;
    }
    if (*end == '/') {
        const char *denominator = end + 1;
        *out /= parse_decimal(denominator, &end);
        if (end == denominator) {
            return false;
        }
    }
    return *end == '\0' && isfinite(*out);
}

enum pare_status preprocess_parse_number(struct context *ctx, const char *option, const char *text, double *out) {
    if (!parse_quotient(text, out)) {
        return fail(ctx, PARE_ERROR_USAGE, "%s: '%.64s' is no finite number; write one like 0.5 or 1/255", option,
                    text);
    }
    return PARE_OK;
}

enum pare_status preprocess_parse_list(struct context *ctx, const char *option, const char *text,
                                       double out[PREPROCESS_MAX_CHANNELS], size_t *count) {
    *count = 0;
    for (const char *at = text; at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t length = comma != NULL ? (size_t)(comma - at) : strlen(at);
        char number[NUMBER_MAX] = "";
        if (length >= sizeof number) {
            return fail(ctx, PARE_ERROR_USAGE, "%s: '%.64s...' is no number", option, at);
        }
        if (*count == PREPROCESS_MAX_CHANNELS) {
            return fail(ctx, PARE_ERROR_USAGE, "%s: more than %d numbers", option, PREPROCESS_MAX_CHANNELS);
        }
        snprintf(number, sizeof number, "%.*s", (int)length, at);
        TRY(preprocess_parse_number(ctx, option, number, &out[*count]));
        ++*count;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return PARE_OK;
}

enum pare_status preprocess_parse_layout(struct context *ctx, const char *option, const char *text, enum layout *out) {
    for (enum layout l = LAYOUT_NCHW; l <= LAYOUT_NHWC; l++) {
        if (strcmp(text, layout_name(l)) == 0) {
            *out = l;
            return PARE_OK;
        }
    }
    return fail(ctx, PARE_ERROR_USAGE, "%s: '%.64s' is no layout; choose nchw or nhwc", option, text);
}

const char *layout_name(enum layout l) {
    return l == LAYOUT_NCHW ? "nchw" : l == LAYOUT_NHWC ? "nhwc" : "any";
}
