/* A map from pointers to pointers, in an arena. */
#ifndef PARE_BASE_MAP_H
#define PARE_BASE_MAP_H

#include "base/arena.h"

#include <stdbool.h>

struct map {
    struct arena *arena;
    struct map_entry *entries;
    size_t capacity, count; /* capacity is 0 or a power of two */
};

void map_init(struct map *m, struct arena *arena);
/* False when out of memory. NULL keys are not allowed. */
bool map_set(struct map *m, const void *key, void *value);
void *map_get(const struct map *m, const void *key); /* NULL when absent */

#endif
