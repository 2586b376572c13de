/* usage: replay_onnx [FILE...]: runs the fuzz target on files, or on seeded mutations of generated models. */
#include "fuzz_onnx.h"

#include "base/file.h"
#include "onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 30000

static uint64_t state = 1;

static uint32_t random_below(uint32_t bound) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % bound;
}

/* Operators of one input and no required attribute. */
static const char *const unary[] = {"Relu",    "Sigmoid",   "Clip",    "Softmax",           "Flatten",
                                    "Squeeze", "Transpose", "Dropout", "GlobalAveragePool", "Identity",
                                    "Shape",   "ArgMax",    "Cast",    "ReduceMean",        "Split"};
static const char *const attributes[] = {"axis", "axes", "min", "max", "perm", "to", "split", "keepdims", "ratio"};

static void put_random_attribute(message *n) {
    const char *name = attributes[random_below(sizeof attributes / sizeof attributes[0])];
    const int64_t list[] = {random_below(4), (int64_t)random_below(8) - 4, random_below(3)};
    switch (random_below(4)) {
    case 0:
        put_message(n, 5, int_attribute(name, (int64_t)random_below(14) - 3));
        break;
    case 1:
        put_message(n, 5, ints_attribute(name, list, (int)random_below(4)));
        break;
    case 2:
        put_message(n, 5, float_attribute(name, (float)random_below(9) - 4));
        break;
    default:
        break;
    }
}

/* A chain of random operators from x to y, with some weights added in between. */
static message random_model(void) {
    static const float values[] = {1, -2, 0.5F};
    message g = graph_head();
    const char *previous = "x";
    char names[8][8];
    int length = 1 + (int)random_below(7);
    put_message(&g, GRAPH_INITIALIZER,
                raw_tensor("w", DTYPE_FLOAT, (const int64_t[]){3, 1, 1}, 3, values, sizeof values));
    for (int i = 0; i < length; i++) {
        char inputs[80];
        bool weighted = random_below(4) == 0;
        (void)snprintf(names[i], sizeof names[i], "v%d", i);
        (void)snprintf(inputs, sizeof inputs, weighted ? "%s w" : "%s", previous);
        const char *op = weighted ? "Mul" : unary[random_below(sizeof unary / sizeof unary[0])];
        message n = node_head(op, "", inputs, i == length - 1 ? "y" : names[i]);
        put_random_attribute(&n);
        put_message(&g, GRAPH_NODE, n);
        previous = names[i];
    }
    return model_of(7 + (int)random_below(19), g);
}

static void mutate(message *m) {
    for (uint32_t edits = random_below(4); edits > 0 && m->size > 1; edits--) {
        uint32_t at = random_below((uint32_t)m->size);
        switch (random_below(4)) {
        case 0:
            m->data[at] ^= (uint8_t)(1U << random_below(8));
            break;
        case 1:
            m->data[at] = (uint8_t)random_below(256);
            break;
        case 2:
            m->size = at;
            break;
        default:
            memmove(m->data + at, m->data + at + 1, m->size - at - 1);
            m->size--;
        }
    }
}

static int replay_file(const char *path) {
    struct context ctx;
    struct file_map map;
    context_init(&ctx);
    if (file_map(&ctx, path, &map) != PARE_OK) {
        fprintf(stderr, "%s\n", ctx.diag.message);
        return EXIT_FAILURE;
    }
    LLVMFuzzerTestOneInput(map.data, map.size);
    file_unmap(&map);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (replay_file(argv[i]) != EXIT_SUCCESS) {
            return EXIT_FAILURE;
        }
    }
    for (int round = 0; argc == 1 && round < ROUNDS; round++) {
        message m = random_model();
        mutate(&m);
        LLVMFuzzerTestOneInput(m.data, m.size);
        buffer_free(&m);
    }
    printf("%d inputs\n", argc == 1 ? ROUNDS : argc - 1);
    return EXIT_SUCCESS;
}
