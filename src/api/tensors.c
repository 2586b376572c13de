/* Sets of named tensors: made by the caller, read from files, written as .npz. */
#include "api/network.h"

#include "base/file.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pare_status tensors_new(struct context *ctx, struct pare_tensors **out) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    arena_init(&(*out)->arena);
    return PARE_OK;
}

enum pare_status pare_tensors_new(struct pare_context *context, struct pare_tensors **out) {
    context_clear(&context->base);
    return tensors_new(&context->base, out);
}

void pare_tensors_free(struct pare_tensors *tensors) {
    if (tensors != NULL) {
        arena_free(&tensors->arena);
        free(tensors->set.items);
        free(tensors);
    }
}

size_t pare_tensors_count(const struct pare_tensors *tensors) {
    return tensors->set.count;
}

struct pare_tensor pare_tensors_get(const struct pare_tensors *tensors, size_t index) {
    const struct named_tensor *t = &tensors->set.items[index];
    return (struct pare_tensor){.name = t->name,
                                .type = (enum pare_type)t->tensor.type,
                                .rank = t->tensor.shape.rank,
                                .dims = t->tensor.shape.dim,
                                .data = t->tensor.data};
}

static bool reserve(struct pare_tensors *set) {
    if (set->set.count < set->capacity) {
        return true;
    }
    size_t capacity = 2 * set->capacity + 8, bytes;
    if (!size_multiply(capacity, sizeof *set->set.items, &bytes)) {
        return false;
    }
    struct named_tensor *items = realloc(set->set.items, bytes);
    if (items == NULL) {
        return false;
    }
    set->set.items = items;
    set->capacity = capacity;
    return true;
}

enum pare_status tensors_append(struct context *ctx, struct pare_tensors *set, const char *name,
                                const struct tensor *t) {
    if (tensor_set_find(&set->set, name) != NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "tensor '%s' is given twice", name);
    }
    char *copy = arena_string(&set->arena, name);
    if (copy == NULL || !reserve(set)) {
        return fail_memory(ctx);
    }
    set->set.items[set->set.count++] = (struct named_tensor){.name = copy, .tensor = *t};
    return PARE_OK;
}

enum pare_status pare_tensors_add(struct pare_context *context, struct pare_tensors *tensors,
                                  const struct pare_tensor *tensor) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    if (tensor->rank < 0 || tensor->rank > TENSOR_MAX_RANK || dtype_size((enum dtype)tensor->type) == 0) {
        return fail(ctx, PARE_ERROR_USAGE, "tensor '%s': rank %d or type %d is not supported", tensor->name,
                    tensor->rank, (int)tensor->type);
    }
    struct shape shape = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++) {
        shape.dim[i] = tensor->dims[i];
    }
    struct tensor copy;
    TRY(tensor_new(ctx, &tensors->arena, (enum dtype)tensor->type, &shape, &copy));
    if (tensor_bytes(&copy) > 0) {
        memcpy(copy.data, tensor->data, tensor_bytes(&copy));
    }
    return tensors_append(ctx, tensors, tensor->name, &copy);
}

/* ---- sources ---- */

static enum pare_status fail_no_input(struct context *ctx, const struct pare_network *n, const char *source,
                                      const char *what) {
    char inputs[1024];
    return fail(ctx, PARE_ERROR_INPUT, "%s: %s; the network's inputs are %s", source, what,
                network_inputs_text(n, inputs, sizeof inputs));
}

static enum pare_status read_array(struct context *ctx, struct pare_tensors *set, const struct pare_network *n,
                                   const char *path, const char *name) {
    if (name == NULL && n->input_count != 1) {
        return fail_no_input(ctx, n, path, "one array does not tell which input it is: write NAME=X.npy");
    }
    struct tensor t;
    TRY(npy_read(ctx, &set->arena, path, &t));
    return tensors_append(ctx, set, name != NULL ? name : n->inputs[0].name, &t);
}

/* A network with one input also takes an array named x, as data files have it, or the only array. */
static const char *input_of_array(const struct pare_network *n, const struct tensor_set *arrays, const char *name) {
    if (network_input(n, name) != NULL) {
        return name;
    }
    bool stands_for_it = n->input_count == 1 && tensor_set_find(arrays, n->inputs[0].name) == NULL &&
                         (arrays->count == 1 || strcmp(name, "x") == 0);
    return stands_for_it ? n->inputs[0].name : NULL;
}

static enum pare_status read_archive(struct context *ctx, struct pare_tensors *set, const struct pare_network *n,
                                     const char *path) {
    struct tensor_set arrays;
    TRY(npz_read(ctx, &set->arena, path, &arrays));
    size_t taken = 0;
    for (size_t i = 0; i < arrays.count; i++) {
        const char *input = input_of_array(n, &arrays, arrays.items[i].name);
        if (input != NULL) {
            TRY(tensors_append(ctx, set, input, &arrays.items[i].tensor));
            taken++;
        }
    }
    return taken > 0 ? PARE_OK : fail_no_input(ctx, n, path, "no array is named like an input");
}

static enum pare_status read_folder(struct context *ctx, struct pare_tensors *set, const struct pare_network *n,
                                    const char *folder) {
    for (int i = 0; i < n->input_count; i++) {
        const char *path = arena_format(&set->arena, "%s/input_%d.pb", folder, i);
        if (path == NULL) {
            return fail_memory(ctx);
        }
        if (!file_exists(path)) {
            return i > 0 ? PARE_OK : fail_no_input(ctx, n, path, "there is no such file");
        }
        struct named_tensor t;
        TRY(onnx_read_tensor(ctx, &set->arena, path, &t));
        bool named = t.name != NULL && network_input(n, t.name) != NULL;
        TRY(tensors_append(ctx, set, named ? t.name : n->inputs[i].name, &t.tensor));
    }
    return PARE_OK;
}

static enum pare_status is_archive(struct context *ctx, const char *path, bool *archive) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    *archive = map.size >= 2 && memcmp(map.data, "PK", 2) == 0;
    file_unmap(&map);
    return PARE_OK;
}

static enum pare_status read_file(struct context *ctx, struct pare_tensors *set, const struct pare_network *n,
                                  const char *path) {
    bool archive;
    TRY(is_archive(ctx, path, &archive));
    return archive ? read_archive(ctx, set, n, path) : read_array(ctx, set, n, path, NULL);
}

/* The input that "NAME=PATH" begins with: names may hold '=' themselves, so every one is tried. */
static const struct port *named_input(const struct pare_network *n, const char *source) {
    for (int i = 0; i < n->input_count; i++) {
        size_t length = strlen(n->inputs[i].name);
        if (strncmp(source, n->inputs[i].name, length) == 0 && source[length] == '=') {
            return &n->inputs[i];
        }
    }
    return NULL;
}

enum pare_status pare_tensors_read(struct pare_context *context, struct pare_tensors *tensors,
                                   const struct pare_network *network, const char *source) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    const struct port *input = named_input(network, source);
    if (input != NULL) {
        return read_array(ctx, tensors, network, source + strlen(input->name) + 1, input->name);
    }
    if (file_is_directory(source)) {
        return read_folder(ctx, tensors, network, source);
    }
    if (!file_exists(source) && strchr(source, '=') != NULL) {
        return fail_no_input(ctx, network, source, "no input has that name");
    }
    return read_file(ctx, tensors, network, source);
}

enum pare_status pare_tensors_write(struct pare_context *context, const struct pare_tensors *tensors,
                                    const char *path) {
    context_clear(&context->base);
    return npz_write(&context->base, path, &tensors->set);
}
