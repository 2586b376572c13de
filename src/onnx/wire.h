/* The protobuf wire format, one field at a time. */
#ifndef PARE_ONNX_WIRE_H
#define PARE_ONNX_WIRE_H

#include "base/bytes.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    const uint8_t *payload; /* of WIRE_BYTES: inside the reader's data */
    size_t size;
};

/* The next field; false at the end of the data, and with r->failed set where the bytes are no field
 * (cut short, number 0, a group, a varint of more than ten bytes). */
bool wire_next(struct reader *r, struct wire_field *out);

#endif
