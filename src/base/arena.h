/* Phase arenas: everything of one phase is freed at once. */
#ifndef PARE_BASE_ARENA_H
#define PARE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/*   block ──▶ block ──▶ block          newest first; a request larger than a block gets its own
 *   [used........|free....]                                                                      */
struct arena {
    struct arena_block *blocks;
    size_t bytes; /* handed out so far */
};

void arena_init(struct arena *a);
void arena_free(struct arena *a); /* leaves an empty, usable arena */

/* Moves everything of `from` into `to`; `from` is left empty. */
void arena_adopt(struct arena *to, struct arena *from);

/* Zeroed memory aligned to 64 bytes for requests of 64 bytes and more, else to 16; NULL when the system has no more or
 * the product overflows. Size 0 yields a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_string(struct arena *a, const char *s);
char *arena_string_n(struct arena *a, const char *s, size_t n);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
