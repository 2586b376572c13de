/* A look over the bytes of a message before they are unpacked. */
#ifndef PARE_ONNX_SCAN_H
#define PARE_ONNX_SCAN_H

#include "base/context.h"

#include <protobuf-c/protobuf-c.h>

/* Checks that `data` is a well-formed message of type `type` whose unpacking costs a bounded amount of memory, stack
 * and time: nesting of at most 100 messages (the limit of protobuf's own implementations), lengths inside their
 * parents, no singular message given twice (protobuf-c merges those, in quadratic time), and an estimate of the memory
 * that stays within 64 MiB plus 32 times the size. PARE_ERROR_INPUT names the byte. */
enum pare_status onnx_scan(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data, size_t size);

#endif
