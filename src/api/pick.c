/* pare_pick: another point of a search, from the journal that it left. */
#include "api/data.h"
#include "api/quantize.h"
#include "base/decimal.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picking {
    struct pare_context *context;
    struct context *ctx;
    const struct pare_settings *wanted;
    const char *folder;
    struct arena arena;
    json_t *report;                 /* report.json of the search; owned */
    struct pare_settings *settings; /* those of the search; owned */
    struct pare_network *network;   /* the float one; owned */
    struct replay replay;
};

static enum pare_status unreadable(const struct picking *p, const char *what) {
    return fail(p->ctx, PARE_ERROR_INPUT, "%s/report.json: %s; give a folder that `quantize` wrote", p->folder, what);
}

/* ---- what the report tells ---- */

static enum pare_status read_report(struct picking *p) {
    struct file_map map;
    const char *path = arena_format(&p->arena, "%s/report.json", p->folder);
    const char *journal = arena_format(&p->arena, "%s/journal.jsonl", p->folder);
    if (path == NULL || journal == NULL) {
        return fail_memory(p->ctx);
    }
    TRY(check_quantized_folder(p->ctx, p->folder));
    TRY(file_map(p->ctx, path, &map));
    p->report = json_loadb(map.data != NULL ? map.data : "", map.size, 0, NULL);
    file_unmap(&map);
    if (p->report == NULL) {
        return unreadable(p, "is no JSON");
    }
    return file_exists(journal)
               ? PARE_OK
               : fail(p->ctx, PARE_ERROR_INPUT,
                      "%s: is missing, and nothing else tells what the search measured; search again", journal);
}

/* The path and hash of a file that the search read; NULL and 0 where it read none. */
static enum pare_status read_file(struct picking *p, const json_t *file, const char **path, uint64_t *hash) {
    *path = NULL;
    *hash = 0;
    if (json_is_null(file)) {
        return PARE_OK;
    }
    const char *text = json_string_value(json_object_get(file, "hash"));
    *path = json_string_value(json_object_get(file, "file"));
    bool fine = text != NULL && *path != NULL && sscanf(text, "fnv1a64:%16" SCNx64, hash) == 1;
    return fine ? PARE_OK : unreadable(p, "does not tell a file and its hash");
}

static enum pare_status read_end(struct picking *p) {
    const json_t *search = json_object_get(p->report, "search");
    const json_t *stopped = json_object_get(search, "stopped"), *points = json_object_get(search, "pareto");
    if (stopped == NULL || !json_is_array(points)) {
        return unreadable(p, "does not tell how the search ended");
    }
    p->replay.pick.end = json_is_null(stopped) ? SEARCH_COMPLETE : SEARCH_INTERRUPTED;
    for (enum search_end e = SEARCH_INTERRUPTED; !json_is_null(stopped) && e <= SEARCH_OUT_OF_TIME; e++) {
        bool same = json_is_string(stopped) && strcmp(json_string_value(stopped), search_end_name(e)) == 0;
        p->replay.pick.end = same ? e : p->replay.pick.end;
    }
    p->replay.pick.points = json_array_size(points);
    return PARE_OK;
}

/* ---- the settings of the search, as the rewritten network carries them ---- */

static enum pare_status set(struct picking *p, const char *name, const char *value) {
    return pare_settings_set(p->context, p->settings, name, value);
}

/* Numbers and texts as a setting is written; several joined by commas. */
static bool write_setting(struct buffer *out, const json_t *value) {
    char text[64];
    if (json_is_string(value)) {
        write_format(out, "%s", json_string_value(value));
    } else if (json_is_boolean(value)) {
        write_format(out, "%s", json_is_true(value) ? "true" : "false");
    } else if (json_is_integer(value)) {
        write_format(out, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        format_decimal(text, sizeof text, "%.17g", json_real_value(value));
        write_format(out, "%s", text);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *item = json_array_get(value, i);
            write_format(out, "%s", i > 0 ? "," : "");
            if (json_is_array(item) || !write_setting(out, item)) {
                return false;
            }
        }
    } else {
        return false;
    }
    return true;
}

/* What there is not keeps its default. */
static enum pare_status restore(struct picking *p, const json_t *values, const char *key, const char *name) {
    const json_t *value = json_object_get(values, key);
    if (value == NULL || json_is_null(value)) {
        return PARE_OK;
    }
    struct buffer text;
    buffer_init(&text);
    bool fine = write_setting(&text, value);
    write_u8(&text, 0);
    enum pare_status status = !fine         ? unreadable(p, "is not of the search that the networks tell of")
                              : text.failed ? fail_memory(p->ctx)
                                            : set(p, name, (const char *)text.data);
    buffer_free(&text);
    return status;
}

static enum pare_status restore_settings(struct picking *p, const json_t *carried) {
    static const char *const names[][2] = {{"bits", "bits"},
                                           {"confidence", "confidence"},
                                           {"cost", "cost"},
                                           {"input_bits", "input-bits"},
                                           {"max_drop", "max-drop"},
                                           {"metric", "metric"},
                                           {"pack", "pack"},
                                           {"seed", "seed"},
                                           {"keep_channels", "keep-channels"},
                                           {"weight_bits", "weight-bits"},
                                           {"activation_bits", "activation-bits"},
                                           {"time_limit", "time-limit"}};
    static const char *const limits[][2] = {
        {"bitops_max", "bitops-max"}, {"flash_max", "flash-max"}, {"memory_max", "memory-max"}, {"ram_max", "ram-max"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        TRY(restore(p, carried, names[i][0], names[i][1]));
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        TRY(restore(p, json_object_get(carried, "limits"), limits[i][0], limits[i][1]));
    }
    return PARE_OK;
}

/* Sizes that led the search cannot be others now. */
static enum pare_status choose_packing(struct picking *p) {
    struct search_options *own = &p->settings->search;
    enum packing wanted = p->wanted->search.packing;
    if (wanted == PACKING_KEEP || wanted == own->packing) {
        return PARE_OK;
    }
    if (own->limits.flash_bytes > 0) {
        return fail(
            p->ctx, PARE_ERROR_USAGE,
            "pack '%s': the search kept a limit on the .pare file (flash-max) as it was packed then; pick without "
            "it, and export the file (`pare export --to pare --pack %s`)",
            packing_name(wanted), packing_name(wanted));
    }
    own->packing = wanted;
    return PARE_OK;
}

/* The rewritten network's metadata hold every digit. */
static enum pare_status read_carried(struct picking *p, const struct pare_network *rewritten) {
    json_t *root = rewritten->metadata != NULL ? json_loads(rewritten->metadata, 0, NULL) : NULL;
    const json_t *carried = json_object_get(root, "settings");
    if (json_object_get(carried, "widths") != NULL) {
        json_decref(root);
        return fail(p->ctx, PARE_ERROR_INPUT,
                    "%s: its widths were given (--widths), so there is no other point to pick; search (`pare quantize` "
                    "without it)",
                    p->folder);
    }
    enum pare_status status =
        carried != NULL ? restore_settings(p, carried) : unreadable(p, "stands beside another model.onnx");
    json_decref(root);
    TRY(status);
    TRY(choose_packing(p));
    p->settings->preprocess_declared = true;
    return network_preprocess(p->ctx, rewritten, NULL, &p->settings->declared);
}

static enum pare_status read_settings(struct picking *p) {
    struct pare_network *rewritten;
    const char *path = arena_format(&p->arena, "%s/model.onnx", p->folder);
    if (path == NULL) {
        return fail_memory(p->ctx);
    }
    TRY(pare_settings_new(p->context, &p->settings));
    TRY(network_open(p->ctx, path, &(struct open_options){0}, &rewritten));
    enum pare_status status = read_carried(p, rewritten);
    pare_network_free(rewritten);
    return status;
}

/* ---- what the search read ---- */

static enum pare_status find_set(struct picking *p, const char *key, const char *name, const char *instead,
                                 uint64_t *hash) {
    const char *path;
    TRY(read_file(p, json_object_get(json_object_get(p->report, "data"), key), &path, hash));
    path = path != NULL && instead != NULL ? instead : path;
    return path != NULL ? set(p, name, path) : PARE_OK;
}

static enum pare_status find_data(struct picking *p) {
    TRY(find_set(p, "validation", "data", p->wanted->data, &p->replay.data));
    TRY(find_set(p, "calibration", "calib", p->wanted->calib, &p->replay.calibration));
    TRY(find_set(p, "test", "test", p->wanted->test, &p->replay.test));
    return p->settings->data != NULL ? PARE_OK : unreadable(p, "does not tell the data of the search");
}

static enum pare_status open_network(struct picking *p) {
    const char *path;
    uint64_t hash;
    TRY(read_file(p, json_object_get(p->report, "model"), &path, &hash));
    path = p->wanted->model != NULL ? p->wanted->model : path;
    if (path == NULL) {
        return unreadable(p, "does not tell the model of the search");
    }
    TRY(network_open(p->ctx, path, &(struct open_options){.shapes = p->wanted->input_shapes}, &p->network));
    if (p->network->hash != hash || p->network->kind != PARE_NETWORK_FLOAT) {
        return fail(p->ctx, PARE_ERROR_INPUT, "%s: is not the model that the search took; give that one (--model)",
                    path);
    }
    return PARE_OK;
}

/* ---- the whole ---- */

static enum pare_status check_request(struct context *ctx, const struct pare_settings *s) {
    bool by_figures = s->pick.max_drop > 0 || settings_have_limits(s);
    if (by_figures == (s->pick.point > 0)) {
        return fail(ctx, PARE_ERROR_USAGE,
                    "by what? Either by the number of a point (point), or by one or more of drop-max, memory-max, "
                    "flash-max, ram-max and bitops-max");
    }
    return PARE_OK;
}

static enum pare_status pick(struct picking *p, const char *output, struct pare_report **out) {
    TRY(read_report(p));
    TRY(read_settings(p));
    TRY(find_data(p));
    TRY(open_network(p));
    p->replay.folder = p->folder;
    p->replay.pick.point = p->wanted->pick.point;
    p->replay.pick.max_drop = p->wanted->pick.max_drop;
    p->replay.pick.max_drop_relative = p->wanted->pick.max_drop_relative;
    p->replay.pick.limits = p->wanted->search.limits;
    TRY(read_end(p));
    struct quantize_job job = {.network = p->network, .settings = p->settings, .folder = output, .replay = &p->replay};
    return quantize_run(p->ctx, &job, out);
}

enum pare_status pare_pick(struct pare_context *context, const struct pare_settings *settings, const char *folder,
                           const char *output, struct pare_report **out) {
    struct picking p = {.context = context, .ctx = &context->base, .wanted = settings, .folder = folder};
    context_clear(p.ctx);
    *out = NULL;
    TRY(check_request(p.ctx, settings));
    arena_init(&p.arena);
    enum pare_status status = pick(&p, output != NULL ? output : folder, out);
    pare_network_free(p.network);
    pare_settings_free(p.settings);
    json_decref(p.report);
    arena_free(&p.arena);
    return status;
}
