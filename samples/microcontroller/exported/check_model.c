/* Runs the model on the samples of test_vector.c and compares every code with what pare computed. */
#include "model.h"
#include "test_vector.h"

#include <stdio.h>
#include <string.h>

static uint8_t arena[MODEL_ARENA_SIZE];
static uint8_t outputs[MODEL_OUTPUT_COUNT][MODEL_LARGEST_OUTPUT_SIZE];

#ifdef MY_KERNELS
pare_kernel *const *my_kernels(void);
#endif

static unsigned long compared;

/* Prints the first code that differs. */
static int compare(const struct pare_model *model, unsigned sample, unsigned k) {
    struct pare_port port;
    const uint8_t *expected = test_outputs[sample][k], *computed = outputs[k];
    if (pare_model_output(model, k, &port) != PARE_OK || port.size > sizeof outputs[k]) {
        printf("different: output %u does not have the size that model.h says\n", k);
        return 1;
    }
    compared += port.count;
    for (size_t i = 0; i < port.size; i++) {
        if (expected[i] != computed[i]) {
            unsigned long code = (unsigned long)(i * port.count / port.size);
            printf("different: sample %u, output %u, code %lu\n", sample, k, code);
            return 1;
        }
    }
    return 0;
}

static int check_sample(const struct pare_model *model, unsigned sample) {
    void *places[MODEL_OUTPUT_COUNT];
    for (unsigned k = 0; k < MODEL_OUTPUT_COUNT; k++) {
        places[k] = outputs[k];
    }
    if (pare_model_run(model, arena, test_inputs[sample], places) != PARE_OK) {
        printf("the model does not run on sample %u\n", sample);
        return 1;
    }
    int different = 0;
    for (unsigned k = 0; k < MODEL_OUTPUT_COUNT && !different; k++) {
        different = compare(model, sample, k);
    }
    return different;
}

int main(void) {
    struct pare_model model;
    if (pare_model_open(model_file, MODEL_SIZE, &model) != PARE_OK) {
        printf("the model cannot be opened: %s\n", model.problem);
        return 1;
    }
    if (pare_model_arena_size(&model) > MODEL_ARENA_SIZE) {
        printf("the model needs a larger arena than model.h says\n");
        return 1;
    }
#ifdef MY_KERNELS
    model.kernels = my_kernels();
#endif
    for (unsigned sample = 0; sample < TEST_SAMPLE_COUNT; sample++) {
        if (check_sample(&model, sample)) {
            return 1;
        }
    }
    printf("equal: %u samples, %lu codes\n", (unsigned)TEST_SAMPLE_COUNT, compared);
    return 0;
}
