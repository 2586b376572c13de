/* usage: roundtrip IN.onnx OUT.onnx [OPSET]: reads a model and writes it; the tool behind check_export.py. */
#include "base/file.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>

static enum pare_status convert(struct context *ctx, char **argv, int opset) {
    struct graph *g = NULL;
    struct buffer bytes;
    struct onnx_write_options options = {.opset = opset};
    TRY(onnx_read(ctx, argv[1], &g));
    buffer_init(&bytes);
    enum pare_status status = onnx_write(ctx, g, &options, &bytes);
    if (status == PARE_OK) {
        status = file_write(ctx, argv[2], bytes.data, bytes.size);
    }
    buffer_free(&bytes);
    graph_free(g);
    return status;
}

int main(int argc, char **argv) {
    struct context ctx;
    context_init(&ctx);
    if (argc < 3) {
        fprintf(stderr, "usage: roundtrip IN.onnx OUT.onnx [OPSET]\n");
        return PARE_ERROR_USAGE;
    }
    enum pare_status status = convert(&ctx, argv, argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0);
    if (status != PARE_OK) {
        fprintf(stderr, "%s\n", ctx.diag.message);
    }
    return (int)status;
}
