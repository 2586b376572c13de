#include "graph/slice.h"

#include "graph/axes.h"

#include <inttypes.h>

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

/* A start or end as an index into `size` elements; one before the first is allowed when walking backwards. */
static int64_t resolve_bound(int64_t bound, int64_t size, int64_t step, int64_t low) {
    bound = bound < 0 ? (bound < -size ? -1 : bound + size) : bound;
    return step > 0 ? clamp(bound, 0, size) : clamp(bound, low, size - 1);
}

/* ceil(span / step) for a positive span and step, written so that nothing overflows. */
static int64_t steps_in(int64_t span, uint64_t step) {
    return span <= 0 ? 0 : (int64_t)(((uint64_t)span - 1) / step + 1);
}

static void resolve_known(int64_t size, int64_t start, int64_t end, int64_t step, struct slice *out, int axis) {
    int64_t first = resolve_bound(start, size, step, 0);
    int64_t last = resolve_bound(end, size, step, -1);
    uint64_t pace = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    out->start[axis] = first;
    out->step[axis] = step;
    out->count[axis] = size == 0 ? 0 : steps_in(step > 0 ? last - first : first - last, pace);
}

/* An axis of unknown size: the bounds decide the count only where they lie on the same side of it. */
static void resolve_unknown(int64_t start, int64_t end, int64_t step, struct slice *out, int axis) {
    out->start[axis] = start;
    out->step[axis] = step;
    bool empty = step > 0 && start == end;
    out->count[axis] = empty ? 0 : -1;
}

enum pare_status slice_resolve(struct context *ctx, const struct slice_inputs *in, const struct shape *input,
                               struct slice *out) {
    *out = (struct slice){.rank = input->rank};
    for (int i = 0; i < input->rank; i++) {
        out->step[i] = 1;
        out->count[i] = input->dim[i];
        out->keeps_all[i] = true;
    }
    bool marked[TENSOR_MAX_RANK] = {false};
    for (int i = 0; i < in->length; i++) {
        int axis = 0;
        int64_t named = in->axes == NULL ? i : in->axes[i];
        int64_t step = in->steps == NULL ? 1 : in->steps[i];
        if (!axis_resolve(named, input->rank, &axis) || marked[axis]) {
            return fail(ctx, PARE_ERROR_INPUT,
                        "axis %" PRId64 " does not exist in an input of rank %d, or is named twice", named,
                        input->rank);
        }
        if (step == 0) {
            return fail(ctx, PARE_ERROR_INPUT, "the step along axis %d is 0", axis);
        }
        marked[axis] = true;
        out->keeps_all[axis] = in->starts[i] == 0 && step == 1 && in->ends[i] >= INT32_MAX;
        if (input->dim[axis] >= 0) {
            resolve_known(input->dim[axis], in->starts[i], in->ends[i], step, out, axis);
        } else if (!out->keeps_all[axis]) {
            resolve_unknown(in->starts[i], in->ends[i], step, out, axis);
        }
    }
    return PARE_OK;
}

enum pare_status padding_resolve(struct context *ctx, const int64_t *pads, int pad_count, const int64_t *axes,
                                 int axis_count, int rank, struct padding *out) {
    int count = axes == NULL ? rank : axis_count;
    if (pad_count != 2 * count) {
        return fail(ctx, PARE_ERROR_INPUT, "pads has %d entries, expected %d: one before and one behind %d axes",
                    pad_count, 2 * count, count);
    }
    if (axes != NULL) {
        bool marked[TENSOR_MAX_RANK];
        TRY(axes_mark(ctx, axes, axis_count, rank, marked));
    }
    *out = (struct padding){.rank = rank};
    for (int i = 0; i < count; i++) {
        int axis = i;
        if (axes != NULL) {
            axis_resolve(axes[i], rank, &axis);
        }
        out->begin[axis] = pads[i];
        out->end[axis] = pads[count + i];
    }
    return PARE_OK;
}
