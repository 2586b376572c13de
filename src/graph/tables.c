#include "graph/tables.h"

#include <limits.h>
#include <string.h>

static struct name_entry *probe(const struct name_table *t, const char *name) {
    size_t mask = t->capacity - 1;
    size_t at = (size_t)hash_of(name, strlen(name), 0) & mask;
    while (t->entries[at].name != NULL && strcmp(t->entries[at].name, name) != 0) {
        at = (at + 1) & mask;
    }
    return &t->entries[at];
}

void *name_table_find(const struct name_table *t, const char *name) {
    return t->capacity == 0 ? NULL : probe(t, name)->item;
}

static bool rehash(struct arena *a, struct name_table *t) {
    size_t live = 0;
    for (size_t i = 0; i < t->capacity; i++) {
        live += t->entries[i].item != NULL;
    }
    struct name_table bigger = {.capacity = 16, .used = live};
    while (bigger.capacity < 4 * live) {
        bigger.capacity *= 2;
    }
    bigger.entries = ARENA_ARRAY(a, bigger.capacity, struct name_entry);
    if (bigger.entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->capacity; i++) {
        if (t->entries[i].item != NULL) {
            *probe(&bigger, t->entries[i].name) = t->entries[i];
        }
    }
    *t = bigger;
    return true;
}

bool name_table_insert(struct arena *a, struct name_table *t, const char *name, void *item) {
    if (2 * (t->used + 1) > t->capacity && !rehash(a, t)) {
        return false;
    }
    struct name_entry *entry = probe(t, name);
    t->used += entry->name == NULL;
    *entry = (struct name_entry){.name = name, .item = item};
    return true;
}

void name_table_remove(struct name_table *t, const char *name) {
    if (t->capacity != 0) {
        probe(t, name)->item = NULL;
    }
}

/* Made-up names of a subgraph's values must not hide those of the graphs around it, which it may read. */
static bool is_taken(const struct graph *g, const struct name_table *t, const char *name) {
    bool taken = name_table_find(t, name) != NULL, values = t == &g->tables->values;
    for (const struct graph *p = g->parent; values && !taken && p != NULL; p = p->parent) {
        taken = name_table_find(&p->tables->values, name) != NULL;
    }
    return taken;
}

char *name_table_unique(struct graph *g, const struct name_table *t, const char *name, const char *hint) {
    if (name != NULL && *name != '\0' && name_table_find(t, name) == NULL) {
        return arena_string(g->arena, name);
    }
    char *made = arena_string(g->arena, hint);
    while (made != NULL && is_taken(g, t, made)) {
        made = arena_format(g->arena, "%s_%u", hint, ++g->tables->serial);
    }
    return made;
}

void *list_grow(struct arena *a, void *list, int count, size_t size) {
    if (count > 0 && (count & (count - 1)) != 0) {
        return list;
    }
    if (count > INT_MAX / 2) {
        return NULL;
    }
    void *bigger = arena_array(a, count == 0 ? 1 : 2 * (size_t)count, size);
    if (bigger != NULL && count > 0) {
        memcpy(bigger, list, (size_t)count * size);
    }
    return bigger;
}

void *list_copy(struct arena *a, const void *source, int count, size_t size) {
    size_t capacity = 1;
    while (capacity < (size_t)count) {
        capacity *= 2;
    }
    void *copy = arena_array(a, capacity, size);
    if (copy != NULL && count > 0) {
        memcpy(copy, source, (size_t)count * size);
    }
    return copy;
}
