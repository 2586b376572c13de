/* What the tests of data sets share: five small images with labels, and what they must fit. */
#ifndef PARE_TESTS_DATASET_FIXTURE_H
#define PARE_TESTS_DATASET_FIXTURE_H

#include "tensor/dataset.h"

#include "suite_main.h"

#include <check.h>
#include <string.h>

enum { SAMPLES = 5, CHANNELS = 3, HEIGHT = 4, WIDTH = 2, SIZE = CHANNELS * HEIGHT * WIDTH };

static struct context ctx;
static struct arena arena;
static uint8_t pixels[SAMPLES * SIZE]; /* NCHW */
static int64_t labels[SAMPLES];
static struct named_tensor items[3];
static struct tensor_set arrays;
static struct preprocess declared;
static struct input_spec wanted;
static struct dataset_spec spec;

static inline void setup(void) {
    context_init(&ctx);
    arena_init(&arena);
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * 41 % 251);
    }
    memcpy(labels, (int64_t[]){0, 1, 2, 1, 0}, sizeof labels);
    items[0] = (struct named_tensor){"x", {DTYPE_UINT8, {4, {SAMPLES, CHANNELS, HEIGHT, WIDTH}}, pixels}};
    items[1] = (struct named_tensor){"y", {DTYPE_INT64, {1, {SAMPLES}}, labels}};
    arrays = (struct tensor_set){2, items};
    preprocess_init(&declared);
    wanted = (struct input_spec){"image", DTYPE_FLOAT, {4, {-1, CHANNELS, HEIGHT, WIDTH}}};
    spec = (struct dataset_spec){.inputs = &wanted, .input_count = 1, .classes = 3, .preprocess = &declared};
}

static inline void teardown(void) {
    arena_free(&arena);
}

static inline struct dataset make(void) {
    struct dataset d;
    ck_assert_msg(dataset_from_arrays(&ctx, &arena, "val.npz", &arrays, &spec, &d) == PARE_OK, "%s", ctx.diag.message);
    return d;
}

#endif
