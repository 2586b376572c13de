/* Shapes of operators that pick or place elements by indices. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <math.h>
#include <string.h>

enum pare_status infer_gather_elements(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *indices = infer_input(c, 1);
    int axis = 0;
    TRY(x->rank < 0 ? PARE_OK : infer_axis(c, &axis));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 1, x->rank, x->rank));
    return infer_set(c, x->type, indices->rank, indices->dims);
}

/* [indices but the last dimension, what is left of x behind the batch and the indexed dimensions]. */
enum pare_status infer_gather_nd(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *indices = infer_input(c, 1);
    int64_t batch = node_int(c->node, "batch_dims");
    struct dim dims[2 * TENSOR_MAX_RANK];
    if (x->rank < 0 || indices->rank < 1 || indices->dims[indices->rank - 1].value < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    int64_t depth = indices->dims[indices->rank - 1].value;
    if (batch < 0 || batch >= indices->rank || depth < 1 || depth > x->rank - batch) {
        return infer_fail(c, "%lld batch dimensions and %lld indices do not fit an input of rank %d", (long long)batch,
                          (long long)depth, x->rank);
    }
    int rank = 0;
    for (int i = 0; i < indices->rank - 1; i++) {
        dims[rank++] = indices->dims[i];
    }
    for (int i = (int)(batch + depth); i < x->rank; i++) {
        dims[rank++] = x->dims[i];
    }
    return infer_set(c, x->type, rank, dims);
}

static enum pare_status check_reduction(const struct infer_call *c) {
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *given = node_string(c->node, "reduction");
    for (int i = 0; i < 5; i++) {
        if (strcmp(given, names[i]) == 0) {
            return PARE_OK;
        }
    }
    return infer_fail(c, "reduction is %s, expected none, add, mul, max or min", given);
}

enum pare_status infer_scatter_elements(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int axis = 0;
    TRY(check_reduction(c));
    TRY(infer_check_same_type(c, 0, 2));
    TRY(x->rank < 0 ? PARE_OK : infer_axis(c, &axis));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 1, x->rank, x->rank));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 2, x->rank, x->rank));
    return infer_set(c, x->type, x->rank, x->dims);
}

enum pare_status infer_scatter_nd(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(check_reduction(c));
    TRY(infer_check_same_type(c, 0, 2));
    return infer_set(c, x->type, x->rank, x->dims);
}

enum pare_status infer_tensor_scatter(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int axis = 1;
    TRY(infer_check_same_type(c, 0, 1));
    TRY(x->rank < 0 ? PARE_OK : infer_axis(c, &axis));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 1, x->rank, x->rank));
    return axis > 0 ? infer_set(c, x->type, x->rank, x->dims) : infer_fail(c, "axis 0 is that of the batch");
}

/* Output 0 has the values, output 1 the indices. */
enum pare_status infer_top_k(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim dims[TENSOR_MAX_RANK];
    int64_t k = -1;
    int axis = 0;
    if (x->rank < 0) {
        TRY(infer_set_output(c, 1, DTYPE_INT64, -1, NULL));
        return infer_set(c, x->type, -1, NULL);
    }
    TRY(infer_axis(c, &axis));
    bool known = infer_scalar(c, 1, &k);
    memcpy(dims, x->dims, sizeof dims);
    if (known && (k < 0 || (dims[axis].value >= 0 && k > dims[axis].value))) {
        return infer_fail(c, "k is %lld, the axis has %lld elements", (long long)k, (long long)dims[axis].value);
    }
    dims[axis] = known ? dim_known(k) : dim_unknown();
    TRY(infer_set_output(c, 1, DTYPE_INT64, x->rank, dims));
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_one_hot(struct infer_call *c) {
    const struct infer_value *indices = infer_input(c, 0), *values = infer_input(c, 2);
    struct dim dims[TENSOR_MAX_RANK + 1], length = dim_known(2);
    int64_t depth = -1;
    int axis = 0;
    TRY(infer_check_vector(c, 2, &length));
    if (indices->rank < 0) {
        return infer_set(c, values->type, -1, NULL);
    }
    if (!axis_resolve(node_int(c->node, "axis"), indices->rank + 1, &axis)) {
        return infer_fail(c, "axis %lld does not exist in the output", (long long)node_int(c->node, "axis"));
    }
    const struct tensor *given = infer_input(c, 1)->constant;
    if (given != NULL && tensor_count(given) == 1) {
        depth = tensor_get_int(given, 0); /* of any numeric type */
    }
    for (int i = 0; i <= indices->rank; i++) {
        dims[i] = i == axis ? (depth < 0 ? dim_unknown() : dim_known(depth)) : indices->dims[i - (i > axis)];
    }
    return infer_set(c, values->type, indices->rank + 1, dims);
}

/* ---- sizes that depend on data ---- */

enum pare_status infer_non_zero(struct infer_call *c) {
    int rank = infer_input(c, 0)->rank;
    struct dim dims[] = {rank < 0 ? dim_unknown() : dim_known(rank), dim_unknown()};
    return infer_set_by_kernel(c, 0, DTYPE_INT64, 2, dims);
}

enum pare_status infer_compress(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim dims[TENSOR_MAX_RANK] = {dim_unknown()};
    int axis = 0;
    TRY(infer_check_rank(c, 1, 1, 1));
    if (node_attr(c->node, "axis") == NULL) {
        return infer_set_by_kernel(c, 0, x->type, 1, dims);
    }
    if (x->rank < 0) {
        return infer_set_by_kernel(c, 0, x->type, -1, NULL);
    }
    TRY(infer_axis(c, &axis));
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = dim_unknown();
    return infer_set_by_kernel(c, 0, x->type, x->rank, dims);
}

enum pare_status infer_unique(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim dims[TENSOR_MAX_RANK] = {dim_unknown()}, open = dim_unknown();
    int rank = 1, axis = 0;
    for (int i = 1; i < 4; i++) {
        TRY(infer_set_by_kernel(c, i, DTYPE_INT64, 1, &open));
    }
    if (node_attr(c->node, "axis") != NULL) {
        rank = x->rank;
        TRY(rank < 0 ? PARE_OK : infer_axis(c, &axis));
        memcpy(dims, x->dims, sizeof dims);
        dims[axis] = dim_unknown();
    }
    return infer_set_by_kernel(c, 0, x->type, rank, dims);
}

enum pare_status infer_non_max_suppression(struct infer_call *c) {
    struct dim dims[] = {dim_unknown(), dim_known(3)};
    TRY(infer_check_rank(c, 0, 3, 3));
    TRY(infer_check_rank(c, 1, 3, 3));
    return infer_set_by_kernel(c, 0, DTYPE_INT64, 2, dims);
}

/* One place per index of an n-gram, for every row of the input. */
enum pare_status infer_tf_idf_vectorizer(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    size_t count = 0;
    const int64_t *indexes = node_ints(c->node, "ngram_indexes", &count);
    int64_t places = 0;
    TRY(infer_check_rank(c, 0, 0, 2));
    for (size_t i = 0; i < count; i++) {
        if (indexes[i] < 0 || indexes[i] > INT32_MAX) {
            return infer_fail(c, "index %lld of an n-gram is impossible", (long long)indexes[i]);
        }
        places = indexes[i] >= places ? indexes[i] + 1 : places;
    }
    struct dim dims[] = {x->rank == 2 ? x->dims[0] : dim_known(places), dim_known(places)};
    return infer_set(c, DTYPE_FLOAT, x->rank < 0 ? -1 : x->rank == 2 ? 2 : 1, dims);
}
