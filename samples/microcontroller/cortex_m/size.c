/* A program that does nothing but open and run a model: what it links is the size of the runtime. */
#include "model.h"

int main(void) {
    static uint8_t arena[MODEL_ARENA_SIZE];
    static const void *const inputs[MODEL_INPUT_COUNT];
    static void *const outputs[MODEL_OUTPUT_COUNT];
    struct pare_model model;
    return pare_model_open(model_file, MODEL_SIZE, &model) != PARE_OK ||
           pare_model_run(&model, arena, inputs, outputs) != PARE_OK;
}
