/* What the shape functions share. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct infer_value *infer_input(const struct infer_call *c, int i) {
    return i < c->node->input_count ? c->inputs[i] : NULL;
}

struct dim dim_known(int64_t value) {
    return (struct dim){.value = value};
}

struct dim dim_unknown(void) {
    return (struct dim){.value = -1};
}

bool dim_equal(const struct dim *a, const struct dim *b) {
    return a->value >= 0 ? a->value == b->value : b->value < 0 && a->symbol != NULL && a->symbol == b->symbol;
}

bool dim_unify(struct dim *a, const struct dim *b) {
    if (a->value >= 0 && b->value >= 0) {
        return a->value == b->value;
    }
    if (b->value >= 0 || (a->value < 0 && a->symbol == NULL)) {
        *a = *b;
    }
    return true;
}

struct dim dim_product(const struct dim *dims, int from, int to) {
    int64_t product = 1;
    const struct dim *open = NULL;
    for (int i = from; i < to; i++) {
        if (dims[i].value < 0) {
            if (open != NULL) {
                return dim_unknown();
            }
            open = &dims[i];
        } else if (__builtin_mul_overflow(product, dims[i].value, &product)) {
            return dim_unknown();
        }
    }
    if (open == NULL || product == 0) {
        return dim_known(product);
    }
    return product == 1 ? *open : dim_unknown();
}

struct dim_value element_of(const struct dim *d) {
    return (struct dim_value){.known = d->value >= 0, .value = d->value, .symbol = d->value >= 0 ? NULL : d->symbol};
}

struct dim dim_of_element(const struct dim_value *e) {
    if (e->known) {
        return e->value >= 0 ? dim_known(e->value) : dim_unknown();
    }
    return (struct dim){.value = -1, .symbol = e->symbol};
}

static bool is_integer(enum dtype type) {
    switch (type) {
    case DTYPE_UINT8:
    case DTYPE_INT8:
    case DTYPE_UINT16:
    case DTYPE_INT16:
    case DTYPE_INT32:
    case DTYPE_INT64:
    case DTYPE_UINT32:
    case DTYPE_BOOL:
        return true;
    default:
        return false;
    }
}

bool infer_elements(const struct infer_call *c, int i, const struct dim_value **elements, int *count) {
    const struct infer_value *v = infer_input(c, i);
    if (v == NULL) {
        return false;
    }
    if (v->elements != NULL) {
        *elements = v->elements;
        *count = v->element_count;
        return v->rank == 0 || v->dims[0].value < 0 || v->dims[0].value == v->element_count;
    }
    if (v->constant == NULL || !is_integer(v->constant->type) || v->constant->shape.rank > 1 ||
        tensor_count(v->constant) > INFER_MAX_ELEMENTS) {
        return false;
    }
    size_t n = tensor_count(v->constant);
    struct dim_value *list = ARENA_ARRAY(c->arena, n, struct dim_value);
    for (size_t k = 0; list != NULL && k < n; k++) {
        list[k] = (struct dim_value){.known = true, .value = tensor_get_int(v->constant, k)};
    }
    *elements = list;
    *count = (int)n;
    return list != NULL;
}

bool infer_ints(const struct infer_call *c, int i, const int64_t **ints, int *count) {
    *ints = NULL;
    *count = 0;
    const struct dim_value *elements = NULL;
    int n = 0;
    if (infer_input(c, i) == NULL) {
        return true;
    }
    if (!infer_elements(c, i, &elements, &n)) {
        return false;
    }
    int64_t *list = ARENA_ARRAY(c->arena, (size_t)n, int64_t);
    for (int k = 0; list != NULL && k < n; k++) {
        if (!elements[k].known) {
            return false;
        }
        list[k] = elements[k].value;
    }
    *ints = list;
    *count = n;
    return list != NULL;
}

bool infer_scalar(const struct infer_call *c, int i, int64_t *value) {
    const struct dim_value *elements = NULL;
    int count = 0;
    if (!infer_elements(c, i, &elements, &count) || count != 1 || !elements[0].known) {
        return false;
    }
    *value = elements[0].value;
    return true;
}

enum pare_status infer_axis(const struct infer_call *c, int *axis) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t given = node_int(c->node, "axis");
    char text[INFER_TEXT_MAX];
    return axis_resolve(given, x->rank, axis)
               ? PARE_OK
               : infer_fail(c, "axis %" PRId64 " does not exist in %s", given, infer_text(x, text, sizeof text));
}

enum pare_status infer_set_output(struct infer_call *c, int output, enum dtype type, int rank, const struct dim *dims) {
    if (output >= c->node->output_count) {
        return PARE_OK;
    }
    struct infer_value *out = &c->outputs[output];
    out->type = type;
    if (rank < 0) {
        return PARE_OK;
    }
    if (rank > TENSOR_MAX_RANK) {
        return infer_fail(c, "the output would have rank %d, at most %d are supported", rank, TENSOR_MAX_RANK);
    }
    struct shape known = {.rank = rank};
    for (int i = 0; i < rank; i++) {
        out->dims[i] = dims[i];
        known.dim[i] = dims[i].value < 0 ? 1 : dims[i].value;
    }
    out->rank = rank;
    size_t count = 0;
    char text[INFER_TEXT_MAX];
    return shape_count(&known, &count)
               ? PARE_OK
               : infer_fail(c, "the output would be too large: %s", infer_text(out, text, sizeof text));
}

enum pare_status infer_set_by_kernel(struct infer_call *c, int output, enum dtype type, int rank,
                                     const struct dim *dims) {
    if (output < c->node->output_count) {
        c->outputs[output].by_kernel = true;
    }
    return infer_set_output(c, output, type, rank, dims);
}

enum pare_status infer_set(struct infer_call *c, enum dtype type, int rank, const struct dim *dims) {
    return infer_set_output(c, 0, type, rank, dims);
}

enum pare_status infer_set_elements(struct infer_call *c, const struct dim_value *elements, int count) {
    struct dim_value *list = ARENA_ARRAY(c->arena, (size_t)count, struct dim_value);
    if (list == NULL) {
        return fail_memory(c->ctx);
    }
    for (int i = 0; i < count; i++) {
        list[i] = elements[i];
    }
    c->outputs[0].elements = list;
    c->outputs[0].element_count = count;
    return PARE_OK;
}

char *infer_text(const struct infer_value *v, char *text, size_t size) {
    size_t at = 0;
    if (v == NULL || v->rank < 0) {
        snprintf(text, size, "[...]");
        return text;
    }
    snprintf(text, size, "[");
    for (int i = 0; i < v->rank; i++) {
        at = strlen(text);
        const char *comma = i == 0 ? "" : ",";
        if (v->dims[i].value >= 0) {
            snprintf(text + at, size - at, "%s%" PRId64, comma, v->dims[i].value);
        } else {
            snprintf(text + at, size - at, "%s%s", comma, v->dims[i].symbol == NULL ? "?" : v->dims[i].symbol);
        }
    }
    at = strlen(text);
    snprintf(text + at, size - at, "]");
    return text;
}

enum pare_status infer_fail(const struct infer_call *c, const char *format, ...) {
    char message[DIAG_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail(c->ctx, PARE_ERROR_INPUT, "%s (%s): %s", c->node->name, c->node->op->name, message);
}

enum pare_status infer_fail_at(const struct infer_call *c) {
    char text[INFER_TEXT_MAX];
    return fail_at(c->ctx, "%s (%s) on %s", c->node->name, c->node->op->name,
                   infer_text(infer_input(c, 0), text, sizeof text));
}

enum pare_status infer_check_rank(const struct infer_call *c, int i, int low, int high) {
    const struct infer_value *v = infer_input(c, i);
    char text[INFER_TEXT_MAX];
    if (v == NULL || v->rank < 0 || (v->rank >= low && v->rank <= high)) {
        return PARE_OK;
    }
    return infer_fail(c, "input %d has shape %s, expected rank %d to %d", i, infer_text(v, text, sizeof text), low,
                      high);
}

enum pare_status infer_check_same_type(const struct infer_call *c, int i, int j) {
    const struct infer_value *a = infer_input(c, i);
    const struct infer_value *b = infer_input(c, j);
    if (a == NULL || b == NULL || a->type == DTYPE_NONE || b->type == DTYPE_NONE || a->type == b->type) {
        return PARE_OK;
    }
    return infer_fail(c, "input %d is %s and input %d is %s, expected one type", i, dtype_name(a->type), j,
                      dtype_name(b->type));
}

enum pare_status infer_check_single(const struct infer_call *c, int i) {
    const struct infer_value *v = infer_input(c, i);
    char text[INFER_TEXT_MAX];
    for (int k = 0; v != NULL && k < v->rank; k++) {
        if (v->dims[k].value >= 0 && v->dims[k].value != 1) {
            return infer_fail(c, "input %d has shape %s, expected one element", i, infer_text(v, text, sizeof text));
        }
    }
    return PARE_OK;
}

enum pare_status infer_check_vector(const struct infer_call *c, int i, const struct dim *length) {
    const struct infer_value *v = infer_input(c, i);
    char text[INFER_TEXT_MAX];
    TRY(infer_check_rank(c, i, 1, 1));
    if (v == NULL || v->rank < 0 || v->dims[0].value < 0 || length->value < 0 || v->dims[0].value == length->value) {
        return PARE_OK;
    }
    return infer_fail(c, "input %d has shape %s, expected [%" PRId64 "]", i, infer_text(v, text, sizeof text),
                      length->value);
}

struct shape infer_shape(const struct infer_value *v) {
    struct shape s = {.rank = v->rank};
    for (int i = 0; i < v->rank; i++) {
        s.dim[i] = v->dims[i].value;
    }
    return s;
}
