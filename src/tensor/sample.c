#include "tensor/sample.h"

#include <string.h>

/* Everything that the matching looks at. */
struct match {
    struct context *ctx;
    struct arena *arena;
    const char *place;
    const struct tensor *source;
    const struct input_spec *spec;
    const struct preprocess *preprocess;
    struct shape own; /* per-sample shape of the source, without the axis of samples */
};

static enum pare_status refuse_shape(const struct match *m, const char *way_out) {
    char own[256], wanted[256];
    return fail(m->ctx, PARE_ERROR_INPUT, "%s: has shape %s, but the model's input '%s' wants %s; %s", m->place,
                shape_text(&m->source->shape, own, sizeof own), m->spec->name,
                shape_text(&m->spec->shape, wanted, sizeof wanted), way_out);
}

static bool dims_match(const int64_t *own, const int64_t *wanted, int rank) {
    bool match = true;
    for (int d = 0; d < rank; d++) {
        match = match && (wanted[d] < 0 || own[d] == wanted[d]);
    }
    return match;
}

/* The shape with its channel axis moved from first to last, or back. */
static struct shape move_channels(const struct shape *s, enum layout wanted) {
    struct shape moved = *s;
    for (int d = 0; d < s->rank; d++) {
        int from = wanted == LAYOUT_NHWC ? d + 1 : d + s->rank - 1;
        moved.dim[d] = s->dim[from % s->rank];
    }
    return moved;
}

static bool matches_moved(const struct match *m, enum layout wanted) {
    struct shape moved = move_channels(&m->own, wanted);
    return m->own.rank >= 2 && dims_match(moved.dim, m->spec->shape.dim + 1, moved.rank);
}

static void set_delivered_shape(struct sample_plan *plan, const struct shape *per_sample) {
    plan->shape.rank = per_sample->rank + 1;
    plan->shape.dim[0] = 1;
    memcpy(plan->shape.dim + 1, per_sample->dim, sizeof per_sample->dim[0] * (size_t)per_sample->rank);
}

/* Only axes of size 1 differ: one order of elements fits both. Fills the open axes of `wanted`. */
static bool matches_squeezed(const struct shape *own, const struct shape *wanted, struct shape *filled) {
    int at = 0;
    *filled = *wanted;
    for (int d = 0; d < wanted->rank; d++) {
        if (wanted->dim[d] == 1) {
            continue;
        }
        while (at < own->rank && own->dim[at] == 1) {
            at++;
        }
        if (at == own->rank || (wanted->dim[d] >= 0 && wanted->dim[d] != own->dim[at])) {
            return false;
        }
        filled->dim[d] = own->dim[at++];
    }
    while (at < own->rank && own->dim[at] == 1) {
        at++;
    }
    return at == own->rank;
}

/* Whether the elements of a sample, in their order, are those that the input wants; a flat input wants them row by
 * row, unless a layout is declared that it cannot have. */
static bool matches_reshaped(const struct match *m, const struct sample_plan *plan, struct shape *out) {
    struct shape wanted = {.rank = m->spec->shape.rank - 1};
    if (wanted.rank < 1 || (m->spec->shape.dim[0] >= 0 && m->spec->shape.dim[0] != 1)) {
        return false;
    }
    memcpy(wanted.dim, m->spec->shape.dim + 1, sizeof wanted.dim[0] * (size_t)wanted.rank);
    bool undeclared = m->preprocess->layout == LAYOUT_ANY;
    bool flat = undeclared && wanted.rank == 1 && wanted.dim[0] == (int64_t)plan->sample_size;
    *out = wanted;
    return flat || matches_squeezed(&m->own, &wanted, out);
}

/* Sets the delivered shape and, in *moved, whether the channel axis changes its place. */
static enum pare_status match_shape(const struct match *m, struct sample_plan *plan, bool *moved) {
    const struct shape *wanted = &m->spec->shape;
    *moved = false;
    if (m->own.rank == wanted->rank && dims_match(m->own.dim, wanted->dim, wanted->rank)) {
        plan->shape = m->own;
        bool several = wanted->rank > 0 && wanted->dim[0] < 0 && m->own.dim[0] != 1;
        return several ? refuse_shape(m, "a sample that is a whole input has a batch of 1") : PARE_OK;
    }
    struct shape reshaped;
    bool same_rank = wanted->rank < 0 || m->own.rank + 1 == wanted->rank;
    if (!same_rank && matches_reshaped(m, plan, &reshaped)) {
        set_delivered_shape(plan, &reshaped);
        return PARE_OK;
    }
    if (!same_rank) {
        return refuse_shape(m, "the first axis of the data counts the samples");
    }
    if (wanted->rank > 0 && wanted->dim[0] >= 0 && wanted->dim[0] != 1) {
        return refuse_shape(m, "export the model with a batch of 1 or an open one");
    }
    if (wanted->rank < 0 || dims_match(m->own.dim, wanted->dim + 1, m->own.rank)) {
        set_delivered_shape(plan, &m->own);
        return PARE_OK;
    }
    enum layout layout = m->preprocess->layout;
    if (layout == LAYOUT_ANY && matches_reshaped(m, plan, &reshaped)) {
        set_delivered_shape(plan, &reshaped);
        return PARE_OK;
    }
    if (layout == LAYOUT_ANY) {
        return refuse_shape(m, matches_moved(m, LAYOUT_NHWC)   ? "declare the layout nhwc to have it transposed"
                               : matches_moved(m, LAYOUT_NCHW) ? "declare the layout nchw to have it transposed"
                                                               : "give data of that shape");
    }
    if (!matches_moved(m, layout)) {
        return refuse_shape(m, layout == LAYOUT_NHWC ? "moving the channels last does not help"
                                                     : "moving the channels first does not help");
    }
    struct shape s = move_channels(&m->own, layout);
    set_delivered_shape(plan, &s);
    *moved = true;
    return PARE_OK;
}

static bool is_signed(enum dtype type) {
    return type == DTYPE_INT2 || type == DTYPE_INT4 || type == DTYPE_INT8 || type == DTYPE_INT16 ||
           type == DTYPE_INT32 || type == DTYPE_INT64;
}

static bool integers_fit(enum dtype from, enum dtype to) {
    if (from == to || from == DTYPE_BOOL) {
        return true;
    }
    if (dtype_is_float(from) || to == DTYPE_BOOL || (is_signed(from) && !is_signed(to))) {
        return false;
    }
    size_t spare = is_signed(from) == is_signed(to) ? 0 : 1; /* a sign bit needs a wider type */
    return dtype_size(from) + spare <= dtype_size(to);
}

static enum pare_status match_type(const struct match *m, struct sample_plan *plan) {
    enum dtype own = m->source->type;
    enum dtype wanted = m->spec->type;
    bool fits = dtype_size(own) > 0 && dtype_size(wanted) > 0 && (dtype_is_float(wanted) || integers_fit(own, wanted));
    if (!fits) {
        char shape[2][256];
        return fail(m->ctx, PARE_ERROR_INPUT, "%s: has %s %s, but the model's input '%s' wants %s %s; convert the data",
                    m->place, dtype_name(own), shape_text(&m->source->shape, shape[0], sizeof shape[0]), m->spec->name,
                    dtype_name(wanted), shape_text(&m->spec->shape, shape[1], sizeof shape[1]));
    }
    plan->type = wanted;
    plan->affine = dtype_is_float(wanted) && !preprocess_is_identity(m->preprocess);
    return PARE_OK;
}

/* Where the channels of the delivered sample stand, its batch axis not counted. An undeclared layout means the first
 * axis, unless only the last one has as many entries as mean or std. */
static bool channels_last(const struct match *m, const struct shape *delivered, size_t parameters) {
    if (m->preprocess->layout != LAYOUT_ANY || delivered->rank < 2) {
        return m->preprocess->layout == LAYOUT_NHWC;
    }
    int64_t wanted = (int64_t)parameters;
    return parameters > 1 && delivered->dim[1] != wanted && delivered->dim[delivered->rank - 1] == wanted;
}

static const float *expand(struct arena *a, const double *values, size_t count, size_t channels) {
    float *out = ARENA_ARRAY(a, channels, float);
    for (size_t c = 0; out != NULL && c < channels; c++) {
        out[c] = (float)values[count == 1 ? 0 : c];
    }
    return out;
}

static enum pare_status plan_affine(const struct match *m, struct sample_plan *plan) {
    const struct preprocess *p = m->preprocess;
    plan->scale = (float)p->scale;
    if (p->mean_count > 0) {
        plan->mean = expand(m->arena, p->mean, p->mean_count, plan->channels);
    }
    if (p->std_count > 0) {
        plan->std = expand(m->arena, p->std, p->std_count, plan->channels);
    }
    bool complete = (p->mean_count == 0 || plan->mean != NULL) && (p->std_count == 0 || plan->std != NULL);
    return complete ? PARE_OK : fail_memory(m->ctx);
}

/* Splits the sample into channels and positions. */
static enum pare_status plan_axes(const struct match *m, struct sample_plan *plan, bool moved) {
    const struct preprocess *p = m->preprocess;
    size_t parameters = p->mean_count > p->std_count ? p->mean_count : p->std_count;
    bool per_channel = plan->affine && parameters > 1;
    plan->channels = 1;
    plan->positions = plan->sample_size;
    plan->source_position_stride = plan->position_stride = 1;
    if (!moved && !per_channel) {
        return PARE_OK;
    }
    if (plan->shape.rank > 0 && plan->shape.dim[0] != 1) {
        return refuse_shape(m, "mean and std per channel need samples of batch 1");
    }
    bool last = channels_last(m, &plan->shape, parameters);
    int64_t channels = plan->shape.rank < 2 ? 1 : plan->shape.dim[last ? plan->shape.rank - 1 : 1];
    if (per_channel && (size_t)channels != parameters) {
        char shape[256];
        return fail(m->ctx, PARE_ERROR_INPUT,
                    "%s: mean and std have %zu numbers, but a sample of shape %s for the model's input '%s' has %lld "
                    "channels (layout %s)",
                    m->place, parameters, shape_text(&plan->shape, shape, sizeof shape), m->spec->name,
                    (long long)channels, last ? "nhwc" : "nchw");
    }
    plan->channels = (size_t)channels;
    plan->positions = plan->sample_size / plan->channels;
    bool source_last = last != moved;
    plan->channel_stride = last ? 1 : plan->positions;
    plan->position_stride = last ? plan->channels : 1;
    plan->source_channel_stride = source_last ? 1 : plan->positions;
    plan->source_position_stride = source_last ? plan->channels : 1;
    return PARE_OK;
}

enum pare_status sample_plan(struct context *ctx, struct arena *a, const char *place, const struct tensor *source,
                             const struct input_spec *spec, const struct preprocess *p, struct sample_plan *out) {
    struct match m = {.ctx = ctx, .arena = a, .place = place, .source = source, .spec = spec, .preprocess = p};
    *out = (struct sample_plan){.source = source};
    if (tensor_count(source) == 0) {
        return refuse_shape(&m, "there must be at least one sample and one element in it");
    }
    if (source->shape.rank == 0) {
        return refuse_shape(&m, "the first axis of the data counts the samples");
    }
    m.own.rank = source->shape.rank - 1;
    memcpy(m.own.dim, source->shape.dim + 1, sizeof m.own.dim[0] * (size_t)m.own.rank);
    out->sample_size = tensor_count(source) / (size_t)source->shape.dim[0];
    bool moved = false;
    TRY(match_type(&m, out));
    TRY(match_shape(&m, out, &moved));
    TRY(plan_axes(&m, out, moved));
    return out->affine ? plan_affine(&m, out) : PARE_OK;
}

static float preprocessed(const struct sample_plan *plan, float v, size_t channel) {
    v *= plan->scale;
    v -= plan->mean != NULL ? plan->mean[channel] : 0;
    return plan->std != NULL ? v / plan->std[channel] : v;
}

static void deliver_float(const struct sample_plan *plan, size_t from, size_t to, size_t channel, struct tensor *out) {
    float v = (float)tensor_get_double(plan->source, from);
    v = plan->affine ? preprocessed(plan, v, channel) : v;
    if (plan->type == DTYPE_FLOAT) {
        ((float *)out->data)[to] = v;
    } else {
        tensor_set_double(out, to, (double)v);
    }
}

void sample_deliver(const struct sample_plan *plan, size_t i, struct tensor *out) {
    size_t start = i * plan->sample_size;
    if (plan->source->type == plan->type && plan->channels == 1 && !plan->affine) {
        size_t bytes = plan->sample_size * dtype_size(plan->type);
        memcpy(out->data, (const uint8_t *)plan->source->data + i * bytes, bytes);
        return;
    }
    for (size_t c = 0; c < plan->channels; c++) {
        for (size_t s = 0; s < plan->positions; s++) {
            size_t from = start + c * plan->source_channel_stride + s * plan->source_position_stride;
            size_t to = c * plan->channel_stride + s * plan->position_stride;
            if (dtype_is_float(plan->type)) {
                deliver_float(plan, from, to, c, out);
            } else {
                tensor_set_int(out, to, tensor_get_int(plan->source, from));
            }
        }
    }
}
