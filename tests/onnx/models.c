/* usage: models FOLDER: every network of a folder is read and comes back equal after writing, and no prefix of a file
 * is taken for a whole one. */
#include "base/file.h"
#include "onnx/onnx.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_text(struct context *ctx, const struct graph *a, const struct graph *b) {
    struct buffer first, second;
    buffer_init(&first);
    buffer_init(&second);
    bool same = graph_print(ctx, a, &first) == PARE_OK && graph_print(ctx, b, &second) == PARE_OK &&
                first.size == second.size && memcmp(first.data, second.data, first.size) == 0;
    buffer_free(&first);
    buffer_free(&second);
    return same;
}

static bool comes_back(struct context *ctx, const struct graph *g) {
    struct buffer bytes;
    struct graph *again = NULL;
    buffer_init(&bytes);
    bool same = onnx_write(ctx, g, NULL, &bytes) == PARE_OK &&
                onnx_parse(ctx, "written", bytes.data, bytes.size, NULL, &again) == PARE_OK && same_text(ctx, g, again);
    graph_free(again);
    buffer_free(&bytes);
    return same;
}

/* Every 64th part of the file, alone. */
static bool prefixes_are_refused(struct context *ctx, const char *path) {
    struct file_map map;
    bool refused_all = file_map(ctx, path, &map) == PARE_OK;
    for (size_t part = 0; refused_all && part < 64; part++) {
        struct graph *g = NULL;
        context_clear(ctx);
        refused_all = onnx_parse(ctx, "prefix", map.data, map.size / 64 * part, ".", &g) != PARE_OK;
        graph_free(g);
    }
    context_clear(ctx);
    file_unmap(&map);
    return refused_all;
}

static bool check_model(const char *folder, const char *file) {
    char path[4096];
    struct context ctx;
    struct graph *g = NULL;
    context_init(&ctx);
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    bool cut = prefixes_are_refused(&ctx, path), good = false;
    if (onnx_read(&ctx, path, &g) == PARE_OK) {
        good = comes_back(&ctx, g);
        printf("%s %s: %d nodes\n", good && cut ? "ok" : "FAILED", file, g->node_count);
    } else {
        printf("FAILED %s: %s\n", file, ctx.diag.message);
    }
    graph_free(g);
    return good && cut;
}

int main(int argc, char **argv) {
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    int count = 0, failed = 0;
    if (folder == NULL) {
        printf("skipped: no ../shared\n");
        return EXIT_SUCCESS;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *end = strrchr(entry->d_name, '.');
        if (end != NULL && strcmp(end, ".onnx") == 0) {
            count++;
            failed += !check_model(argv[1], entry->d_name);
        }
    }
    closedir(folder);
    printf("%d networks, %d failed\n", count, failed);
    return failed == 0 && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
