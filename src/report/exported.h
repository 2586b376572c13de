/* What `export` tells. */
#ifndef PARE_REPORT_EXPORTED_H
#define PARE_REPORT_EXPORTED_H

#include "report/json.h"

struct exported {
    const char *output;
    bool is_folder;       /* of sources */
    bool is_compact;      /* a .pare file, as a file or within the sources */
    uint64_t model_bytes; /* of the .pare file or the ONNX */
    uint64_t arena_bytes; /* of what is compact */
};

/* Both append to `out`. */
enum pare_status exported_text(struct context *ctx, const struct exported *e, struct buffer *out);
enum pare_status exported_json(struct context *ctx, const struct exported *e, struct buffer *out);

#endif
