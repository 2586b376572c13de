/* A message without its bulk: what is unpacked holds small things only, and weights are copied once, from the file. */
#ifndef PARE_ONNX_STRIP_H
#define PARE_ONNX_STRIP_H

#include "base/bytes.h"
#include "base/context.h"

#include "onnx.pb-c.h"

/* Copies a message that onnx_scan has passed into `out`, but for raw_data of 4 KiB and more: in its place stands a note
 * where it lies, for strip_find. PARE_ERROR_MEMORY. */
enum pare_status onnx_strip(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data, size_t size,
                            struct buffer *out);
/* The raw_data that was left out of a tensor, in `data`, the bytes that were stripped; false: none was. */
bool strip_find(const Onnx__TensorProto *tensor, const void *data, size_t size, const uint8_t **raw, size_t *raw_size);

#endif
