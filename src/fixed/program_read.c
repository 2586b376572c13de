/* Reads a .pare file into a program of the host. */
#include "fixed/executor.h"
#include "fixed/text_section.h"
#include "runtime/codes.h"
#include "runtime/model.h"

#include <stdlib.h>
#include <string.h>

/* The file's bytes, owned by the program's arena. */
static enum pare_status open_copy(struct context *ctx, struct program *p, const char *place, const void *data,
                                  size_t size, struct pare_model *model) {
    void *copy = arena_alloc(p->arena, size);
    if (copy == NULL) {
        fail_memory(ctx);
        return PARE_ERROR_MEMORY;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    enum pare_status status = pare_model_open(copy, size, model);
    if (status != PARE_OK && model->place == UINT32_MAX) {
        fail(ctx, status, "%s: %s", place, model->problem);
    } else if (status != PARE_OK) {
        const char *record = model->in_operator ? "operator" : "value";
        fail(ctx, status, "%s: %s %u: %s", place, record, model->place, model->problem);
    }
    return status;
}

static enum pare_status read_records(struct context *ctx, struct program *p, const struct pare_model *model) {
    p->value_count = pare_value_count(model);
    p->op_count = pare_op_count(model);
    p->values = ARENA_ARRAY(p->arena, p->value_count, struct pare_value);
    p->ops = ARENA_ARRAY(p->arena, p->op_count, struct pare_op);
    if (p->values == NULL || p->ops == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < p->value_count; i++) {
        pare_decode_value(model, i, &p->values[i]);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        pare_decode_op(model, i, &p->ops[i]);
    }
    return PARE_OK;
}

static enum pare_status read_ports(struct context *ctx, struct program *p, const struct pare_model *model) {
    p->input_count = pare_model_input_count(model);
    p->output_count = pare_model_output_count(model);
    p->inputs = ARENA_ARRAY(p->arena, p->input_count, uint32_t);
    p->outputs = ARENA_ARRAY(p->arena, p->output_count, uint32_t);
    if (p->inputs == NULL || p->outputs == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < p->input_count; i++) {
        p->inputs[i] = i;
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        p->outputs[i] = pare_output_value(model, i);
    }
    return PARE_OK;
}

/* Bytes that continue a UTF-8 character which begins with `first`; -1 where none does. */
static int continuation_count(unsigned char first) {
    if (first < 0x80) {
        return 0;
    }
    return first >= 0xc2 && first < 0xe0   ? 1
           : first >= 0xe0 && first < 0xf0 ? 2
           : first >= 0xf0 && first < 0xf5 ? 3
                                           : -1;
}

/* Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const char *text, size_t size) {
    const unsigned char *s = (const unsigned char *)text, *end = s + size;
    while (s < end) {
        unsigned char first = *s++;
        int count = continuation_count(first);
        if (count < 0 || end - s < count) {
            return false;
        }
        unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        for (; count > 0; count--, low = 0x80, high = 0xbf) {
            if (*s < low || *s > high) {
                return false;
            }
            s++;
        }
    }
    return true;
}

/* A section of text, checked; `size` 0 where it was stripped. `what` names it. */
static enum pare_status read_text(struct context *ctx, struct program *p, const char *place, const char *what,
                                  const struct pare_model *model, enum pare_section section, const char **text,
                                  size_t *size) {
    const uint8_t *bytes = model->section[section];
    *text = (const char *)bytes;
    *size = (size_t)(model->section[section + 1] - bytes);
    if (*size > 0) {
        TRY(text_section_read(ctx, p->arena, place, what, bytes, *size, text, size));
    }
    return is_utf8(*text, *size) ? PARE_OK : fail(ctx, PARE_ERROR_INPUT, "%s: its %s are no UTF-8 text", place, what);
}

/* The next NUL-terminated name; NULL when none is left. */
static const char *next_name(const char **at, const char *end) {
    const char *name = *at, *stop = name == end ? NULL : memchr(name, 0, (size_t)(end - name));
    *at = stop == NULL ? end : stop + 1;
    return stop == NULL ? NULL : name;
}

static enum pare_status read_names(struct context *ctx, struct program *p, const char *place,
                                   const struct pare_model *model) {
    const char *at;
    size_t size;
    TRY(read_text(ctx, p, place, "names", model, PARE_NAMES, &at, &size));
    const char *end = at + size;
    if (at == end) {
        return PARE_OK;
    }
    p->value_names = ARENA_ARRAY(p->arena, p->value_count, const char *);
    p->op_names = ARENA_ARRAY(p->arena, p->op_count, const char *);
    p->op_types = ARENA_ARRAY(p->arena, p->op_count, const char *);
    if (p->value_names == NULL || p->op_names == NULL || p->op_types == NULL) {
        return fail_memory(ctx);
    }
    bool complete = true;
    for (uint32_t i = 0; i < p->value_count; i++) {
        complete = (p->value_names[i] = next_name(&at, end)) != NULL && complete;
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        complete = (p->op_names[i] = next_name(&at, end)) != NULL && complete;
        complete = (p->op_types[i] = next_name(&at, end)) != NULL && complete;
    }
    return complete && at == end
               ? PARE_OK
               : fail(ctx, PARE_ERROR_INPUT, "%s: it has more or fewer names than values and operators", place);
}

static enum pare_status read_metadata(struct context *ctx, struct program *p, const char *place,
                                      const struct pare_model *model) {
    const char *text;
    size_t size;
    TRY(read_text(ctx, p, place, "metadata", model, PARE_METADATA, &text, &size));
    if (size == 0) {
        return PARE_OK;
    }
    if (memchr(text, 0, size) != NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: its metadata are no UTF-8 text", place);
    }
    p->metadata = arena_string_n(p->arena, text, size);
    return p->metadata == NULL ? fail_memory(ctx) : PARE_OK;
}

static enum pare_status read_program(struct context *ctx, struct program *p, const char *place, const void *data,
                                     size_t size) {
    struct pare_model model;
    TRY(open_copy(ctx, p, place, data, size, &model));
    TRY(read_records(ctx, p, &model));
    TRY(read_ports(ctx, p, &model));
    TRY(read_names(ctx, p, place, &model));
    return read_metadata(ctx, p, place, &model);
}

enum pare_status program_read(struct context *ctx, const char *place, const void *data, size_t size,
                              struct program **out) {
    struct arena *arena = malloc(sizeof(*arena));
    if (arena == NULL) {
        return fail_memory(ctx);
    }
    arena_init(arena);
    struct program *p = ARENA_NEW(arena, struct program);
    enum pare_status status = PARE_ERROR_MEMORY;
    if (p == NULL) {
        fail_memory(ctx);
    } else {
        p->arena = arena;
        status = read_program(ctx, p, place, data, size);
    }
    if (status != PARE_OK) {
        arena_free(arena);
        free(arena);
        return status;
    }
    *out = p;
    return PARE_OK;
}
