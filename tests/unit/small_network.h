/* A small classifier and samples for it, from seeds: what the tests of the whole way share. Failures end the program.
 */
#ifndef TEST_SMALL_NETWORK_H
#define TEST_SMALL_NETWORK_H

#include "base/file.h"
#include "float/float.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct context small_context;
static struct arena small_arena;
static const char *small_folder;

static inline void small_must(enum pare_status status) {
    if (status != PARE_OK) {
        fprintf(stderr, "small_network: %s\n", small_context.diag.message);
        exit(1);
    }
}

static inline void small_begin(const char *folder) {
    context_init(&small_context);
    arena_init(&small_arena);
    small_folder = folder;
    small_must(file_make_directory(&small_context, folder));
}

static inline void small_end(void) {
    arena_free(&small_arena);
}

/* ---- files ---- */

static inline const char *small_path(const char *name) {
    return arena_format(&small_arena, "%s/%s", small_folder, name);
}

static inline void small_write(const char *name, const void *data, size_t size) {
    small_must(file_write(&small_context, small_path(name), data, size));
}

static inline struct graph *small_model(const char *name, const char *text) {
    struct graph *g;
    struct buffer bytes;
    buffer_init(&bytes);
    small_must(graph_parse(&small_context, text, &g));
    small_must(graph_infer(&small_context, g));
    small_must(onnx_write(&small_context, g, &(struct onnx_write_options){0}, &bytes));
    small_write(name, bytes.data, bytes.size);
    buffer_free(&bytes);
    return g;
}

static inline void small_npz(const char *name, const struct tensor *x, const struct tensor *y) {
    struct named_tensor items[2] = {{"x", *x}};
    size_t count = 1;
    if (y != NULL) {
        items[count++] = (struct named_tensor){"y", *y};
    }
    small_must(npz_write(&small_context, small_path(name), &(struct tensor_set){count, items}));
}

/* ---- the network ---- */

static const char small_cnn[] = "graph cnn {\n"
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

enum { SMALL_PIXELS = 64, SMALL_CLASSES = 3 };

/* ---- its samples ---- */

static uint64_t small_state = 1;

static inline uint32_t small_random(void) {
    small_state = small_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(small_state >> 33);
}

static inline struct tensor small_tensor(enum dtype type, int rank, const int64_t *dims) {
    struct shape shape = {.rank = rank};
    struct tensor t;
    memcpy(shape.dim, dims, (size_t)rank * sizeof *dims);
    small_must(tensor_new(&small_context, &small_arena, type, &shape, &t));
    return t;
}

/* Noise, and a bright third at the top, in the middle or at the bottom. */
static inline struct tensor small_images(int64_t samples) {
    struct tensor t = small_tensor(DTYPE_UINT8, 4, (int64_t[]){samples, 1, 8, 8});
    for (size_t i = 0; i < tensor_count(&t); i++) {
        bool bright = i % SMALL_PIXELS / 8 / 3 == i / SMALL_PIXELS % 3;
        ((uint8_t *)t.data)[i] = (uint8_t)(small_random() % 128 + (bright ? 128 : 0));
    }
    return t;
}

static inline int64_t small_predict(const struct graph *g, const struct tensor *images, size_t sample) {
    struct tensor x = small_tensor(DTYPE_FLOAT, 4, (int64_t[]){1, 1, 8, 8}), y;
    for (size_t i = 0; i < SMALL_PIXELS; i++) {
        ((float *)x.data)[i] = (float)((uint8_t *)images->data)[sample * SMALL_PIXELS + i] * (1.0f / 255);
    }
    small_must(float_run(&small_context, g, &x, &y, NULL, NULL));
    const float *p = y.data;
    int64_t best = p[1] > p[0] ? 1 : 0;
    best = p[2] > p[best] ? 2 : best;
    tensor_free(&y);
    return best;
}

/* The network's own answers, one in eight replaced by the next class. */
static inline struct tensor small_labels(const struct graph *g, const struct tensor *images) {
    int64_t samples = images->shape.dim[0];
    struct tensor labels = small_tensor(DTYPE_INT64, 1, &samples);
    for (int64_t i = 0; i < samples; i++) {
        ((int64_t *)labels.data)[i] = (small_predict(g, images, (size_t)i) + (i % 8 == 7)) % SMALL_CLASSES;
    }
    return labels;
}

#endif
