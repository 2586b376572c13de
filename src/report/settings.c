/* Settings as JSON: in report.json, and in the metadata of what was written. */
#include "report/quantization.h"

#include "base/decimal.h"

#include <math.h>

static json_t *json_numbers(struct json_builder *b, const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_add(b, array, json_number(values[i]));
    }
    return array;
}

json_t *json_preprocess(struct json_builder *b, const struct preprocess *p) {
    json_t *object = json_object();
    json_put(b, object, "layout", json_text(layout_name(p->layout)));
    json_put(b, object, "mean", json_numbers(b, p->mean, p->mean_count));
    json_put(b, object, "scale", json_number(p->scale));
    json_put(b, object, "std", json_numbers(b, p->std, p->std_count));
    return object;
}

static json_t *json_widths(struct json_builder *b, uint32_t widths) {
    json_t *array = json_array();
    for (int bits = 2; bits <= 16; bits++) {
        if (widths >> bits & 1) {
            json_add(b, array, json_integer(bits));
        }
    }
    return array;
}

json_t *json_drop(double drop, bool relative) {
    char text[48];
    if (isinf(drop)) {
        return json_null();
    }
    format_decimal(text, sizeof text, "%.15g%s", 100 * drop, relative ? "%" : "pt");
    return json_text(text);
}

static void put_limit(struct json_builder *b, json_t *object, const char *key, uint64_t limit) {
    if (limit > 0) {
        json_put(b, object, key, json_count(limit));
    }
}

json_t *json_limits(struct json_builder *b, const struct limits *l) {
    json_t *object = json_object();
    put_limit(b, object, "bitops_max", l->bit_operations);
    put_limit(b, object, "flash_max", l->flash_bytes);
    put_limit(b, object, "memory_max", l->memory_bits / 8);
    put_limit(b, object, "ram_max", l->ram_bytes);
    return object;
}

/* Only where they were given. */
static void put_widths(struct json_builder *b, json_t *object, const char *key, uint32_t widths) {
    if (widths != 0) {
        json_put(b, object, key, json_widths(b, widths));
    }
}

json_t *json_settings(struct json_builder *b, const struct search_options *o, const struct preprocess *p) {
    json_t *object = json_object();
    put_widths(b, object, "activation_bits", o->activation_widths);
    json_put(b, object, "bits", json_widths(b, o->widths));
    json_put(b, object, "confidence", json_number(o->confidence));
    json_put(b, object, "cost", json_text(cost_name(o->cost)));
    json_put(b, object, "input_bits", json_widths(b, o->input_widths));
    if (o->keep_channels) {
        json_put(b, object, "keep_channels", json_boolean(true));
    }
    json_put(b, object, "limits", json_limits(b, &o->limits));
    json_put(b, object, "max_drop", json_drop(o->max_drop, o->max_drop_relative));
    json_put(b, object, "metric", json_text(metric_name(o->metric)));
    if (o->packing != PACKING_KEEP) {
        json_put(b, object, "pack", json_text(packing_name(o->packing)));
    }
    json_put(b, object, "preprocess", json_preprocess(b, p));
    json_put(b, object, "seed", json_count(o->seed));
    if (o->time_limit > 0) {
        json_put(b, object, "time_limit", json_number(o->time_limit));
    }
    put_widths(b, object, "weight_bits", o->weight_widths);
    if (o->given != NULL) {
        json_put(b, object, "widths", json_text("given"));
    }
    return object;
}

json_t *json_used_file(struct json_builder *b, const struct used_file *f) {
    if (f->path == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "file", json_text(f->path));
    json_put(b, object, "hash", json_hash(f->hash));
    if (f->samples > 0) {
        json_put(b, object, "samples", json_count(f->samples));
    }
    return object;
}
