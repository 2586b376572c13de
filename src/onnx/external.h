/* Tensor data in files beside the model. */
#ifndef PARE_ONNX_EXTERNAL_H
#define PARE_ONNX_EXTERNAL_H

#include "base/arena.h"
#include "base/context.h"

#include "onnx.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct external_file;

/* The folders that may hold the data: the one of the model's path as the user gave it, and the one where that path
 * leads after symbolic links (a model cache links each file to a store of its own); NULL: none. */
struct external {
    const char *folder, *linked_folder;
    struct arena *arena;
    struct external_file *files; /* mapped once each */
    const void *model;           /* the bytes that the message was stripped from (onnx/strip.h); NULL: it was not */
    size_t model_size;
    bool mapped;          /* it is a mapped file */
    bool hashed;          /* whether `hash` is wanted, which takes its time */
    uint64_t hash, bytes; /* grow by what external_bytes returned */
};

/* The bytes of a tensor whose data_location is EXTERNAL. `location` must be a relative path that does not climb
 * ("..": PARE_ERROR_INPUT): a model can name only what lies below its folder. Symbolic links there are
 * the user's own doing and are followed. The range must lie inside the file. Valid until external_close. */
enum pare_status external_bytes(struct context *ctx, struct external *e, const Onnx__TensorProto *tensor,
                                size_t expected, const uint8_t **data);
void external_close(struct external *e);

#endif
