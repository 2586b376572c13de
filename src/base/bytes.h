/* Checked sizes, and bounded little-endian reading and writing with a sticky error. */
#ifndef PARE_BASE_BYTES_H
#define PARE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool size_add(size_t a, size_t b, size_t *sum);          /* false on overflow */
bool size_multiply(size_t a, size_t b, size_t *product); /* false on overflow */

/* A cursor: reads past the end yield zeros and set `failed`, so that one check per record is enough. */
struct reader {
    const uint8_t *data;
    size_t size, at;
    bool failed;
};

void reader_init(struct reader *r, const void *data, size_t size);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
const uint8_t *read_bytes(struct reader *r, size_t size); /* NULL on failure */

/* A growing buffer; `failed` after a failed allocation. Free with buffer_free. */
struct buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};

void buffer_init(struct buffer *b);
void buffer_free(struct buffer *b);
void write_u8(struct buffer *b, uint8_t v);
void write_u16(struct buffer *b, uint16_t v);
void write_u32(struct buffer *b, uint32_t v);
void write_bytes(struct buffer *b, const void *data, size_t size);
void write_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 64-bit FNV-1a, for content hashes in reports; `seed` chains calls, 0 to begin. */
uint64_t hash_of(const void *data, size_t size, uint64_t seed);

#endif
