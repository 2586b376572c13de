/* Widths by layer, as report.json has them. */
#include "api/quantize.h"
#include "base/file.h"

#include <jansson.h>

#define LEAST 2
#define MOST 16

struct reading {
    struct context *ctx;
    struct arena *arena;
    struct given_widths *out;
};

/* The `bits` of a member, into *width and the mask. A member that is missing or null says nothing, and so do 0 bits:
 * there is no such tensor. */
static enum pare_status read_width(const struct reading *r, const json_t *layer, const char *name, const char *member,
                                   int *width, uint32_t *mask) {
    const json_t *tensor = json_object_get(layer, member), *bits = json_object_get(tensor, "bits");
    json_int_t value = json_integer_value(bits);
    *width = 0;
    if (tensor == NULL || json_is_null(tensor) || (json_is_integer(bits) && value == 0)) {
        return PARE_OK;
    }
    if (!json_is_integer(bits) || value < LEAST || value > MOST) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: '%s' has no %s.bits from %d to %d", r->out->place, name, member,
                    LEAST, MOST);
    }
    *width = (int)value;
    *mask |= 1u << value;
    return PARE_OK;
}

static enum pare_status read_item(struct reading *r, const json_t *item, struct layer_widths *out) {
    const char *name = json_string_value(json_object_get(item, "name"));
    if (name == NULL) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: an entry has no name", r->out->place);
    }
    out->name = arena_string(r->arena, name);
    if (out->name == NULL) {
        return fail_memory(r->ctx);
    }
    TRY(read_width(r, item, name, "weight", &out->weight, &r->out->widths));
    TRY(read_width(r, item, name, "bias", &out->bias, &r->out->widths));
    return read_width(r, item, name, "output", &out->output, &r->out->widths);
}

static enum pare_status read_layers(struct reading *r, const json_t *array) {
    size_t count = json_array_size(array);
    struct layer_widths *layers = ARENA_ARRAY(r->arena, count + 1, struct layer_widths);
    if (layers == NULL) {
        return fail_memory(r->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(read_item(r, json_array_get(array, i), &layers[i]));
    }
    r->out->layers = layers;
    r->out->layer_count = count;
    return PARE_OK;
}

static enum pare_status read_inputs(struct reading *r, const json_t *array) {
    size_t count = json_array_size(array);
    struct layer_widths *inputs = ARENA_ARRAY(r->arena, count + 1, struct layer_widths);
    if (inputs == NULL) {
        return fail_memory(r->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        TRY(read_item(r, item, &inputs[i]));
        TRY(read_width(r, item, inputs[i].name, "codes", &inputs[i].output, &r->out->input_widths));
    }
    r->out->inputs = inputs;
    r->out->input_count = count;
    return PARE_OK;
}

static enum pare_status read_root(struct reading *r, const json_t *root) {
    const json_t *layers = json_object_get(root, "layers");
    if (!json_is_array(layers)) {
        return fail(r->ctx, PARE_ERROR_INPUT,
                    "%s: holds no widths of layers; give a report.json that `quantize` wrote, or a part of it",
                    r->out->place);
    }
    TRY(read_layers(r, layers));
    return read_inputs(r, json_object_get(json_object_get(root, "interface"), "inputs"));
}

enum pare_status widths_read(struct context *ctx, struct arena *arena, const char *path, struct given_widths *out) {
    struct file_map map;
    struct reading r = {ctx, arena, out};
    *out = (struct given_widths){.place = path, .widths = 1u << 8, .input_widths = 1u << 8};
    TRY(file_map(ctx, path, &map));
    json_t *root = json_loadb(map.data != NULL ? map.data : "", map.size, 0, NULL);
    file_unmap(&map);
    enum pare_status status = read_root(&r, root);
    json_decref(root);
    return status;
}
