/* show_npz FILE.npz: one line per array, with its first elements. */
#include "tensor/npy.h"

#include <stdio.h>

enum { ELEMENTS = 12 };

static void show(const struct named_tensor *item) {
    char shape[256];
    size_t count = tensor_count(&item->tensor);
    printf("%s %s %s:", item->name, dtype_name(item->tensor.type),
           shape_text(&item->tensor.shape, shape, sizeof shape));
    for (size_t i = 0; i < count && i < ELEMENTS; i++) {
        printf(" %.3g", tensor_get_double(&item->tensor, i));
    }
    printf("%s\n", count > ELEMENTS ? " ..." : "");
}

int main(int argc, char **argv) {
    struct context ctx;
    struct arena arena;
    struct tensor_set set;
    context_init(&ctx);
    arena_init(&arena);
    if (argc != 2 || npz_read(&ctx, &arena, argv[1], &set) != PARE_OK) {
        fprintf(stderr, "show_npz: %s\n", argc == 2 ? ctx.diag.message : "usage: show_npz FILE.npz");
        return 1;
    }
    for (size_t i = 0; i < set.count; i++) {
        show(&set.items[i]);
    }
    arena_free(&arena);
    return 0;
}
