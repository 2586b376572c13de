/* JSON text with sorted keys and a sticky error, over Jansson. */
#ifndef PARE_REPORT_JSON_H
#define PARE_REPORT_JSON_H

#include "base/bytes.h"
#include "search/search.h"

#include <jansson.h>

struct json_builder {
    bool failed;
};

/* Each takes over `value`; NULL or a failed insertion marks the builder. */
void json_put(struct json_builder *b, json_t *object, const char *key, json_t *value);
void json_add(struct json_builder *b, json_t *array, json_t *value);

json_t *json_text(const char *s); /* bytes that are no UTF-8 become '?'; NULL becomes null */
json_t *json_number(double v);    /* null when not finite */
json_t *json_count(uint64_t n);   /* saturates at INT64_MAX */
json_t *json_known(uint64_t n);   /* null when 0 */
json_t *json_hash(uint64_t hash); /* "fnv1a64:0123456789abcdef" */

/* {"bits", "count", "frac" (a number, or one per channel), "signed"}; null where there is no tensor. */
json_t *json_tensor_report(struct json_builder *b, const struct tensor_report *t, bool is_float);
/* {"name", "op", "weight", "bias", "output", "macs", "accumulator_bits", "exact_in_float32", "float"} */
json_t *json_layer(struct json_builder *b, const struct layer_report *l);

/* Appends the text, ended by a newline, and frees `root`. */
enum pare_status json_finish(struct context *ctx, struct json_builder *b, json_t *root, struct buffer *out);

#endif
