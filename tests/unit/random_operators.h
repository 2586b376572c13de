/* Seeded random operators in text form: every one that has an integer rule, and some that have none. */
#ifndef PARE_TESTS_RANDOM_OPERATORS_H
#define PARE_TESTS_RANDOM_OPERATORS_H

#include "graph/graph.h"
#include "graph/op.h"

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_TEXT_MAX 32768
#define NETWORK_ELEMENTS_MAX 4000 /* of one value */

struct maker {
    struct context ctx;
    uint64_t state;
    char text[NETWORK_TEXT_MAX]; /* without the outputs and the closing brace */
    size_t length;
    int serial;
    struct graph *g; /* of the text so far, shapes inferred */
};

static inline int64_t pick(struct maker *m, int64_t low, int64_t high) {
    m->state = m->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (int64_t)((m->state >> 33) % (uint64_t)(high - low + 1));
}

static inline void say(struct maker *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void say(struct maker *m, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(m->text + m->length, sizeof m->text - m->length, format, list);
    va_end(list);
    ck_assert(n >= 0 && (size_t)n < sizeof m->text - m->length);
    m->length += (size_t)n;
}

static inline void parse_again(struct maker *m) {
    size_t length = m->length;
    graph_free(m->g);
    m->g = NULL;
    say(m, "}\n");
    bool ok = graph_parse(&m->ctx, m->text, &m->g) == PARE_OK && graph_infer(&m->ctx, m->g) == PARE_OK;
    ck_assert_msg(ok, "%s\n%s", m->ctx.diag.message, m->text);
    m->length = length;
    m->text[length] = '\0';
}

/* ---- picking values ---- */

struct operand {
    char name[16];
    struct shape shape;
    size_t count;
};

static inline void describe(const struct value *v, struct operand *x) {
    snprintf(x->name, sizeof x->name, "%s", v->name);
    ck_assert(value_shape(v, 1, &x->shape) && shape_count(&x->shape, &x->count));
}

static inline bool usable(const struct value *v) {
    return !value_is_constant(v) && v->type == DTYPE_FLOAT;
}

/* A float value that is not constant, likely a late one, with a rank in [low, high]; false when there is none. */
static inline bool pick_value(struct maker *m, int low, int high, struct operand *x) {
    const struct value *found = NULL;
    for (int i = 0; i < m->g->value_count; i++) {
        const struct value *v = m->g->values[i];
        if (usable(v) && v->rank >= low && v->rank <= high && (found == NULL || pick(m, 0, 2) > 0)) {
            found = v;
        }
    }
    if (found != NULL) {
        describe(found, x);
    }
    return found != NULL;
}

static inline bool pick_alike(struct maker *m, const struct operand *x, struct operand *y) {
    for (int i = 0; i < m->g->value_count; i++) {
        struct shape s;
        const struct value *v = m->g->values[i];
        if (usable(v) && value_shape(v, 1, &s) && shape_equal(&s, &x->shape) && pick(m, 0, 1) == 0) {
            describe(v, y);
            return true;
        }
    }
    *y = *x;
    return true;
}

/* ---- writing statements ---- */

static inline void say_dims(struct maker *m, const struct shape *s) {
    for (int i = 0; i < s->rank; i++) {
        say(m, "%s%" PRId64, i == 0 ? "" : ",", s->dim[i]);
    }
}

static inline int random_constant(struct maker *m, const struct shape *s, double low, double high) {
    say(m, "  const c%d: float32[", ++m->serial);
    say_dims(m, s);
    say(m, "] = random(%" PRId64 ", %g, %g)\n", pick(m, 0, 1 << 20), low, high);
    return m->serial;
}

static inline int ints_constant(struct maker *m, int count, const int64_t *list) {
    say(m, "  const c%d: int64[%d] = [", ++m->serial, count);
    for (int i = 0; i < count; i++) {
        say(m, "%s%" PRId64, i == 0 ? "" : ",", list[i]);
    }
    say(m, "]\n");
    return m->serial;
}

static inline int scalar_constant(struct maker *m, double v) {
    say(m, "  const c%d: float32[] = %g\n", ++m->serial, v);
    return m->serial;
}

static inline void say_window(struct maker *m, const struct operand *x, const int64_t *kernel, bool is_conv) {
    int spatial = x->shape.rank - 2;
    int64_t pad = pick(m, 0, 1);
    say(m, "strides=[");
    for (int i = 0; i < spatial; i++) {
        say(m, "%s%" PRId64, i == 0 ? "" : ",", pick(m, 1, 2));
    }
    say(m, "], pads=[");
    for (int i = 0; i < 2 * spatial; i++) {
        say(m, "%s%" PRId64, i == 0 ? "" : ",", kernel[i % spatial] > 1 ? pad : 0);
    }
    say(m, "]");
    for (int i = 0; !is_conv && i < spatial; i++) {
        say(m, "%s%" PRId64 "%s", i == 0 ? ", kernel_shape=[" : ",", kernel[i], i == spatial - 1 ? "]" : "");
    }
}

/* ---- one operator each; false where no value fits ---- */

typedef bool network_operator(struct maker *m);

static inline bool spatial_value(struct maker *m, struct operand *x, int64_t *kernel) {
    if (!pick_value(m, 3, 4, x) || x->shape.dim[0] != 1) {
        return false;
    }
    for (int i = 2; i < x->shape.rank; i++) {
        kernel[i - 2] = pick(m, 1, x->shape.dim[i] < 3 ? x->shape.dim[i] : 3);
    }
    return true;
}

/* Sub(x, one constant per channel), for the Conv that follows; its number. */
static inline int put_zero_point(struct maker *m, const struct operand *x) {
    struct shape s = {.rank = x->shape.rank - 1, .dim = {x->shape.dim[1], 1, 1}};
    int zero = random_constant(m, &s, -1, 1), y = ++m->serial;
    say(m, "  v%d = Sub(%s, c%d)\n", y, x->name, zero);
    return y;
}

static inline bool put_conv(struct maker *m) {
    struct operand x = {0};
    int64_t kernel[2];
    if (!spatial_value(m, &x, kernel)) {
        return false;
    }
    bool transpose = pick(m, 0, 2) == 0;
    int64_t channels = x.shape.dim[1], group = pick(m, 0, 2) == 0 ? channels : 1, out = group * pick(m, 1, 3);
    struct shape w = {.rank = x.shape.rank, .dim = {out, channels / group, kernel[0], kernel[1]}};
    if (transpose) {
        w.dim[0] = channels;
        w.dim[1] = out / group;
    }
    int weight = random_constant(m, &w, -1, 1), bias = 0;
    if (pick(m, 0, 1) == 1) {
        bias = random_constant(m, &(struct shape){.rank = 1, .dim = {out}}, -1, 1);
    }
    int zero = pick(m, 0, 2) == 0 ? put_zero_point(m, &x) : 0, y = ++m->serial;
    say(m, "  v%d = Conv%s(", y, transpose ? "Transpose" : "");
    if (zero > 0) {
        say(m, "v%d, c%d", zero, weight);
    } else {
        say(m, "%s, c%d", x.name, weight);
    }
    if (bias > 0) {
        say(m, ", c%d", bias);
    }
    say(m, ") {group=%" PRId64 ", ", group);
    say_window(m, &x, kernel, true);
    say(m, "}\n");
    return true;
}

/* A convolution that keeps the shape, and its sum with what it reads, now and then with another convolution. */
static inline bool put_residual(struct maker *m) {
    struct operand x = {0};
    if (!pick_value(m, 4, 4, &x) || x.shape.dim[0] != 1) {
        return false;
    }
    int64_t channels = x.shape.dim[1];
    int convs[2], count = (int)pick(m, 1, 2);
    for (int i = 0; i < count; i++) {
        int64_t size = pick(m, 0, 1) == 0 ? 1 : 3;
        struct shape w = {.rank = 4, .dim = {channels, channels, size, size}};
        int weight = random_constant(m, &w, -1, 1);
        convs[i] = ++m->serial;
        say(m, "  v%d = Conv(%s, c%d) {pads=[%d,%d,%d,%d]}\n", convs[i], x.name, weight, size > 1, size > 1, size > 1,
            size > 1);
    }
    int sum = ++m->serial;
    if (count == 2) {
        say(m, "  v%d = Add(v%d, v%d)\n", sum, convs[0], convs[1]);
    } else if (pick(m, 0, 1) == 0) {
        say(m, "  v%d = Add(v%d, %s)\n", sum, convs[0], x.name);
    } else {
        say(m, "  v%d = Add(%s, v%d)\n", sum, x.name, convs[0]);
    }
    return true;
}

static inline bool put_pool(struct maker *m) {
    struct operand x = {0};
    int64_t kernel[2];
    if (!spatial_value(m, &x, kernel)) {
        return false;
    }
    static const char *const global[] = {"GlobalAveragePool", "GlobalMaxPool"};
    int64_t form = pick(m, 0, 5);
    if (form < 2) {
        say(m, "  v%d = %s(%s)\n", ++m->serial, global[form], x.name);
        return true;
    }
    bool average = form % 2 == 0;
    say(m, "  v%d = %s(%s) {%s", ++m->serial, average ? "AveragePool" : "MaxPool", x.name,
        average && pick(m, 0, 1) == 1 ? "count_include_pad=1, " : "");
    say_window(m, &x, kernel, false);
    say(m, "}\n");
    return true;
}

static inline bool put_gemm(struct maker *m) {
    struct operand x = {0};
    if (!pick_value(m, 2, 2, &x)) {
        return false;
    }
    int64_t in = x.shape.dim[1], out = pick(m, 1, 6), transposed = pick(m, 0, 1);
    struct shape w = {.rank = 2, .dim = {transposed ? out : in, transposed ? in : out}};
    int weight = random_constant(m, &w, -1, 1);
    int bias = random_constant(m, &(struct shape){.rank = 1, .dim = {pick(m, 0, 2) == 0 ? 1 : out}}, -1, 1);
    int y = ++m->serial;
    say(m, "  v%d = Gemm(%s, c%d, c%d) {transB=%" PRId64 "}\n", y, x.name, weight, bias, transposed);
    return true;
}

static inline bool put_matmul(struct maker *m) {
    struct operand x = {0};
    if (!pick_value(m, 2, 4, &x)) {
        return false;
    }
    int rank = x.shape.rank;
    if (pick(m, 0, 1) == 0) {
        struct shape w = {.rank = 2, .dim = {x.shape.dim[rank - 1], pick(m, 1, 5)}};
        int weight = random_constant(m, &w, -1, 1);
        say(m, "  v%d = MatMul(%s, c%d)\n", ++m->serial, x.name, weight);
        return true;
    }
    static const char *const swap[] = {"1,0", "0,2,1", "0,1,3,2"};
    int t = ++m->serial;
    say(m, "  v%d = Transpose(%s) {perm=[%s]}\n", t, x.name, swap[rank - 2]);
    say(m, "  v%d = MatMul(%s, v%d)\n", ++m->serial, x.name, t);
    return true;
}

static inline bool put_prelu(struct maker *m) {
    struct operand x = {0};
    if (!pick_value(m, 2, 4, &x) || x.shape.dim[0] != 1) {
        return false;
    }
    struct shape slope = {.rank = x.shape.rank - 1, .dim = {x.shape.dim[1], 1, 1, 1}};
    if (pick(m, 0, 2) == 0) {
        slope = (struct shape){.rank = 1, .dim = {1}};
    }
    int c = random_constant(m, &slope, -0.5, 0.5);
    say(m, "  v%d = PRelu(%s, c%d)\n", ++m->serial, x.name, c);
    return true;
}

static inline bool put_binary(struct maker *m) {
    static const char *const names[] = {"Add", "Sub", "Mul"};
    struct operand x = {0}, y = {0};
    const char *op = names[pick(m, 0, 2)];
    pick_value(m, 1, 4, &x);
    if (pick(m, 0, 1) == 0) {
        pick_alike(m, &x, &y);
        say(m, "  v%d = %s(%s, %s)\n", ++m->serial, op, x.name, y.name);
        return true;
    }
    int64_t cut = pick(m, 0, x.shape.rank);
    struct shape s = {.rank = x.shape.rank - (int)cut};
    for (int i = 0; i < s.rank; i++) {
        s.dim[i] = pick(m, 0, 1) == 0 ? 1 : x.shape.dim[i + cut];
    }
    int c = random_constant(m, &s, pick(m, 0, 1) == 0 ? -2 : 0, 2), z = ++m->serial;
    if (pick(m, 0, 2) == 0) {
        say(m, "  v%d = %s(c%d, %s)\n", z, op, c, x.name);
    } else {
        say(m, "  v%d = %s(%s, c%d)\n", z, op, x.name, c);
    }
    return true;
}

static inline bool put_concat(struct maker *m) {
    struct operand x = {0}, y = {0};
    pick_value(m, 1, 4, &x);
    int64_t count = pick(m, 0, 4) == 0 ? pick(m, 17, 40) : pick(m, 1, 4);
    if (x.count * (size_t)count > NETWORK_ELEMENTS_MAX) {
        return false;
    }
    int c = random_constant(m, &x.shape, -2, 2);
    say(m, "  v%d = Concat(%s", ++m->serial, x.name);
    for (int64_t i = 1; i < count; i++) {
        pick_alike(m, &x, &y);
        if (pick(m, 0, 4) == 0) {
            say(m, ", c%d", c);
        } else {
            say(m, ", %s", y.name);
        }
    }
    say(m, ") {axis=%" PRId64 "}\n", pick(m, -x.shape.rank, x.shape.rank - 1));
    return true;
}

static inline bool put_function(struct maker *m) {
    static const char *const names[] = {"Sigmoid",         "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu",
                                        "ThresholdedRelu", "Elu",  "Selu",        "Celu",      "Softplus",
                                        "Softsign",        "Mish", "Gelu"};
    const int64_t last = sizeof names / sizeof names[0] - 1;
    struct operand x = {0};
    pick_value(m, 0, 4, &x);
    say(m, "  v%d = %s(%s)\n", ++m->serial, names[pick(m, 0, last)], x.name);
    return true;
}

static inline bool put_bounds(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 0, 4, &x);
    if (pick(m, 0, 1) == 0) {
        say(m, "  v%d = Relu(%s)\n", ++m->serial, x.name);
        return true;
    }
    double least = (double)pick(m, -20, 15) / 10, most = least + (double)pick(m, 0, 20) / 10;
    int low = scalar_constant(m, least), high = scalar_constant(m, most);
    int y = ++m->serial;
    switch (pick(m, 0, 2)) {
    case 0:
        say(m, "  v%d = Clip(%s, c%d, c%d)\n", y, x.name, low, high);
        break;
    case 1:
        say(m, "  v%d = Clip(%s, -, c%d)\n", y, x.name, high);
        break;
    default:
        say(m, "  v%d = Clip(%s, c%d)\n", y, x.name, low);
    }
    return true;
}

static inline bool put_shape(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 1, 4, &x);
    int64_t flat[2] = {1, (int64_t)x.count}, first[1] = {0};
    int c = ints_constant(m, 2, flat), y = ++m->serial;
    switch (pick(m, 0, 4)) {
    case 0:
        say(m, "  v%d = Reshape(%s, c%d)\n", y, x.name, c);
        break;
    case 1:
        say(m, "  v%d = Flatten(%s) {axis=0}\n", y, x.name);
        break;
    case 2:
        say(m, "  v%d = Identity(%s)\n", y, x.name);
        break;
    case 3:
        c = ints_constant(m, 1, first);
        say(m, "  v%d = Unsqueeze(%s, c%d)\n", ++m->serial, x.name, c);
        break;
    default:
        if (x.shape.dim[0] != 1 || x.shape.rank == 1) {
            return false;
        }
        c = ints_constant(m, 1, first);
        say(m, "  v%d = Squeeze(%s, c%d)\n", ++m->serial, x.name, c);
    }
    return true;
}

static inline bool put_transpose(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 2, 4, &x);
    int64_t perm[4] = {0, 1, 2, 3};
    for (int i = x.shape.rank - 1; i > 0; i--) {
        int64_t j = pick(m, 0, i), kept = perm[i];
        perm[i] = perm[j];
        perm[j] = kept;
    }
    say(m, "  v%d = Transpose(%s) {perm=[", ++m->serial, x.name);
    for (int i = 0; i < x.shape.rank; i++) {
        say(m, "%s%" PRId64, i == 0 ? "" : ",", perm[i]);
    }
    say(m, "]}\n");
    return true;
}

static inline bool put_slice(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 1, 4, &x);
    int64_t axis = pick(m, 0, x.shape.rank - 1), length = x.shape.dim[axis], back = pick(m, 0, 1);
    int64_t from = pick(m, 0, length - 1), to = back ? pick(m, -1, from - 1) : pick(m, from + 1, length);
    int64_t step = back ? -pick(m, 1, 2) : pick(m, 1, 2), ends = back && to < 0 ? -length - 1 : to;
    int s = ints_constant(m, 1, &from), e = ints_constant(m, 1, &ends), a = ints_constant(m, 1, &axis);
    int t = ints_constant(m, 1, &step);
    say(m, "  v%d = Slice(%s, c%d, c%d, c%d, c%d)\n", ++m->serial, x.name, s, e, a, t);
    return true;
}

static inline bool put_split(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 1, 4, &x);
    int64_t axis = pick(m, 0, x.shape.rank - 1), length = x.shape.dim[axis];
    if (length < 2) {
        return false;
    }
    int64_t cut = pick(m, 1, length - 1), sizes[2] = {cut, length - cut};
    int c = ints_constant(m, 2, sizes), y = ++m->serial;
    say(m, "  v%d, v%d = Split(%s, c%d) {axis=%" PRId64 "}\n", y, ++m->serial, x.name, c, axis);
    return true;
}

static inline bool put_pad(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 1, 4, &x);
    int64_t pads[8] = {0};
    for (int i = 0; i < x.shape.rank; i++) {
        pads[i] = pick(m, x.shape.dim[i] > 2 ? -1 : 0, 1);
        pads[i + x.shape.rank] = pick(m, x.shape.dim[i] > 2 ? -1 : 0, 1);
    }
    int c = ints_constant(m, 2 * x.shape.rank, pads), y = ++m->serial;
    if (pick(m, 0, 1) == 0) {
        say(m, "  v%d = Pad(%s, c%d)\n", y, x.name, c);
        return true;
    }
    int fill = scalar_constant(m, (double)pick(m, -20, 20) / 10);
    say(m, "  v%d = Pad(%s, c%d, c%d)\n", ++m->serial, x.name, c, fill);
    return true;
}

static inline bool put_gather(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 2, 4, &x);
    int64_t axis = pick(m, 0, x.shape.rank - 1), length = x.shape.dim[axis], index[3];
    for (int i = 0; i < 3; i++) {
        index[i] = pick(m, -length, length - 1);
    }
    if (pick(m, 0, 1) == 0) {
        say(m, "  const c%d: int64[] = %" PRId64 "\n", ++m->serial, index[0]);
    } else {
        ints_constant(m, 3, index);
    }
    int c = m->serial;
    say(m, "  v%d = Gather(%s, c%d) {axis=%" PRId64 "}\n", ++m->serial, x.name, c, axis);
    return true;
}

static inline bool put_resize(struct maker *m) {
    static const char *const coordinates[] = {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"};
    static const char *const roundings[] = {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};
    struct operand x = {0};
    if (!pick_value(m, 3, 4, &x)) {
        return false;
    }
    int64_t sizes[4];
    bool even = pick(m, 0, 1) == 0;
    for (int i = 0; i < x.shape.rank; i++) {
        int64_t length = x.shape.dim[i];
        sizes[i] = i < 2 && pick(m, 0, 4) > 0 ? length : even ? length * pick(m, 1, 2) : pick(m, 1, length + 3);
    }
    int c = ints_constant(m, x.shape.rank, sizes);
    say(m, "  v%d = Resize(%s, -, -, c%d) {coordinate_transformation_mode=\"%s\", nearest_mode=\"%s\"}\n", ++m->serial,
        x.name, c, even ? "asymmetric" : coordinates[pick(m, 0, 3)], even ? "floor" : roundings[pick(m, 0, 3)]);
    return true;
}

static inline bool put_mean(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 2, 4, &x);
    int64_t first = pick(m, 0, x.shape.rank - 1), last = pick(m, first, x.shape.rank - 1), axes[4];
    for (int64_t i = first; i <= last; i++) {
        axes[i - first] = i;
    }
    int c = ints_constant(m, (int)(last - first + 1), axes);
    say(m, "  v%d = ReduceMean(%s, c%d) {keepdims=%" PRId64 "}\n", ++m->serial, x.name, c, pick(m, 0, 1));
    return true;
}

/* Without an integer rule: runs on the host. */
static inline bool put_float(struct maker *m) {
    struct operand x = {0};
    pick_value(m, 2, 4, &x);
    int64_t pads[8] = {0};
    int c = 0;
    switch (pick(m, 0, 2)) {
    case 0:
        say(m, "  v%d = Softmax(%s)\n", ++m->serial, x.name);
        return true;
    case 1:
        c = scalar_constant(m, 3);
        say(m, "  v%d = Div(%s, c%d)\n", ++m->serial, x.name, c);
        return true;
    default:
        pads[0] = 1;
        c = ints_constant(m, 2 * x.shape.rank, pads);
        say(m, "  v%d = Pad(%s, c%d) {mode=\"edge\"}\n", ++m->serial, x.name, c);
        return true;
    }
}

static network_operator *const network_operators[] = {
    put_conv,     put_pool,   put_gemm,  put_matmul, put_prelu,     put_binary, put_concat,
    put_function, put_bounds, put_shape, put_slice,  put_transpose, put_split,  put_pad,
    put_gather,   put_resize, put_mean,  put_float,  put_residual,
};
#define NETWORK_OPERATORS (int)(sizeof network_operators / sizeof network_operators[0])

#endif
