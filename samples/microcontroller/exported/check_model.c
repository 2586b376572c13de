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

static unsigned long compared, different;

static long code_at(const void *codes, const struct pare_port *port, uint32_t i) {
    uint16_t code;
    int16_t signed_code;
    switch (port->storage) {
    case 0:
        return ((const uint8_t *)codes)[i];
    case 1:
        return ((const int8_t *)codes)[i];
    case 2:
        memcpy(&code, (const uint8_t *)codes + (size_t)i * 2, 2);
        return code;
    default:
        memcpy(&signed_code, (const uint8_t *)codes + (size_t)i * 2, 2);
        return signed_code;
    }
}

/* Prints the first code of all that differs, and counts the others. */
static int compare(const struct pare_model *model, unsigned sample, unsigned k) {
    struct pare_port port;
    if (pare_model_output(model, k, &port) != PARE_OK || port.size > sizeof outputs[k]) {
        printf("output %u does not have the size that model.h says\n", k);
        return 1;
    }
    for (uint32_t i = 0; i < port.count; i++) {
        long expected = code_at(test_outputs[sample][k], &port, i), computed = code_at(outputs[k], &port, i);
        if (expected != computed && different++ == 0) {
            printf("first: sample %u, output %u, code %lu: expected %ld, computed %ld\n", sample, k, (unsigned long)i,
                   expected, computed);
        }
    }
    compared += port.count;
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
    int failed = 0;
    for (unsigned k = 0; k < MODEL_OUTPUT_COUNT && !failed; k++) {
        failed = compare(model, sample, k);
    }
    return failed;
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
    if (different > 0) {
        printf("different: %lu of %lu codes\n", different, compared);
        return 1;
    }
    printf("equal: %u samples, %lu codes\n", (unsigned)TEST_SAMPLE_COUNT, compared);
    return 0;
}
