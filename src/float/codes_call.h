/* What the kernels on integer codes share: operands without their zero points, and the way back to codes. */
#ifndef PARE_FLOAT_CODES_CALL_H
#define PARE_FLOAT_CODES_CALL_H

#include "float/codes.h"
#include "float/kernels.h"

/* Elements of input `index` minus their zero point in scratch: that of input `zero` (omitted: 0), one for all or one
 * per index of `axis`. */
enum pare_status call_centred(struct float_call *c, int index, int zero, int axis, int32_t **out);

/* The only element of a scale or zero point; `missing` where it is omitted. */
float call_scale(const struct float_call *c, int index, float missing);
int32_t call_zero(const struct float_call *c, int index);

/* round(sum * scale) + zero, half to even, saturated to the type of output 0: one scale for all, or one per row of
 * `row` sums; ONNX Runtime's order of operations, in float. `add` (NULL: zeros) is added to the sums first, one per row
 * or, with `add_inner`, per position in the row; sums wrap as int32. */
struct requantize {
    const float *scale;
    const int32_t *add;
    size_t scales, rows, row; /* scales: 1, `rows` (repeated) or, with `inner`, `row` */
    bool inner;
    int32_t zero;
};
enum pare_status call_requantize(struct float_call *c, const struct requantize *r, const int32_t *sums);

#endif
