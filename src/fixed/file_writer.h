/* What the two halves of writing a .pare file share: its sections while they grow. */
#ifndef PARE_FIXED_FILE_WRITER_H
#define PARE_FIXED_FILE_WRITER_H

#include "fixed/lifetimes.h"

/* Bytes already in the data section, which equal ones may share. */
struct block {
    uint64_t hash;
    uint32_t offset, size;
};

struct file_writer {
    struct context *ctx;
    const struct program *program;
    struct arena scratch;
    struct lifetime *lives;
    uint32_t *index;      /* of each value of the program in the file; unused ones are left out */
    uint32_t value_count; /* in the file */
    struct block *blocks; /* two per value or operator at most */
    size_t block_count;
    struct buffer values, ops, ports, data, names, metadata;
    struct buffer parameters; /* scratch: the block at hand, be it of dims, parameters, coefficients or names */
};

/* Adds a block to the data section, at a multiple of `alignment` bytes, or finds an equal one. */
enum pare_status file_place_block(struct file_writer *w, const void *bytes, size_t size, size_t alignment,
                                  uint32_t *offset);
/* A number of a terse block. */
void write_terse(struct buffer *b, uint32_t number);
/* Appends the record of an operator, and its blocks. */
enum pare_status file_write_op(struct file_writer *w, const struct pare_op *op);

#endif
