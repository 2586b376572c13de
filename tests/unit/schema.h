/* As much of JSON Schema as docs/report.schema.json uses. */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static inline bool schema_type_is(const char *type, const json_t *value) {
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static inline bool schema_type_fits(const json_t *types, const json_t *value) {
    if (json_is_string(types)) {
        return schema_type_is(json_string_value(types), value);
    }
    size_t i;
    const json_t *type;
    json_array_foreach(types, i, type) {
        if (schema_type_is(json_string_value(type), value)) {
            return true;
        }
    }
    return false;
}

static inline bool schema_enum_fits(const json_t *allowed, const json_t *value) {
    size_t i;
    const json_t *one;
    json_array_foreach(allowed, i, one) {
        if (json_equal(one, value)) {
            return true;
        }
    }
    return allowed == NULL;
}

static inline bool schema_complain(const char *path, const char *what) {
    fprintf(stderr, "%s: %s\n", path, what);
    return false;
}

static inline bool schema_fits(const json_t *schema, json_t *value, const char *path);

static inline bool schema_object_fits(const json_t *schema, json_t *value, const char *path) {
    size_t i;
    json_t *required, *member;
    char place[256];
    json_array_foreach(json_object_get(schema, "required"), i, required) {
        if (json_object_get(value, json_string_value(required)) == NULL) {
            snprintf(place, sizeof place, "%s.%s", path, json_string_value(required));
            return schema_complain(place, "is missing");
        }
    }
    const char *key;
    json_object_foreach(value, key, member) {
        const json_t *property = json_object_get(json_object_get(schema, "properties"), key);
        snprintf(place, sizeof place, "%s.%s", path, key);
        if (property == NULL) {
            return schema_complain(place, "is not in the schema");
        }
        if (!schema_fits(property, member, place)) {
            return false;
        }
    }
    return true;
}

/* Says on stderr where it does not. */
static inline bool schema_fits(const json_t *schema, json_t *value, const char *path) {
    if (!schema_type_fits(json_object_get(schema, "type"), value)) {
        return schema_complain(path, "has another type");
    }
    if (!schema_enum_fits(json_object_get(schema, "enum"), value)) {
        return schema_complain(path, "has a value that is not listed");
    }
    if (json_is_object(value)) {
        return schema_object_fits(schema, value, path);
    }
    size_t i;
    json_t *element;
    json_array_foreach(value, i, element) {
        char place[256];
        snprintf(place, sizeof place, "%s[%zu]", path, i);
        if (!schema_fits(json_object_get(schema, "items"), element, place)) {
            return false;
        }
    }
    return true;
}

#endif
