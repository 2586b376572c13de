/* show_npz FILE.npz: one line per array, with its first elements; show_npz FILE.npz NAME: that array's bytes. */
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

static int print_bytes(const struct tensor_set *set, const char *name) {
    const struct tensor *t = tensor_set_find(set, name);
    if (t == NULL || fwrite(t->data, 1, tensor_bytes(t), stdout) != tensor_bytes(t)) {
        fprintf(stderr, "show_npz: there is no array %s, or it cannot be written\n", name);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct context ctx;
    struct arena arena;
    struct tensor_set set;
    context_init(&ctx);
    arena_init(&arena);
    if (argc < 2 || argc > 3 || npz_read(&ctx, &arena, argv[1], &set) != PARE_OK) {
        fprintf(stderr, "show_npz: %s\n", argc < 2 || argc > 3 ? "usage: show_npz FILE.npz [NAME]" : ctx.diag.message);
        return 1;
    }
    int code = argc == 3 ? print_bytes(&set, argv[2]) : 0;
    for (size_t i = 0; argc == 2 && i < set.count; i++) {
        show(&set.items[i]);
    }
    arena_free(&arena);
    return code;
}
