#include "quant/redundant.h"

#include "base/map.h"
#include "passes/channel_drop.h"
#include "passes/rewrite.h"
#include "quant/lapack.h"
#include "quant/moments.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAMPING 0.001        /* of the diagonal; less than in rounding: dependence is what is looked for */
#define VECTORS_PER_COLUMN 4 /* that a Gram matrix must come from, or anything depends on anything */
#define COLUMNS_MAX 2048     /* inverses take their cube */
#define COLUMNS_TOGETHER 128 /* of one channel */
#define BYTES_MAX ((size_t)1 << 30)
#define SHARE_AT_ONCE 16 /* channels that are taken out between two looks at all: one of so many */

/* A linear operator as it is without the channels that have been taken out so far. */
struct consumer {
    const struct linear *linear;
    const struct moments *moments;
    double *inverse; /* [columns][columns]: of the Gram matrix of the columns that are left, 0 elsewhere */
    double *weights; /* [rows][columns]; NULL: nobody has looked at this operator */
    double energy;   /* variance of its outputs, their sum */
    bool changed;
};

struct group {
    const struct scalable *scalable;
    struct channel_reader *readers;
    struct consumer **consumers; /* [readers] */
    size_t reader_count;
    bool *drop; /* [channels] */
    size_t dropped;
};

struct channel_plan {
    struct arena arena;
    const struct scheme *scheme;
    const struct statistics *statistics;
    struct consumer *consumers; /* [linears] */
    struct group *groups;       /* of all scalables; without readers: left alone */
    size_t group_count, bytes;
    double *scratch; /* of one channel and one reader */
    double loss;
};

static enum pare_status check_interrupt(struct context *ctx) {
    return context_cancelled(ctx) ? fail(ctx, PARE_ERROR_INTERRUPTED, "interrupted") : PARE_OK;
}

/* ---- readers ---- */

static bool invert(double *matrix, size_t n) {
    int size = (int)n, info = 0;
    dpotrf_("L", &size, matrix, &size, &info);
    if (info == 0) {
        dpotri_("L", &size, matrix, &size, &info);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) { /* lower by columns is upper by rows */
            matrix[k * n + i] = matrix[i * n + k];
        }
    }
    return info == 0;
}

static double energy_of(const struct consumer *r, const double *h, bool *complete) {
    size_t n = r->linear->columns;
    double *product = malloc(n * sizeof(*product)), sum = 0;
    *complete = product != NULL;
    for (size_t i = 0; *complete && i < r->linear->rows; i++) {
        cblas_dsymv(CblasRowMajor, CblasUpper, (int)n, 1, h, (int)n, r->weights + i * n, 1, 0, product, 1);
        sum += cblas_ddot((int)n, r->weights + i * n, 1, product, 1);
    }
    free(product);
    return sum;
}

static enum pare_status open_reader(struct context *ctx, struct channel_plan *p, struct consumer *r) {
    size_t n = r->linear->columns;
    bool complete;
    r->inverse = arena_array(&p->arena, n, n * sizeof(double));
    r->weights = arena_array(&p->arena, r->linear->rows, n * sizeof(double));
    if (r->inverse == NULL || r->weights == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < r->linear->rows * n; i++) {
        r->weights[i] = r->linear->rows_float[i];
    }
    moments_objective(r->moments, 0, r->inverse);
    r->energy = energy_of(r, r->inverse, &complete);
    for (size_t i = 0; i < n; i++) {
        r->inverse[i * n + i] += DAMPING * moments_scale(r->moments, 0);
    }
    if (!complete) {
        return fail_memory(ctx);
    }
    if (!invert(r->inverse, n)) {
        r->energy = 0;
    }
    return PARE_OK;
}

/* What can be told about a linear operator's columns; false: its channels stay. */
static bool is_known(const struct channel_plan *p, size_t linear) {
    const struct linear *l = &p->scheme->linears[linear];
    const struct moments *m = statistics_moments(p->statistics, linear);
    return l->groups == 1 && m != NULL && m->gram != NULL && l->columns <= COLUMNS_MAX &&
           m->count >= (uint64_t)VECTORS_PER_COLUMN * l->columns;
}

static size_t linear_index(const struct channel_plan *p, const struct node *n) {
    const struct linear *l = scheme_linear_of(p->scheme, n);
    return l == NULL ? SIZE_MAX : (size_t)(l - p->scheme->linears);
}

/* Columns of one channel in a reader. */
static size_t width_of(const struct linear *l, const struct channel_reader *r) {
    const struct shape *w = &l->weight->constant->shape;
    int64_t inputs = l->node->op->id == OP_ConvTranspose ? w->dim[0] : w->dim[1];
    return l->columns / (size_t)inputs * (size_t)r->repeat;
}

static size_t first_of(const struct linear *l, const struct channel_reader *r, size_t channel) {
    return width_of(l, r) / (size_t)r->repeat * (size_t)r->first + channel * width_of(l, r);
}

static enum pare_status open_readers(struct context *ctx, struct channel_plan *p, struct group *g, bool *possible) {
    g->consumers = ARENA_ARRAY(&p->arena, g->reader_count, struct consumer *);
    if (g->consumers == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < g->reader_count && *possible; i++) {
        size_t k = linear_index(p, g->readers[i].node);
        *possible = k != SIZE_MAX && is_known(p, k);
        if (!*possible) {
            break;
        }
        struct consumer *r = g->consumers[i] = &p->consumers[k];
        const struct linear *l = &p->scheme->linears[k];
        size_t bytes = ((size_t)l->columns + l->rows) * l->columns * sizeof(double);
        *possible =
            width_of(l, &g->readers[i]) <= COLUMNS_TOGETHER && (r->weights != NULL || bytes <= BYTES_MAX - p->bytes);
        if (*possible && r->weights == NULL) {
            p->bytes += bytes;
            *r = (struct consumer){.linear = l, .moments = statistics_moments(p->statistics, k)};
            TRY(open_reader(ctx, p, r));
        }
        *possible = *possible && r->energy > 0;
    }
    return PARE_OK;
}

/* ---- one channel ---- */

/* Into scratch: L of A = L L^T, the block of the inverse that belongs to columns first .. first + width. */
static bool factor_block(const struct channel_plan *p, const struct consumer *r, size_t first, size_t width) {
    size_t n = r->linear->columns;
    int size = (int)width, info = 0;
    for (size_t i = 0; i < width; i++) {
        memcpy(p->scratch + i * width, r->inverse + (first + i) * n + first, width * sizeof(double));
    }
    dpotrf_("U", &size, p->scratch, &size, &info); /* upper by columns is lower by rows */
    return info == 0;
}

/* The error that is left where the columns go, in the reader's energy: tr(B A^-1 B^T) with B the weights of these
 * columns. */
static double harm_in(const struct channel_plan *p, const struct consumer *r, size_t first, size_t width) {
    size_t n = r->linear->columns, rows = r->linear->rows;
    double *b = p->scratch + width * width;
    if (!factor_block(p, r, first, width)) {
        return INFINITY;
    }
    for (size_t i = 0; i < rows; i++) {
        memcpy(b + i * width, r->weights + i * n + first, width * sizeof(double));
    }
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)rows, (int)width, 1, p->scratch,
                (int)width, b, (int)width);
    return cblas_ddot((int)(rows * width), b, 1, b, 1) / r->energy;
}

static double harm_of(const struct channel_plan *p, const struct group *g, size_t channel) {
    double sum = 0;
    for (size_t i = 0; i < g->reader_count; i++) {
        const struct consumer *r = g->consumers[i];
        sum += harm_in(p, r, first_of(r->linear, &g->readers[i], channel), width_of(r->linear, &g->readers[i]));
    }
    return sum / (double)g->reader_count;
}

/* W -= B A^-1 P, inverse -= P^T A^-1 P, with P the rows of the inverse that belong to the columns. */
static void remove_from(const struct channel_plan *p, struct consumer *r, size_t first, size_t width) {
    size_t n = r->linear->columns, rows = r->linear->rows;
    double *half = p->scratch + width * width, *b = half + width * n;
    if (!factor_block(p, r, first, width)) {
        return;
    }
    memcpy(half, r->inverse + first * n, width * n * sizeof(double));
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)width, (int)n, 1, p->scratch,
                (int)width, half, (int)n);
    for (size_t i = 0; i < rows; i++) {
        memcpy(b + i * width, r->weights + i * n + first, width * sizeof(double));
    }
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)rows, (int)width, 1, p->scratch,
                (int)width, b, (int)width);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)n, (int)width, -1, b, (int)width, half,
                (int)n, 1, r->weights, (int)n);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)n, (int)width, -1, half, (int)n, half, (int)n, 1,
                r->inverse, (int)n);
    for (size_t k = first; k < first + width; k++) {
        for (size_t i = 0; i < n; i++) {
            r->inverse[k * n + i] = r->inverse[i * n + k] = 0;
        }
        for (size_t i = 0; i < rows; i++) {
            r->weights[i * n + k] = 0;
        }
    }
    r->changed = true;
}

static void remove_channel(struct channel_plan *p, struct group *g, size_t channel) {
    for (size_t i = 0; i < g->reader_count; i++) {
        struct consumer *r = g->consumers[i];
        remove_from(p, r, first_of(r->linear, &g->readers[i], channel), width_of(r->linear, &g->readers[i]));
    }
    g->drop[channel] = true;
    g->dropped++;
}

/* ---- a group ---- */

struct ranked {
    double harm;
    size_t channel;
};

static int by_harm(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    return x->harm != y->harm ? (x->harm < y->harm ? -1 : 1) : x->channel < y->channel ? -1 : 1;
}

/* The channels that may go now, the least harmful first. */
static size_t rank_channels(const struct channel_plan *p, const struct group *g, struct ranked *list) {
    size_t count = 0, channels = (size_t)g->scalable->channels;
    for (size_t c = 0; c < channels; c++) {
        double harm = g->drop[c] ? INFINITY : harm_of(p, g, c);
        if (harm * (double)channels <= p->loss) {
            list[count++] = (struct ranked){harm, c};
        }
    }
    qsort(list, count, sizeof(*list), by_harm);
    return count;
}

static enum pare_status extend_group(struct context *ctx, struct channel_plan *p, struct group *g) {
    size_t channels = (size_t)g->scalable->channels, at_once = channels / SHARE_AT_ONCE + 1;
    struct ranked *list = ARENA_ARRAY(&p->arena, channels, struct ranked);
    if (list == NULL) {
        return fail_memory(ctx);
    }
    for (size_t count = 1; count > 0;) {
        TRY(check_interrupt(ctx));
        count = rank_channels(p, g, list);
        for (size_t i = 0; i < count && i < at_once && g->dropped + 1 < channels; i++) {
            if (i == 0 || harm_of(p, g, list[i].channel) * (double)channels <= p->loss) {
                remove_channel(p, g, list[i].channel);
            }
        }
        count = g->dropped + 1 < channels ? count : 0;
    }
    return PARE_OK;
}

/* ---- all of them ---- */

/* A depthwise convolution reads nothing together that its own readers could make good. */
static void leave_readers(struct group *g) {
    size_t count = g->reader_count;
    g->reader_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!g->readers[i].passes) {
            g->readers[g->reader_count++] = g->readers[i];
        }
    }
}

static enum pare_status open_group(struct context *ctx, struct channel_plan *p, const struct scalable *s,
                                   struct group *g) {
    bool possible;
    TRY(check_interrupt(ctx));
    *g = (struct group){.scalable = s, .drop = ARENA_ARRAY(&p->arena, (size_t)s->channels, bool)};
    if (g->drop == NULL) {
        return fail_memory(ctx);
    }
    TRY(channel_readers(ctx, &p->arena, s, &g->readers, &g->reader_count, &possible));
    leave_readers(g);
    TRY(possible ? open_readers(ctx, p, g, &possible) : PARE_OK);
    g->reader_count = possible ? g->reader_count : 0;
    return PARE_OK;
}

static enum pare_status allocate(struct context *ctx, struct channel_plan *p) {
    size_t largest = 0;
    for (size_t i = 0; i < p->scheme->linear_count; i++) {
        const struct linear *l = &p->scheme->linears[i];
        size_t size = (size_t)l->rows + l->columns;
        largest = size > largest && l->columns <= COLUMNS_MAX ? size : largest;
    }
    p->consumers = ARENA_ARRAY(&p->arena, p->scheme->linear_count, struct consumer);
    p->scratch = arena_array(&p->arena, largest + COLUMNS_TOGETHER, COLUMNS_TOGETHER * sizeof(double));
    return p->consumers != NULL && p->scratch != NULL ? PARE_OK : fail_memory(ctx);
}

static enum pare_status open_groups(struct context *ctx, struct channel_plan *p) {
    struct scalable *all = NULL;
    TRY(allocate(ctx, p));
    TRY(scalable_list(ctx, &p->arena, p->scheme->graph, &all, &p->group_count));
    p->groups = ARENA_ARRAY(&p->arena, p->group_count, struct group);
    if (p->groups == NULL) {
        return fail_memory(ctx);
    }
    openblas_set_num_threads(1); /* sums must not be split by their number */
    for (size_t i = 0; i < p->group_count; i++) {
        TRY(open_group(ctx, p, &all[i], &p->groups[i]));
    }
    return PARE_OK;
}

enum pare_status channel_plan_extend(struct context *ctx, struct channel_plan *p, double loss) {
    openblas_set_num_threads(1);
    p->loss = loss;
    for (size_t i = 0; i < p->group_count; i++) {
        TRY(p->groups[i].reader_count > 0 ? extend_group(ctx, p, &p->groups[i]) : PARE_OK);
    }
    return PARE_OK;
}

enum pare_status channel_plan_new(struct context *ctx, const struct scheme *s, const struct statistics *st,
                                  struct channel_plan **out) {
    struct channel_plan *p = calloc(1, sizeof(*p));
    *out = p;
    if (p == NULL) {
        return fail_memory(ctx);
    }
    *p = (struct channel_plan){.scheme = s, .statistics = st};
    arena_init(&p->arena);
    enum pare_status status = open_groups(ctx, p);
    if (status != PARE_OK) {
        channel_plan_free(p);
        *out = NULL;
    }
    return status;
}

void channel_plan_free(struct channel_plan *p) {
    if (p != NULL) {
        arena_free(&p->arena);
        free(p);
    }
}

size_t channel_plan_count(const struct channel_plan *p) {
    size_t count = 0;
    for (size_t i = 0; i < p->group_count; i++) {
        count += p->groups[i].dropped;
    }
    return count;
}

/* ---- the graph without them ---- */

static enum pare_status set_weights(struct context *ctx, const struct consumer *r, struct node *n) {
    const struct linear *l = r->linear;
    struct tensor weight;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &n->inputs[1]->constant->shape, &weight));
    for (uint32_t i = 0; i < l->rows; i++) {
        for (uint32_t c = 0; c < l->columns; c++) {
            ((float *)weight.data)[linear_source(l, i, c)] = (float)r->weights[(size_t)i * l->columns + c];
        }
    }
    return set_constant(ctx, n, 1, "weight", &weight);
}

/* The bias takes up the means, where there is one. */
static enum pare_status set_bias(struct context *ctx, const struct consumer *r, struct node *n) {
    const struct linear *l = r->linear;
    struct tensor bias;
    if (!r->moments->centred || node_input(n, 2) == NULL) {
        return PARE_OK;
    }
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &(struct shape){.rank = 1, .dim = {l->rows}}, &bias));
    for (size_t i = 0; i < l->rows; i++) {
        double shift = 0;
        for (size_t c = 0; c < l->columns; c++) {
            size_t at = i * l->columns + c;
            shift += (l->rows_float[at] - r->weights[at]) * r->moments->mean[c];
        }
        ((float *)bias.data)[i] = (float)(l->bias_float[i] + shift);
    }
    return set_constant(ctx, n, 2, "bias", &bias);
}

/* The copy's nodes stand in the order of the scheme's graph. */
static enum pare_status set_parameters(struct context *ctx, struct arena *scratch, const struct channel_plan *p,
                                       struct graph *g) {
    struct map twins;
    map_init(&twins, scratch);
    struct node *n = g->first;
    for (const struct node *own = p->scheme->graph->first; own != NULL && n != NULL; own = own->next, n = n->next) {
        if (!map_set(&twins, own, n)) {
            return fail_memory(ctx);
        }
    }
    for (size_t k = 0; k < p->scheme->linear_count; k++) {
        if (p->consumers[k].changed) {
            struct node *twin = map_get(&twins, p->scheme->linears[k].node);
            TRY(set_weights(ctx, &p->consumers[k], twin));
            TRY(set_bias(ctx, &p->consumers[k], twin));
        }
    }
    return PARE_OK;
}

/* The lists are made while the weights are what they were. */
static enum pare_status apply(struct context *ctx, struct arena *a, struct arena *scratch, const struct channel_plan *p,
                              struct graph *g, struct dropped_list *dropped) {
    struct scalable *all = NULL;
    size_t count = 0;
    TRY(scalable_list(ctx, scratch, g, &all, &count));
    if (count != p->group_count) {
        return fail(ctx, PARE_ERROR_INTERNAL, "channels: the graph is not the one that they were chosen in");
    }
    TRY(set_parameters(ctx, scratch, p, g));
    for (size_t i = 0; i < count; i++) {
        if (p->groups[i].dropped > 0) {
            TRY(dropped_add(ctx, a, dropped, &all[i], p->groups[i].drop));
            TRY(channel_drop(ctx, &all[i], p->groups[i].drop));
        }
    }
    return PARE_OK;
}

enum pare_status channel_plan_apply(struct context *ctx, struct arena *a, const struct channel_plan *p, struct graph *g,
                                    struct dropped_list *dropped) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = apply(ctx, a, &scratch, p, g, dropped);
    arena_free(&scratch);
    return status;
}
