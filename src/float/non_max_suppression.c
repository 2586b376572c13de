/* NonMaxSuppression: of boxes that overlap, the one with the highest score stays. */
#include "float/kernels.h"
#include "float/order.h"

#include <math.h>

struct box {
    double low[2], high[2];
};

static struct box read_box(const struct float_call *c, size_t at) {
    const struct tensor *t = c->inputs[0];
    double v[4];
    struct box b;
    for (size_t i = 0; i < 4; i++) {
        v[i] = tensor_get_double(t, at * 4 + i);
    }
    bool centered = node_int(c->node, "center_point_box") != 0; /* x, y, width, height; else two corners */
    for (int i = 0; i < 2; i++) {
        b.low[i] = centered ? v[i] - v[2 + i] / 2.0 : fmin(v[i], v[2 + i]);
        b.high[i] = centered ? v[i] + v[2 + i] / 2.0 : fmax(v[i], v[2 + i]);
    }
    return b;
}

static double area(const struct box *b) {
    return fmax(b->high[0] - b->low[0], 0.0) * fmax(b->high[1] - b->low[1], 0.0);
}

/* Intersection over union. */
static double overlap(const struct box *a, const struct box *b) {
    struct box common;
    for (int i = 0; i < 2; i++) {
        common.low[i] = fmax(a->low[i], b->low[i]);
        common.high[i] = fmin(a->high[i], b->high[i]);
    }
    double shared = area(&common), all = area(a) + area(b) - shared;
    return all > 0.0 ? shared / all : 0.0;
}

struct suppression {
    struct float_call *call;
    size_t boxes, classes, most;
    double threshold, lowest; /* of the overlap, of the score */
    bool has_lowest;
    const struct box *box; /* of the present batch */
    size_t scores;         /* where those of the present class begin */
    size_t *positions, *spare, *kept;
    int64_t *rows; /* batch, class, box; NULL while they are counted */
    size_t count;
};

static double score(const struct suppression *s, size_t box) {
    return tensor_get_double(s->call->inputs[1], s->scores + box);
}

static bool higher(const void *user, size_t a, size_t b) {
    return score(user, a) > score(user, b);
}

static size_t sort_candidates(struct suppression *s) {
    size_t candidates = 0;
    for (size_t i = 0; i < s->boxes; i++) {
        if (!s->has_lowest || score(s, i) > s->lowest) {
            s->positions[candidates++] = i;
        }
    }
    order_sort(s->positions, candidates, s->spare, higher, s);
    return candidates;
}

static bool is_covered(const struct suppression *s, size_t box, size_t kept) {
    for (size_t k = 0; k < kept; k++) {
        if (overlap(&s->box[box], &s->box[s->kept[k]]) > s->threshold) {
            return true;
        }
    }
    return false;
}

static void suppress_class(struct suppression *s, size_t batch, size_t class) {
    size_t kept = 0, candidates = sort_candidates(s);
    for (size_t i = 0; i < candidates && kept < s->most; i++) {
        if (is_covered(s, s->positions[i], kept)) {
            continue;
        }
        s->kept[kept++] = s->positions[i];
        if (s->rows != NULL) {
            int64_t *row = s->rows + s->count * 3;
            row[0] = (int64_t)batch;
            row[1] = (int64_t) class;
            row[2] = (int64_t)s->positions[i];
        }
        s->count++;
    }
}

static enum pare_status suppress(struct suppression *s) {
    size_t batches = (size_t)s->call->inputs[0]->shape.dim[0];
    struct box *boxes = call_scratch(s->call, s->boxes, sizeof *boxes);
    if (boxes == NULL) {
        return PARE_ERROR_MEMORY;
    }
    s->box = boxes;
    s->count = 0;
    for (size_t b = 0; b < batches; b++) {
        for (size_t i = 0; i < s->boxes; i++) {
            boxes[i] = read_box(s->call, b * s->boxes + i);
        }
        for (size_t k = 0; k < s->classes; k++) {
            s->scores = (b * s->classes + k) * s->boxes;
            suppress_class(s, b, k);
        }
    }
    return PARE_OK;
}

static double number(const struct float_call *c, int input, double missing) {
    const struct tensor *t = call_input(c, input);
    return t != NULL && tensor_count(t) == 1 ? tensor_get_double(t, 0) : missing;
}

enum pare_status float_non_max_suppression(struct float_call *c) {
    const struct shape *boxes = &c->inputs[0]->shape, *scores = &c->inputs[1]->shape;
    struct suppression s = {.call = c, .boxes = (size_t)boxes->dim[1], .classes = (size_t)scores->dim[1]};
    double most = number(c, 2, 0.0);
    if (boxes->dim[2] != 4 || scores->dim[0] != boxes->dim[0] || scores->dim[2] != boxes->dim[1]) {
        return fail(c->ctx, PARE_ERROR_INPUT, "boxes and scores do not fit each other");
    }
    s.most = most > 0.0 ? (most < (double)s.boxes ? (size_t)most : s.boxes) : 0;
    s.threshold = number(c, 3, 0.0);
    s.has_lowest = call_input(c, 4) != NULL;
    s.lowest = number(c, 4, 0.0);
    s.positions = call_scratch(c, s.boxes, sizeof *s.positions);
    s.spare = call_scratch(c, s.boxes, sizeof *s.spare);
    s.kept = call_scratch(c, s.boxes, sizeof *s.kept);
    if (s.positions == NULL || s.spare == NULL || s.kept == NULL) {
        return PARE_ERROR_MEMORY;
    }
    TRY(suppress(&s));
    struct shape shape = {.rank = 2, .dim = {(int64_t)s.count, 3}};
    TRY(tensor_alloc(c->ctx, DTYPE_INT64, &shape, &c->outputs[0]));
    s.rows = c->outputs[0].data;
    return suppress(&s);
}
