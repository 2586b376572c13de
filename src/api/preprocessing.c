/* Declared preprocessing: from the settings, or from what a network carries. */
#include "api/data.h"

#include <jansson.h>
#include <string.h>

static bool read_list(const json_t *array, double *values, size_t *count) {
    *count = json_array_size(array);
    if (*count > PREPROCESS_MAX_CHANNELS) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        values[i] = json_number_value(json_array_get(array, i));
    }
    return true;
}

static bool read_layout(const char *name, enum layout *layout) {
    for (enum layout l = LAYOUT_ANY; l <= LAYOUT_NHWC; l++) {
        if (strcmp(layout_name(l), name) == 0) {
            *layout = l;
            return true;
        }
    }
    return false;
}

static enum pare_status read_carried(struct context *ctx, const struct pare_network *n, json_t *root,
                                     struct preprocess *out) {
    json_t *carried = json_object_get(root, "preprocess");
    if (carried == NULL) {
        return PARE_OK;
    }
    const char *layout = "";
    json_t *mean = NULL, *std = NULL;
    bool fine = json_unpack(carried, "{s:s, s:o, s:F, s:o}", "layout", &layout, "mean", &mean, "scale", &out->scale,
                            "std", &std) == 0 &&
                read_layout(layout, &out->layout) && read_list(mean, out->mean, &out->mean_count) &&
                read_list(std, out->std, &out->std_count);
    if (!fine) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%s: the preprocessing that it carries cannot be read; declare it (scale, mean, std, layout)",
                    n->path);
    }
    return preprocess_check(ctx, out) == PARE_OK ? PARE_OK : fail_at(ctx, "%s: carried preprocessing", n->path);
}

enum pare_status network_preprocess(struct context *ctx, const struct pare_network *n,
                                    const struct pare_settings *settings, struct preprocess *out) {
    preprocess_init(out);
    if (settings != NULL && settings->preprocess_declared) {
        *out = settings->declared;
        return preprocess_check(ctx, out);
    }
    if (n->metadata == NULL) {
        return PARE_OK;
    }
    json_t *root = json_loads(n->metadata, 0, NULL);
    enum pare_status status = read_carried(ctx, n, root, out);
    json_decref(root);
    return status;
}
