/* What the two halves of writing a .pare file share: its sections while they grow. */
#ifndef PARE_FIXED_FILE_WRITER_H
#define PARE_FIXED_FILE_WRITER_H

#include "fixed/lifetimes.h"

/* Bytes already in the data section, which equal ones may share. */
struct block {
    uint64_t hash;
    uint32_t offset, size;
};

/* A section of blocks. */
struct block_section {
    struct buffer bytes;
    struct block *blocks; /* one per value and one per operator at most */
    size_t count;
};

struct file_writer {
    struct context *ctx;
    const struct program *program;
    struct arena scratch;
    struct lifetime *lives;
    uint32_t *index;      /* of each value of the program in the file; unused ones are left out */
    uint32_t *value;      /* of the program, for each in the file */
    uint32_t value_count; /* in the file */
    struct block_section numbers, data;
    struct buffer values, ops, outputs, names, metadata;
    struct buffer block; /* scratch: the block at hand, or the names */
};

/* Adds the block at hand to the numbers, or finds an equal one. */
enum pare_status file_place_numbers(struct file_writer *w, uint16_t *offset);
/* Adds a block to the data, or finds an equal one. */
enum pare_status file_place_data(struct file_writer *w, const void *bytes, size_t size, uint32_t *offset);
void write_number(struct buffer *b, uint32_t number);
/* Appends the record of an operator, and its blocks. */
enum pare_status file_write_op(struct file_writer *w, const struct pare_op *op);

#endif
