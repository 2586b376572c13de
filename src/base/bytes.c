#include "base/bytes.h"

#include "base/decimal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool size_add(size_t a, size_t b, size_t *sum) {
    *sum = a + b;
    return a <= SIZE_MAX - b;
}

bool size_multiply(size_t a, size_t b, size_t *product) {
    *product = a * b;
    return b == 0 || a <= SIZE_MAX / b;
}

void reader_init(struct reader *r, const void *data, size_t size) {
    *r = (struct reader){.data = data, .size = size};
}

const uint8_t *read_bytes(struct reader *r, size_t size) {
    static const uint8_t nothing = 0;
    if (r->failed || size > r->size - r->at) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data != NULL ? r->data + r->at : &nothing;
    r->at += size;
    return p;
}

static uint64_t read_little_endian(struct reader *r, size_t size) {
    const uint8_t *p = read_bytes(r, size);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < size; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

uint8_t read_u8(struct reader *r) {
    return (uint8_t)read_little_endian(r, 1);
}

uint16_t read_u16(struct reader *r) {
    return (uint16_t)read_little_endian(r, 2);
}

uint32_t read_u32(struct reader *r) {
    return (uint32_t)read_little_endian(r, 4);
}

void buffer_init(struct buffer *b) {
    *b = (struct buffer){0};
}

void buffer_free(struct buffer *b) {
    free(b->data);
    buffer_init(b);
}

/* Room for `size` more bytes, zeroed by the caller; NULL once anything failed. */
static uint8_t *buffer_grow(struct buffer *b, size_t size) {
    size_t needed = 0;
    if (b->failed || !size_add(b->size, size, &needed)) {
        b->failed = true;
        return NULL;
    }
    if (needed > b->capacity) {
        size_t doubled = b->capacity <= SIZE_MAX / 2 ? 2 * b->capacity : needed;
        size_t capacity = needed > doubled ? needed : doubled;
        capacity = capacity < 256 ? 256 : capacity;
        uint8_t *data = realloc(b->data, capacity);
        if (data == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->capacity = capacity;
    }
    uint8_t *p = b->data + b->size;
    b->size = needed;
    return p;
}

void write_bytes(struct buffer *b, const void *data, size_t size) {
    if (size == 0) {
        return;
    }
    uint8_t *p = buffer_grow(b, size);
    if (p != NULL) {
        memcpy(p, data, size);
    }
}

static void write_little_endian(struct buffer *b, uint64_t v, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(v >> (8 * i));
    }
    write_bytes(b, bytes, size);
}

void write_u8(struct buffer *b, uint8_t v) {
    write_little_endian(b, v, 1);
}

void write_u16(struct buffer *b, uint16_t v) {
    write_little_endian(b, v, 2);
}

void write_u32(struct buffer *b, uint32_t v) {
    write_little_endian(b, v, 4);
}

void write_format(struct buffer *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = format_decimal_list(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        b->failed = true;
        return;
    }
    char *p = (char *)buffer_grow(b, (size_t)length + 1);
    if (p == NULL) {
        return;
    }
    va_start(arguments, format);
    format_decimal_list(p, (size_t)length + 1, format, arguments);
    va_end(arguments);
    b->size--; /* the terminator is not content */
}

uint64_t hash_of(const void *data, size_t size, uint64_t seed) {
    const uint8_t *p = data;
    uint64_t hash = seed != 0 ? seed : 0xCBF29CE484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * 0x100000001B3u;
    }
    return hash;
}
