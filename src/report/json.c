#include "report/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_put(struct json_builder *b, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) {
        b->failed = true;
    }
}

void json_add(struct json_builder *b, json_t *array, json_t *value) {
    if (json_array_append_new(array, value) != 0) {
        b->failed = true;
    }
}

static json_t *text_without_high_bytes(const char *s) {
    size_t size = strlen(s);
    char *copy = malloc(size + 1);
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i <= size; i++) {
        copy[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
    }
    json_t *text = json_string(copy);
    free(copy);
    return text;
}

json_t *json_text(const char *s) {
    if (s == NULL) {
        return json_null();
    }
    json_t *text = json_string(s);
    return text != NULL ? text : text_without_high_bytes(s);
}

json_t *json_number(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

json_t *json_count(uint64_t n) {
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *json_known(uint64_t n) {
    return n > 0 ? json_count(n) : json_null();
}

json_t *json_hash(uint64_t hash) {
    char text[32];
    snprintf(text, sizeof text, "fnv1a64:%016" PRIx64, hash);
    return json_string(text);
}

static json_t *json_fractions(struct json_builder *b, const struct format *f) {
    if (f->channel_frac == NULL) {
        return json_integer(f->frac);
    }
    json_t *array = json_array();
    for (int c = 0; c < f->channels; c++) {
        json_add(b, array, json_integer(f->channel_frac[c]));
    }
    return array;
}

json_t *json_tensor_report(struct json_builder *b, const struct tensor_report *t, bool is_float) {
    if (t->count == 0) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "count", json_count(t->count));
    json_put(b, object, "bits", json_integer(is_float ? 32 : t->format.bits));
    json_put(b, object, "frac", is_float ? json_null() : json_fractions(b, &t->format));
    json_put(b, object, "signed", json_boolean(is_float || t->format.is_signed));
    return object;
}

json_t *json_layer(struct json_builder *b, const struct layer_report *l) {
    json_t *object = json_object();
    json_put(b, object, "name", json_text(l->name));
    json_put(b, object, "op", json_text(l->op));
    json_put(b, object, "weight", json_tensor_report(b, &l->weight, l->is_float));
    json_put(b, object, "bias", json_tensor_report(b, &l->bias, l->is_float));
    json_put(b, object, "output", json_tensor_report(b, &l->output, l->is_float));
    json_put(b, object, "macs", json_count(l->macs));
    json_put(b, object, "float", json_boolean(l->is_float));
    json_put(b, object, "accumulator_bits", l->is_float ? json_null() : json_integer(l->accumulator_bits));
    json_put(b, object, "exact_in_float32", l->is_float ? json_null() : json_boolean(l->exact_in_float32));
    return object;
}

enum pare_status json_finish(struct context *ctx, struct json_builder *b, json_t *root, struct buffer *out) {
    char *text = b->failed ? NULL : json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(root);
    if (text == NULL) {
        return fail_memory(ctx);
    }
    write_format(out, "%s\n", text);
    free(text);
    return out->failed ? fail_memory(ctx) : PARE_OK;
}
