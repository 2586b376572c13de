/* Weights of a program stored at other widths, with the same codes. */
#ifndef PARE_FIXED_REPACK_H
#define PARE_FIXED_REPACK_H

#include "fixed/executor.h"

enum packing {
    PACKING_KEEP,
    PACKING_SIZE, /* exact widths, rows bit against bit */
    PACKING_SPEED /* whole bytes: codes of 8 or 16 bits, which need no unpacking */
};

/* "size" or "speed"; NULL for PACKING_KEEP. */
const char *packing_name(enum packing packing);
/* Replaces the weights of every operator; the new ones live in p->arena. What runs is the same in every code. */
enum pare_status program_repack(struct context *ctx, struct program *p, enum packing packing);
/* program_write of the program packed so; the program itself stays as it is. */
enum pare_status program_write_packed(struct context *ctx, const struct program *p, enum packing packing,
                                      struct buffer *out);

#endif
