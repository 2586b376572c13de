/* Writes the small models and data that the transcripts use into a folder: everything from seeds, nothing is stored. */
#include "base/file.h"
#include "float/float.h"
#include "onnx/onnx.h"
#include "onnx_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct context ctx;
static struct arena arena;
static const char *folder;

static void must(enum pare_status status) {
    if (status != PARE_OK) {
        fprintf(stderr, "make_inputs: %s\n", ctx.diag.message);
        exit(1);
    }
}

static const char *path_of(const char *name) {
    return arena_format(&arena, "%s/%s", folder, name);
}

static void write_file(const char *name, const void *data, size_t size) {
    must(file_write(&ctx, path_of(name), data, size));
}

static void write_message(const char *name, message m) {
    write_file(name, m.data, m.size);
    buffer_free(&m);
}

/* ---- models that are fine ---- */

static struct graph *write_model(const char *name, const char *text) {
    struct graph *g;
    message bytes = new_message();
    must(graph_parse(&ctx, text, &g));
    must(graph_infer(&ctx, g));
    must(onnx_write(&ctx, g, &(struct onnx_write_options){0}, &bytes));
    write_message(name, bytes);
    return g;
}

static const char cnn[] = "graph cnn {\n"
                          "input image: float32[N,1,8,8]\n"
                          "const w1: float32[4,1,3,3] = random(1,-0.6,0.6)\n"
                          "const b1: float32[4] = random(2,-0.3,0.3)\n"
                          "const w2: float32[64,3] = random(3,-0.9,0.9)\n"
                          "const b2: float32[3] = [0.0,-1.0,2.5]\n"
                          "a = Conv(image, w1, b1) as conv {pads=[1,1,1,1]}\n"
                          "b = Relu(a) as relu\n"
                          "c = MaxPool(b) as pool {kernel_shape=[2,2], strides=[2,2]}\n"
                          "d = Flatten(c) as flatten\n"
                          "logits = Gemm(d, w2, b2) as dense\n"
                          "probabilities = Softmax(logits) as softmax {axis=1}\n"
                          "output probabilities }\n";

static const char two_inputs[] = "graph two_inputs {\n"
                                 "input left: float32[1,4] input right: float32[1,4]\n"
                                 "sum = Add(left, right) as add\n"
                                 "output sum }\n";

/* ---- data ---- */

static uint64_t state = 1;

static uint32_t random_number(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static struct tensor new_tensor(enum dtype type, int rank, const int64_t *dims) {
    struct shape shape = {.rank = rank};
    struct tensor t;
    memcpy(shape.dim, dims, (size_t)rank * sizeof *dims);
    must(tensor_new(&ctx, &arena, type, &shape, &t));
    return t;
}

/* Noise, and a bright third at the top, in the middle or at the bottom. */
static struct tensor random_images(int64_t samples) {
    struct tensor t = new_tensor(DTYPE_UINT8, 4, (int64_t[]){samples, 1, 8, 8});
    for (size_t i = 0; i < tensor_count(&t); i++) {
        bool bright = i % 64 / 8 / 3 == i / 64 % 3;
        ((uint8_t *)t.data)[i] = (uint8_t)(random_number() % 128 + (bright ? 128 : 0));
    }
    return t;
}

static int64_t predict(const struct graph *g, const struct tensor *images, size_t sample) {
    struct tensor x = new_tensor(DTYPE_FLOAT, 4, (int64_t[]){1, 1, 8, 8}), y;
    for (size_t i = 0; i < 64; i++) {
        ((float *)x.data)[i] = (float)((uint8_t *)images->data)[sample * 64 + i] * (1.0f / 255);
    }
    must(float_run(&ctx, g, &x, &y, NULL, NULL));
    const float *p = y.data;
    int64_t best = p[1] > p[0] ? 1 : 0;
    best = p[2] > p[best] ? 2 : best;
    tensor_free(&y);
    return best;
}

/* The network's own answers, one in eight replaced by the next class. */
static struct tensor labels_for(const struct graph *g, const struct tensor *images) {
    int64_t samples = images->shape.dim[0];
    struct tensor labels = new_tensor(DTYPE_INT64, 1, &samples);
    for (int64_t i = 0; i < samples; i++) {
        ((int64_t *)labels.data)[i] = (predict(g, images, (size_t)i) + (i % 8 == 7)) % 3;
    }
    return labels;
}

static void write_npz(const char *name, const struct tensor *x, const struct tensor *y) {
    struct named_tensor items[2] = {{"x", *x}};
    size_t count = 1;
    if (y != NULL) {
        items[count++] = (struct named_tensor){"y", *y};
    }
    must(npz_write(&ctx, path_of(name), &(struct tensor_set){count, items}));
}

static void write_npy(const char *name, const struct tensor *t) {
    message bytes = new_message();
    must(npy_append(&ctx, &bytes, t));
    write_message(name, bytes);
}

static struct tensor counting(enum dtype type, int rank, const int64_t *dims) {
    struct tensor t = new_tensor(type, rank, dims);
    for (size_t i = 0; i < tensor_count(&t); i++) {
        tensor_set_double(&t, i, (double)i / 128);
    }
    return t;
}

static void write_data(const struct graph *g) {
    struct tensor images = random_images(512), labels = labels_for(g, &images);
    write_npz("val.npz", &images, &labels);
    write_npz("unlabelled.npz", &images, NULL);
    struct tensor few = random_images(16);
    write_npz("calib.npz", &few, NULL);
    struct tensor wrong = new_tensor(DTYPE_INT64, 1, (int64_t[]){512});
    memcpy(wrong.data, labels.data, tensor_bytes(&labels));
    ((int64_t *)wrong.data)[5] = 3;
    write_npz("label_3_of_3.npz", &images, &wrong);
    struct tensor empty = random_images(0);
    write_npz("empty.npz", &empty, NULL);
    struct tensor channels = new_tensor(DTYPE_UINT8, 4, (int64_t[]){4, 3, 8, 8});
    write_npz("three_channels.npz", &channels, NULL);
    struct tensor numbers = counting(DTYPE_FLOAT, 4, (int64_t[]){2, 1, 8, 8});
    write_npy("images.npy", &numbers);
    numbers = counting(DTYPE_DOUBLE, 4, (int64_t[]){2, 1, 8, 8});
    write_npy("doubles.npy", &numbers);
    numbers = counting(DTYPE_FLOAT, 2, (int64_t[]){3, 4});
    write_npy("rows.npy", &numbers);
    numbers = counting(DTYPE_FLOAT, 2, (int64_t[]){3, 5});
    write_npy("wide_rows.npy", &numbers);
}

static void write_folders(void) {
    static const float left[] = {1, 2, 3, 4}, right[] = {10, 20, 30, 40};
    int64_t dims[] = {1, 4};
    must(file_make_directory(&ctx, path_of("protos")));
    write_message("protos/input_0.pb", raw_tensor("left", DTYPE_FLOAT, dims, 2, left, sizeof left));
    write_message("protos/input_1.pb", raw_tensor("", DTYPE_FLOAT, dims, 2, right, sizeof right));
    must(file_make_directory(&ctx, path_of("no_protos")));
}

/* ---- what cannot be used ---- */

static void put_ports(message *graph) {
    int64_t dims[] = {-1, 4};
    put_text(graph, GRAPH_NAME, "broken");
    put_message(graph, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, dims, 2));
    put_message(graph, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, dims, 2));
}

static void write_cyclic(void) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Add", "first", "x b", "a"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "second", "a", "b"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "last", "b", "y"));
    put_ports(&g);
    write_message("cyclic.onnx", model_of(13, g));
}

static void write_unknown_operators(void) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Frobnicate", "first", "x", "a"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "second", "a", "b"));
    put_message(&g, GRAPH_NODE, node_head("Twiddle", "last", "b", "y"));
    put_ports(&g);
    write_message("unknown_operators.onnx", model_of(13, g));
}

static void write_with_weight(const char *name, message weight) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Add", "add", "x w", "y"));
    put_message(&g, GRAPH_INITIALIZER, weight);
    put_ports(&g);
    write_message(name, model_of(13, g));
}

static message external_weight(const char *location) {
    int64_t dims[] = {4};
    message t = tensor_head("w", DTYPE_FLOAT, dims, 1);
    put_message(&t, TENSOR_EXTERNAL, pair("location", location));
    put_int(&t, TENSOR_LOCATION, 1);
    return t;
}

static void write_random(const char *name, size_t size) {
    message m = new_message();
    for (size_t i = 0; i < size; i++) {
        write_u8(&m, (uint8_t)random_number());
    }
    write_message(name, m);
}

static void write_truncated(const char *name, const char *whole) {
    struct file_map map;
    must(file_map(&ctx, path_of(whole), &map));
    write_file(name, map.data, map.size / 2);
    file_unmap(&map);
}

static void write_broken(void) {
    write_cyclic();
    write_unknown_operators();
    write_with_weight("nan_weight.onnx", float_tensor("w", (float[]){1, NAN, 3, 4}, 4));
    write_with_weight("missing_external.onnx", external_weight("gone.data"));
    write_with_weight("leaving_external.onnx", external_weight("../outside.data"));
    write_random("random.onnx", 1000);
    write_random("random.npz", 1000);
    write_truncated("truncated.onnx", "cnn.onnx");
    write_truncated("truncated.npz", "val.npz");
    write_file("empty.onnx", "", 0);
    write_file("short.pare", "PARE\1\0", 6);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: make_cli_inputs FOLDER\n");
        return 2;
    }
    context_init(&ctx);
    arena_init(&arena);
    folder = argv[1];
    must(file_make_directory(&ctx, folder));
    struct graph *g = write_model("cnn.onnx", cnn);
    write_data(g);
    graph_free(g);
    graph_free(write_model("two_inputs.onnx", two_inputs));
    write_folders();
    write_broken();
    arena_free(&arena);
    return 0;
}
