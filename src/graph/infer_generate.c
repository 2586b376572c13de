/* Shapes of operators that make tensors from a few numbers. */
#include "graph/infer.h"

#include <math.h>

/* Tensors that no machine holds are refused here. */
#define MAX_LENGTH ((double)((int64_t)1 << 40))

/* The one number of a constant input. */
static bool constant_number(const struct infer_call *c, int i, double *out) {
    const struct infer_value *v = infer_input(c, i);
    if (v == NULL || v->constant == NULL || tensor_count(v->constant) != 1) {
        return false;
    }
    *out = tensor_get_double(v->constant, 0);
    return true;
}

enum pare_status infer_range(struct infer_call *c) {
    double start = 0, limit = 0, delta = 0;
    struct dim length = dim_unknown();
    for (int i = 0; i < 3; i++) {
        TRY(infer_check_single(c, i));
        TRY(infer_check_same_type(c, 0, i));
    }
    if (constant_number(c, 0, &start) && constant_number(c, 1, &limit) && constant_number(c, 2, &delta)) {
        double count = ceil((limit - start) / delta);
        if (!(count < MAX_LENGTH)) {
            return infer_fail(c, "from %g to %g in steps of %g is no range", start, limit, delta);
        }
        length = dim_known(count > 0 ? (int64_t)count : 0);
    }
    return infer_set(c, infer_input(c, 0)->type, 1, &length);
}

enum pare_status infer_eye_like(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    enum dtype type = DTYPE_NONE;
    TRY(infer_attr_type(c, "dtype", x->type, &type));
    TRY(infer_check_rank(c, 0, 2, 2));
    return infer_set(c, type, x->rank, x->dims);
}

enum pare_status infer_window(struct infer_call *c) {
    enum dtype type = DTYPE_FLOAT;
    int64_t size = 0;
    struct dim length = dim_unknown();
    TRY(infer_attr_type(c, "output_datatype", DTYPE_FLOAT, &type));
    TRY(infer_check_single(c, 0));
    if (infer_scalar(c, 0, &size)) {
        if (size < 0) {
            return infer_fail(c, "the size is %lld", (long long)size);
        }
        length = dim_known(size);
    }
    return infer_set(c, type, 1, &length);
}

enum pare_status infer_mel_weight_matrix(struct infer_call *c) {
    enum dtype type = DTYPE_FLOAT;
    int64_t bins = -1, length = -1;
    TRY(infer_attr_type(c, "output_datatype", DTYPE_FLOAT, &type));
    for (int i = 0; i < 5; i++) {
        TRY(infer_check_single(c, i));
    }
    bool known = infer_scalar(c, 0, &bins) && infer_scalar(c, 1, &length);
    if (known && (bins < 0 || length < 0)) {
        return infer_fail(c, "%lld bins of a transform of %lld", (long long)bins, (long long)length);
    }
    struct dim dims[] = {known ? dim_known(length / 2 + 1) : dim_unknown(), known ? dim_known(bins) : dim_unknown()};
    return infer_set(c, type, 2, dims);
}
