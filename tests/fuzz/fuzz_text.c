/* links: graph */
/* Any text: parsed, inferred, printed and parsed again, with the same result. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(struct context *ctx, const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    if (graph_print(ctx, g, &b) != PARE_OK) {
        abort();
    }
    write_u8(&b, 0);
    return (char *)b.data; /* heap memory of the buffer */
}

static void check_round_trip(struct context *ctx, const struct graph *g) {
    struct graph *again = NULL;
    char *first = print(ctx, g);
    if (graph_parse(ctx, first, &again) != PARE_OK) {
        abort();
    }
    char *second = print(ctx, again);
    if (strcmp(first, second) != 0) {
        abort();
    }
    free(first);
    free(second);
    graph_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct context ctx;
    struct graph *g = NULL;
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    context_init(&ctx);
    if (graph_parse(&ctx, text, &g) == PARE_OK) {
        check_round_trip(&ctx, g);
        if (graph_infer(&ctx, g) == PARE_OK && graph_verify(&ctx, g) != PARE_OK) {
            abort();
        }
        check_round_trip(&ctx, g);
        graph_free(g);
    }
    free(text);
    return 0;
}
