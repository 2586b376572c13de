#include "base/map.h"

#include <stdint.h>

struct map_entry {
    const void *key;
    void *value;
};

void map_init(struct map *m, struct arena *arena) {
    *m = (struct map){.arena = arena};
}

static struct map_entry *find(const struct map *m, const void *key) {
    uint64_t h = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(h >> 32) & (m->capacity - 1);
    while (m->entries[i].key != NULL && m->entries[i].key != key) {
        i = (i + 1) & (m->capacity - 1);
    }
    return &m->entries[i];
}

static bool grow(struct map *m) {
    struct map old = *m;
    size_t capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    struct map_entry *entries = ARENA_ARRAY(m->arena, capacity, struct map_entry);
    if (entries == NULL) {
        return false;
    }
    m->entries = entries;
    m->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].key != NULL) {
            *find(m, old.entries[i].key) = old.entries[i];
        }
    }
    return true;
}

bool map_set(struct map *m, const void *key, void *value) {
    if (m->count * 2 >= m->capacity && !grow(m)) {
        return false;
    }
    struct map_entry *e = find(m, key);
    m->count += e->key == NULL;
    *e = (struct map_entry){key, value};
    return true;
}

void *map_get(const struct map *m, const void *key) {
    return m->capacity == 0 ? NULL : find(m, key)->value;
}
