#include "base/arena.h"

#include "base/bytes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)
#define LARGE_ALIGNMENT ((size_t)64)
#define SMALL_ALIGNMENT ((size_t)16)

struct arena_block {
    struct arena_block *next;
    size_t used, capacity;
    uint8_t *data; /* aligned to LARGE_ALIGNMENT, zeroed, behind the header */
};

void arena_init(struct arena *a) {
    *a = (struct arena){0};
}

void arena_free(struct arena *a) {
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->bytes = 0;
}

void arena_adopt(struct arena *to, struct arena *from) {
    struct arena_block **last = &from->blocks;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    if (to->blocks == NULL) {
        to->blocks = from->blocks;
    } else if (from->blocks != NULL) { /* behind the newest block, whose free space stays in use */
        *last = to->blocks->next;
        to->blocks->next = from->blocks;
    }
    to->bytes += from->bytes;
    arena_init(from);
}

static struct arena_block *block_new(size_t capacity) {
    size_t total = 0;
    if (!size_add(capacity, sizeof(struct arena_block) + LARGE_ALIGNMENT, &total)) {
        return NULL;
    }
    struct arena_block *b = calloc(1, total);
    if (b == NULL) {
        return NULL;
    }
    b->capacity = capacity;
    b->data = (uint8_t *)(b + 1);
    b->data += (LARGE_ALIGNMENT - (uintptr_t)b->data % LARGE_ALIGNMENT) % LARGE_ALIGNMENT;
    return b;
}

/* A large request goes behind the newest block, whose free space stays in use. */
static void *alloc_own_block(struct arena *a, size_t size) {
    struct arena_block *b = block_new(size);
    if (b == NULL) {
        return NULL;
    }
    b->used = size;
    if (a->blocks != NULL) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        a->blocks = b;
    }
    return b->data;
}

static void *block_take(struct arena_block *b, size_t size, size_t alignment) {
    size_t start = b->used + (alignment - b->used % alignment) % alignment;
    if (start > b->capacity || size > b->capacity - start) {
        return NULL;
    }
    b->used = start + size;
    return b->data + start;
}

static void *take(struct arena *a, size_t size) {
    if (size > BLOCK_SIZE / 4) {
        return alloc_own_block(a, size);
    }
    size_t alignment = size >= LARGE_ALIGNMENT ? LARGE_ALIGNMENT : SMALL_ALIGNMENT;
    size_t occupied = size > 0 ? size : 1; /* so that pointers are distinct */
    void *p = a->blocks != NULL ? block_take(a->blocks, occupied, alignment) : NULL;
    if (p != NULL) {
        return p;
    }
    struct arena_block *b = block_new(BLOCK_SIZE);
    if (b == NULL) {
        return NULL;
    }
    b->next = a->blocks;
    a->blocks = b;
    return block_take(b, occupied, alignment);
}

void *arena_alloc(struct arena *a, size_t size) {
    void *p = take(a, size);
    if (p != NULL) {
        a->bytes += size;
    }
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
    size_t total = 0;
    return size_multiply(count, size, &total) ? arena_alloc(a, total) : NULL;
}

char *arena_string(struct arena *a, const char *s) {
    return arena_string_n(a, s, strlen(s));
}

char *arena_string_n(struct arena *a, const char *s, size_t n) {
    size_t size = 0;
    char *copy = size_add(n, 1, &size) ? arena_alloc(a, size) : NULL;
    if (copy != NULL && n > 0) {
        memcpy(copy, s, n);
    }
    return copy;
}

char *arena_format(struct arena *a, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length >= 0 ? arena_alloc(a, (size_t)length + 1) : NULL;
    if (text == NULL) {
        return NULL;
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
