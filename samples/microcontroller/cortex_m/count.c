/* Counts the instructions of one inference on the emulated board mps2-an386: `qemu-system-arm -icount shift=0` takes
 * one nanosecond for each, and the board's timer counts at 25 MHz. Prints those of pare_model_open and pare_model_run.
 * docs/microcontroller.md has the command. */
#include "model.h"
#include "test_vector.h"

#include <stdio.h>

#define TIMER ((volatile uint32_t *)0x40000000) /* control, value, reload */
#define INSTRUCTIONS_PER_TICK 40

static uint8_t arena[MODEL_ARENA_SIZE];
static uint8_t outputs[MODEL_OUTPUT_COUNT][MODEL_LARGEST_OUTPUT_SIZE];

static unsigned long long since(uint32_t before) {
    return (unsigned long long)(before - TIMER[1]) * INSTRUCTIONS_PER_TICK;
}

int main(void) {
    struct pare_model model;
    void *places[MODEL_OUTPUT_COUNT];
    for (unsigned k = 0; k < MODEL_OUTPUT_COUNT; k++) {
        places[k] = outputs[k];
    }
    TIMER[2] = TIMER[1] = UINT32_MAX;
    TIMER[0] = 1;
    uint32_t before = TIMER[1];
    if (pare_model_open(model_file, MODEL_SIZE, &model) != PARE_OK) {
        return 1;
    }
    unsigned long open = (unsigned long)since(before);
    before = TIMER[1];
    if (pare_model_run(&model, arena, test_inputs[0], places) != PARE_OK) {
        return 1;
    }
    printf("instructions: %lu to open, %lu to run\n", open, (unsigned long)since(before));
    return 0;
}
