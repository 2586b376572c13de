#include "api/data.h"

#include "base/file.h"
#include "onnx/onnx.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Classes are what the last axis of the first output counts. */
static int64_t class_count(const struct pare_network *n) {
    const struct port *p = n->output_count > 0 ? &n->outputs[0] : NULL;
    bool scores = p != NULL && dtype_is_float(p->type) && p->rank > 1;
    int64_t classes = scores ? p->dims[p->rank - 1].value : 0;
    for (int i = 1; scores && i + 1 < p->rank; i++) {
        classes = p->dims[i].value == 1 ? classes : 0;
    }
    return classes > 1 ? classes : 0;
}

static enum pare_status describe_inputs(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                        struct dataset_spec *spec) {
    struct input_spec *inputs = ARENA_ARRAY(arena, (size_t)n->input_count, struct input_spec);
    if (inputs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        const struct port *p = &n->inputs[i];
        inputs[i] = (struct input_spec){.name = p->name, .type = p->type, .shape.rank = p->rank};
        for (int k = 0; k < p->rank; k++) {
            inputs[i].shape.dim[k] = p->dims[k].value;
        }
    }
    spec->inputs = inputs;
    spec->input_count = n->input_count;
    spec->classes = class_count(n);
    return PARE_OK;
}

/* ---- folders of TensorProto files ---- */

static enum pare_status read_protos(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                    const char *folder, struct tensor_set *out) {
    out->items = ARENA_ARRAY(arena, (size_t)n->input_count, struct named_tensor);
    if (out->items == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        const char *path = arena_format(arena, "%s/input_%d.pb", folder, i);
        char *name = arena_string(arena, n->inputs[i].name);
        if (path == NULL || name == NULL) {
            return fail_memory(ctx);
        }
        TRY(onnx_read_tensor(ctx, arena, path, &out->items[i]));
        if (network_input(n, out->items[i].name) == NULL) {
            out->items[i].name = name;
        }
        out->count++;
    }
    return PARE_OK;
}

static int by_name(const void *left, const void *right) {
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

static bool holds_protos(struct arena *arena, const char *folder) {
    const char *path = arena_format(arena, "%s/input_0.pb", folder);
    return path != NULL && file_exists(path);
}

static enum pare_status list_folders(struct context *ctx, struct arena *arena, DIR *directory, const char *folder,
                                     const char ***out, size_t *count) {
    size_t capacity = 0;
    *out = NULL;
    *count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *path = arena_format(arena, "%s/%s", folder, entry->d_name);
        if (path == NULL) {
            return fail_memory(ctx);
        }
        if (entry->d_name[0] == '.' || !holds_protos(arena, path)) {
            continue;
        }
        if (*count == capacity) {
            capacity = 2 * capacity + 64;
            const char **bigger = ARENA_ARRAY(arena, capacity, const char *);
            if (bigger == NULL) {
                return fail_memory(ctx);
            }
            if (*count > 0) {
                memcpy(bigger, *out, *count * sizeof *bigger);
            }
            *out = bigger;
        }
        (*out)[(*count)++] = path;
    }
    return PARE_OK;
}

static enum pare_status read_folders(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                     const char *folder, struct tensor_set *out) {
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: cannot be listed", folder);
    }
    const char **paths;
    size_t count;
    enum pare_status status = list_folders(ctx, arena, directory, folder, &paths, &count);
    closedir(directory);
    TRY(status);
    if (count == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: holds no input_0.pb, and no folder with one", folder);
    }
    qsort(paths, count, sizeof *paths, by_name);
    struct tensor_set *sets = ARENA_ARRAY(arena, count, struct tensor_set);
    if (sets == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(read_protos(ctx, arena, n, paths[i], &sets[i]));
    }
    return tensor_set_join(ctx, arena, sets, count, out) == PARE_OK ? PARE_OK : fail_at(ctx, "%s", folder);
}

static enum pare_status read_data_folder(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                         const char *path, const struct dataset_spec *spec, struct dataset *out) {
    struct tensor_set set = {0};
    TRY(holds_protos(arena, path) ? read_protos(ctx, arena, n, path, &set) : read_folders(ctx, arena, n, path, &set));
    return dataset_from_arrays(ctx, arena, path, &set, spec, out);
}

/* ---- the whole ---- */

enum pare_status network_read_data(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                   const char *path, const struct preprocess *preprocess, enum label_use label_use,
                                   struct dataset *out) {
    struct dataset_spec spec = {.label_use = label_use, .preprocess = preprocess};
    TRY(describe_inputs(ctx, arena, n, &spec));
    if (file_is_directory(path)) {
        return read_data_folder(ctx, arena, n, path, &spec, out);
    }
    return dataset_read(ctx, arena, path, &spec, out);
}

enum pare_status network_take_data(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                   const struct tensor_set *arrays, const struct preprocess *preprocess,
                                   struct dataset *out) {
    struct dataset_spec spec = {.label_use = LABELS_IGNORED, .preprocess = preprocess};
    TRY(describe_inputs(ctx, arena, n, &spec));
    return dataset_from_arrays(ctx, arena, "input", arrays, &spec, out);
}

static enum pare_status load_sample(const void *user, struct context *ctx, struct arena *arena, size_t index,
                                    struct tensor *inputs) {
    const struct dataset *d = user;
    struct tensor *sample;
    TRY(dataset_new_sample(ctx, arena, d, &sample));
    dataset_load(d, index, sample);
    memcpy(inputs, sample, (size_t)d->input_count * sizeof *inputs);
    return PARE_OK;
}

struct samples dataset_samples(const struct dataset *d) {
    return (struct samples){.count = d->count, .load = load_sample, .user = d};
}
