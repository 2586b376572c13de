#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WHAT_MAX 512

const char *finding_kind_name(enum finding_kind kind) {
    static const char *const names[FINDING_KINDS] = {
        [FINDING_OPERATOR] = "operator", [FINDING_ATTRIBUTE] = "attribute", [FINDING_FORM] = "form",
        [FINDING_OPSET] = "opset",       [FINDING_WEIGHTS] = "weights",     [FINDING_STRUCTURE] = "structure",
        [FINDING_SHAPE] = "shape",       [FINDING_FLOAT] = "float",         [FINDING_WARNING] = "warning"};
    return names[kind];
}

static struct finding *find(const struct findings *f, const struct finding *kind, const char *what) {
    struct finding *item = f->first;
    while (item != NULL &&
           (item->kind != kind->kind || item->blocks != kind->blocks || strcmp(item->what, what) != 0)) {
        item = item->next;
    }
    return item;
}

static struct finding *append(struct findings *f, const struct finding *kind, const char *what) {
    struct finding *item = ARENA_NEW(f->arena, struct finding);
    if (item == NULL || (item->what = arena_string(f->arena, what)) == NULL) {
        return NULL;
    }
    item->kind = kind->kind;
    item->blocks = kind->blocks;
    item->way_out = kind->way_out;
    *(f->last == NULL ? &f->first : &f->last->next) = item;
    f->last = item;
    f->count++;
    return item;
}

static bool grow(struct arena *a, struct finding *item) {
    int capacity = item->capacity == 0 ? 4 : 2 * item->capacity;
    const char **places = ARENA_ARRAY(a, (size_t)capacity, const char *);
    if (places == NULL) {
        return false;
    }
    if (item->named > 0) {
        memcpy(places, item->places, (size_t)item->named * sizeof *places);
    }
    item->places = places;
    item->capacity = capacity;
    return true;
}

static bool add_place(struct arena *a, struct finding *item, const char *place) {
    item->count++;
    if (place == NULL || item->named >= FINDING_PLACES_MAX) {
        return true;
    }
    if (item->named == item->capacity && !grow(a, item)) {
        return false;
    }
    item->places[item->named] = arena_string(a, place);
    return item->places[item->named++] != NULL;
}

enum pare_status findings_add(struct context *ctx, struct findings *f, const struct finding *kind, const char *place,
                              const char *what, ...) {
    char text[WHAT_MAX];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    struct finding *item = find(f, kind, text);
    if (item == NULL && f->count >= FINDINGS_MAX) {
        f->count++;
        return PARE_OK;
    }
    if (item == NULL && (item = append(f, kind, text)) == NULL) {
        return fail_memory(ctx);
    }
    return add_place(f->arena, item, place) ? PARE_OK : fail_memory(ctx);
}

bool findings_block(const struct findings *f) {
    const struct finding *item = f->first;
    while (item != NULL && !item->blocks) {
        item = item->next;
    }
    return item != NULL;
}
