#include "api/input_shape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* A size of at least 1, or a word. */
static bool parse_dim(const char *text, size_t length, int64_t *out) {
    char *end = NULL;
    if (length == 0) {
        return false;
    }
    if (text[0] < '0' || text[0] > '9') {
        *out = -1;
        return text[0] != '-';
    }
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && end == text + length && *out > 0;
}

static bool parse_shape(const char *text, struct shape *out) {
    *out = (struct shape){.rank = 0};
    for (;;) {
        size_t length = strcspn(text, ",");
        if (out->rank == TENSOR_MAX_RANK || !parse_dim(text, length, &out->dim[out->rank++])) {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

bool input_shape_parse(struct input_shape **list, const char *text) {
    const char *equals = strrchr(text, '='); /* names may hold one themselves */
    size_t length = equals == NULL ? 0 : (size_t)(equals - text);
    struct shape shape;
    if (!parse_shape(equals == NULL ? text : equals + 1, &shape)) {
        return false;
    }
    struct input_shape *item = malloc(sizeof *item);
    char *name = malloc(length + 1);
    if (item == NULL || name == NULL) {
        free(item);
        free(name);
        return false;
    }
    memcpy(name, text, length);
    name[length] = '\0';
    *item = (struct input_shape){.name = name, .shape = shape};
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = item;
    return true;
}

void input_shapes_free(struct input_shape *list) {
    while (list != NULL) {
        struct input_shape *next = list->next;
        free(list->name);
        free(list);
        list = next;
    }
}

/* ---- applying ---- */

static enum pare_status find_input(struct context *ctx, const struct graph *g, const struct input_shape *given,
                                   struct value **out) {
    *out = given->name[0] == '\0' && g->input_count == 1 ? g->inputs[0] : graph_find(g, given->name);
    if (*out != NULL && (*out)->is_input) {
        return PARE_OK;
    }
    return given->name[0] == '\0'
               ? fail(ctx, PARE_ERROR_USAGE, "input-shape: the model has %d inputs; name one: NAME=1,3,48,192",
                      g->input_count)
               : fail(ctx, PARE_ERROR_USAGE, "input-shape: the model has no input '%s'; its first is '%s'", given->name,
                      g->input_count > 0 ? g->inputs[0]->name : "");
}

static enum pare_status apply_dim(struct context *ctx, struct value *input, int axis, int64_t size) {
    struct dim *d = &input->dims[axis];
    if (d->value >= 0 && size >= 0 && d->value != size) {
        return fail(ctx, PARE_ERROR_USAGE, "input-shape: dimension %d of '%s' is %lld in the model, not %lld", axis,
                    input->name, (long long)d->value, (long long)size);
    }
    if (d->value < 0 && size >= 0 && d->symbol != NULL) {
        graph_fix_symbol(input->graph, d->symbol, size);
    } else if (d->value < 0 && size >= 0) {
        d->value = size;
    }
    return PARE_OK;
}

static enum pare_status apply(struct context *ctx, const struct input_shape *given, struct graph *g) {
    struct value *input = NULL;
    TRY(find_input(ctx, g, given, &input));
    if (input->rank < 0) {
        input->rank = given->shape.rank;
        for (int i = 0; i < input->rank; i++) {
            input->dims[i] = (struct dim){.value = -1};
        }
    }
    if (input->rank != given->shape.rank) {
        return fail(ctx, PARE_ERROR_USAGE, "input-shape: '%s' has %d dimensions in the model, not %d", input->name,
                    input->rank, given->shape.rank);
    }
    for (int i = 0; i < input->rank; i++) {
        TRY(apply_dim(ctx, input, i, given->shape.dim[i]));
    }
    return PARE_OK;
}

enum pare_status input_shapes_apply(struct context *ctx, const struct input_shape *list, struct graph *g) {
    for (const struct input_shape *given = list; given != NULL; given = given->next) {
        TRY(apply(ctx, given, g));
    }
    return list == NULL ? PARE_OK : graph_infer(ctx, g);
}

char *input_shape_argument(const struct value *input, char *text, size_t size) {
    snprintf(text, size, "%s=%s", input->name, input->rank < 0 ? "1,SIZE,..." : "");
    for (int i = 0; i < input->rank; i++) {
        const struct dim *d = &input->dims[i];
        const char *word = i == 0 ? "1" : d->symbol != NULL ? d->symbol : "SIZE";
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)d->value);
        size_t at = strlen(text);
        snprintf(text + at, size - at, "%s%s", i > 0 ? "," : "", d->value >= 0 ? number : word);
    }
    return text;
}
