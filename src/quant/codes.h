/* Real numbers to codes and back, and fractions that lose least. */
#ifndef PARE_QUANT_CODES_H
#define PARE_QUANT_CODES_H

#include "base/arena.h"
#include "graph/graph.h"

/* Fractions stay within one signed byte, with room to add two of them. */
#define FRAC_LIMIT 100

/* round half to even of x * 2^frac, saturated to [low, high]; NaN gives the code nearest to 0. */
int32_t quantize_to(double x, int frac, int32_t low, int32_t high);
int32_t quantize(double x, const struct format *f, int channel);
double dequantize(int32_t code, const struct format *f, int channel);

/* Writes code i of a buffer in the format's storage (1 or 2 bytes per code). */
void store_code(void *data, size_t i, const struct format *f, int32_t code);
int32_t load_code(const void *data, size_t i, const struct format *f);
/* float32 elements to codes in the format's storage. */
void quantize_floats(const float *x, size_t count, const struct format *f, void *codes);
void dequantize_codes(const void *codes, size_t count, const struct format *f, float *x);

/* The fraction at which `bits` bits cover `largest` without clipping; the search for a better one starts here. */
int frac_for_range(double largest, int bits, bool is_signed);
/* The fraction (at most `limit`) with the least squared error of the elements at `bits` bits, clipping allowed.
 * Weights the squares by `importance` (count entries) unless NULL. */
int frac_for_elements(const float *x, size_t count, const float *importance, int bits, bool is_signed, int limit);

/* A format for a constant operand (of Add, Mul, ...), chosen so and put on the value. */
enum pare_status format_constant(struct context *ctx, struct arena *a, struct value *v, int bits);

#endif
