/* Bytes to a graph, to text, and to bytes again. What is read must be written, and must come back as the same text. */
#include "fuzz_onnx.h"

#include "base/context.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds, const char *what, const struct context *ctx) {
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, ctx->diag.message);
        abort();
    }
}

static void print(struct context *ctx, const struct graph *g, struct buffer *text) {
    buffer_init(text);
    require(graph_print(ctx, g, text) == PARE_OK, "a graph that was read cannot be printed", ctx);
}

static void check_round_trip(struct context *ctx, const struct graph *g) {
    struct buffer bytes, first, second;
    struct graph *again = NULL;
    buffer_init(&bytes);
    if (onnx_write(ctx, g, &(struct onnx_write_options){.opset = 25}, &bytes) == PARE_OK) {
        require(onnx_parse(ctx, "written", bytes.data, bytes.size, NULL, &again) == PARE_OK, "cannot read back", ctx);
        print(ctx, g, &first);
        print(ctx, again, &second);
        require(first.size == second.size && memcmp(first.data, second.data, first.size) == 0, "other text", ctx);
        buffer_free(&first);
        buffer_free(&second);
        graph_free(again);
    }
    buffer_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct context ctx;
    struct graph *g = NULL;
    context_init(&ctx);
    (void)onnx_recognise(data, size);
    if (onnx_parse(&ctx, "fuzz", data, size, NULL, &g) == PARE_OK) {
        check_round_trip(&ctx, g);
        graph_free(g);
    } else {
        require(ctx.diag.code != PARE_ERROR_INTERNAL, "an internal error", &ctx);
    }
    return 0;
}
