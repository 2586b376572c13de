/* Classifies 8-bit pictures with model.inc, the bytes of a .pare file: reads them from the standard input, where a
 * device has its camera, and writes one class per line. docs/guide.md says how to compile it. */
#include "pare/runtime.h"

#include <math.h>
#include <stdio.h>

static const uint8_t file[] = {
#include "model.inc"
};
static uint8_t arena[ARENA_BYTES];
static union {
    uint8_t bytes[2 * PIXELS];
    uint16_t wide[PIXELS]; /* formats of more than 8 bits */
} input;
static union {
    uint8_t bytes[2 * CLASSES];
    int8_t signed_bytes[2 * CLASSES];
    uint16_t wide[CLASSES];
    int16_t signed_wide[CLASSES];
} output;

/* The preprocessing that was declared to pare, here --scale 1/255, and then the input's format: the nearest code, half
 * to even, saturated. A pixel has 256 values: without floating point a device takes the codes from a table. */
static long code_of_pixel(int pixel, const struct pare_port *port) {
    float x = (float)pixel * (float)(1.0 / 255);
    long low = port->is_signed ? -(1L << (port->bits - 1)) : 0, high = low + (1L << port->bits) - 1;
    double code = rint(ldexp(x, port->frac));
    return code < (double)low ? low : code > (double)high ? high : (long)code;
}

static bool read_picture(const struct pare_port *port) {
    for (uint32_t i = 0; i < port->count; i++) {
        int pixel = getchar();
        if (pixel == EOF) {
            return false;
        }
        long code = code_of_pixel(pixel, port);
        if (port->bits > 8) {
            input.wide[i] = (uint16_t)code;
        } else {
            input.bytes[i] = (uint8_t)code;
        }
    }
    return true;
}

static long score_of(uint32_t i, const struct pare_port *port) {
    if (port->bits > 8) {
        return port->is_signed ? output.signed_wide[i] : output.wide[i];
    }
    return port->is_signed ? output.signed_bytes[i] : output.bytes[i];
}

static uint32_t best_class(const struct pare_port *port) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < port->count; i++) {
        best = score_of(i, port) > score_of(best, port) ? i : best;
    }
    return best;
}

int main(void) {
    struct pare_model model;
    struct pare_port in, out;
    if (pare_model_open(file, sizeof file, &model) != PARE_OK) {
        fprintf(stderr, "classify: %s\n", model.problem);
        return 1;
    }
    if (pare_model_input(&model, 0, &in) != PARE_OK || pare_model_output(&model, 0, &out) != PARE_OK ||
        in.count != PIXELS || out.count != CLASSES || pare_model_arena_size(&model) > sizeof arena) {
        fprintf(stderr, "classify: the model has other sizes than PIXELS, CLASSES and ARENA_BYTES\n");
        return 1;
    }
    while (read_picture(&in)) {
        if (pare_model_run(&model, arena, (const void *[]){&input}, (void *[]){&output}) != PARE_OK) {
            return 1;
        }
        printf("%u\n", (unsigned)best_class(&out));
    }
    return 0;
}
