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

/* Operators of one input, with an attribute that they have in some opset: i an integer, l a list, f a float. */
static const struct {
    const char *op, *attribute;
    char kind;
} unary[] = {
    {"Relu", "", '-'},
    {"Sigmoid", "", '-'},
    {"Clip", "max", 'f'},
    {"Softmax", "axis", 'i'},
    {"Flatten", "axis", 'i'},
    {"Squeeze", "axes", 'l'},
    {"Unsqueeze", "axes", 'l'},
    {"Transpose", "perm", 'l'},
    {"Dropout", "ratio", 'f'},
    {"LeakyRelu", "alpha", 'f'},
    {"Identity", "", '-'},
    {"Shape", "start", 'i'},
    {"ArgMax", "axis", 'i'},
    {"Cast", "to", 'i'},
    {"ReduceMean", "axes", 'l'},
    {"Split", "split", 'l'},
    {"MaxPool", "kernel_shape", 'l'},
    {"TopK", "k", 'i'},
    {"LogSoftmax", "axis", 'i'},
    {"ReduceSum", "axes", 'l'},
    {"Gelu", "", '-'},
    {"NonZero", "", '-'},
    {"Unique", "axis", 'i'},
    {"Pad", "pads", 'l'},
    {"DepthToSpace", "blocksize", 'i'},
    {"CastLike", "", '-'},
};

static void put_random_attribute(message *n, const char *name, char kind) {
    const int64_t list[] = {1 + random_below(3), random_below(4), (int64_t)random_below(4) - 1};
    if (kind == 'i') {
        put_message(n, NODE_ATTRIBUTE, int_attribute(name, (int64_t)random_below(6) - 1));
    } else if (kind == 'l') {
        uint32_t more = random_below(3);
        put_message(n, NODE_ATTRIBUTE, ints_attribute(name, list, more == 0 ? 1 : more == 1 ? 2 : 3));
    } else if (kind == 'f') {
        put_message(n, NODE_ATTRIBUTE, float_attribute(name, (float)random_below(9) - 4));
    }
}

static message random_node(const char *input, const char *output);

static message graph_attribute(const char *name, message graph) {
    message a = new_message();
    put_text(&a, ATTRIBUTE_NAME, name);
    put_message(&a, ATTRIBUTE_G, graph);
    put_int(&a, ATTRIBUTE_TYPE, 5);
    return a;
}

/* A graph of one operator that reads a value of the graph around it, or gives it as it is. */
static message random_branch(const char *input) {
    message g = new_message();
    bool direct = random_below(4) == 0;
    put_text(&g, GRAPH_NAME, "branch");
    if (!direct) {
        put_message(&g, GRAPH_NODE, random_node(input, "inside"));
    }
    put_message(&g, GRAPH_OUTPUT, value_info(direct ? input : "inside", DTYPE_FLOAT, NULL, -1));
    return g;
}

static message random_if(const char *input, const char *output) {
    message n = node_head("If", "", "c", output);
    put_message(&n, NODE_ATTRIBUTE, graph_attribute("then_branch", random_branch(input)));
    put_message(&n, NODE_ATTRIBUTE, graph_attribute("else_branch", random_branch(input)));
    return n;
}

static message call_of_function(const char *input, const char *output) {
    message n = node_head("F", "", input, output);
    put_text(&n, NODE_DOMAIN, "local");
    return n;
}

/* F(a) -> b, by one operator: now and then itself. */
static message random_function(void) {
    enum { NAME = 1, INPUT = 4, OUTPUT, NODE = 7, DOMAIN = 10 };
    message f = new_message();
    put_text(&f, NAME, "F");
    put_text(&f, INPUT, "a");
    put_text(&f, OUTPUT, "b");
    put_message(&f, NODE, random_node("a", "b"));
    put_text(&f, DOMAIN, "local");
    return f;
}

static message random_node(const char *input, const char *output) {
    uint32_t kind = random_below(10);
    if (kind < 2) {
        return kind == 0 ? random_if(input, output) : call_of_function(input, output);
    }
    char inputs[80];
    bool weighted = random_below(4) == 0;
    size_t pick = random_below(sizeof unary / sizeof unary[0]);
    (void)snprintf(inputs, sizeof inputs, weighted ? "%s w" : "%s", input);
    message n = node_head(weighted ? "Mul" : unary[pick].op, "", inputs, output);
    if (!weighted && random_below(3) > 0) {
        put_random_attribute(&n, unary[pick].attribute, unary[pick].kind);
    }
    return n;
}

/* A chain of random operators from x to y, with some weights added in between. */
static message random_model(void) {
    static const float values[] = {1, -2, 0.5F};
    message g = graph_head();
    const char *previous = "x";
    char names[8][8];
    int length = 1 + (int)random_below(5);
    put_message(&g, GRAPH_INITIALIZER,
                raw_tensor("w", DTYPE_FLOAT, (const int64_t[]){3, 1, 1}, 3, values, sizeof values));
    for (int i = 0; i < length; i++) {
        (void)snprintf(names[i], sizeof names[i], "v%d", i);
        put_message(&g, GRAPH_NODE, random_node(previous, i == length - 1 ? "y" : names[i]));
        previous = names[i];
    }
    put_message(&g, GRAPH_INITIALIZER, raw_tensor("c", DTYPE_BOOL, NULL, 0, "\1", 1));
    message model = model_of(1 + (int)random_below(28), g);
    if (random_below(2) == 0) {
        put_message(&model, 25, random_function()); /* ModelProto.functions */
    }
    return model;
}

static void mutate(message *m) {
    for (uint32_t edits = random_below(3); edits > 0 && m->size > 1; edits--) {
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
