/* The search against published figures and 8 bits everywhere, on held-out samples:
 *
 *   bench_search [FOLDER] [--networks NAME,...] [--ablations] [--ablated-searches] [--max-drop PERCENT] [--samples N]
 *                [--threads N] [--json]
 *
 * FOLDER (../shared unless given) holds models/ and data/; the networks are those of search_networks.c, the paper's
 * three unless named. Per network: what was published, 8 bits everywhere, the search; with --ablations the widths that
 * it found without each of its techniques, and with --ablated-searches the search again without them. --samples takes
 * fewer than there are. Exit code 77 where a file is missing. */
#include "api/data.h"
#include "base/decimal.h"
#include "base/file.h"
#include "passes/passes.h"
#include "search_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS_MAX 1000
#define EXIT_SKIPPED 77
#define WIDTHS_ALL 0x1fc     /* 2..8 */
#define WIDTHS_INPUTS 0x1ffc /* 2..12 */
#define WIDTHS_8 0x100

struct ablation {
    const char *method;
    uint32_t without;
    bool of_search; /* decides about widths, and nothing at given ones */
};

static const struct ablation ablations[] = {
    {"without equalisation", TECHNIQUE_EQUALISATION, false},
    {"without zero points", TECHNIQUE_ZERO_POINTS, false},
    {"without channel fractions", TECHNIQUE_CHANNEL_FRACTIONS, false},
    {"without second-order rounding", TECHNIQUE_SECOND_ORDER, false},
    {"without coordinate descent", TECHNIQUE_COORDINATE_DESCENT, false},
    {"without both: nearest rounding", TECHNIQUE_SECOND_ORDER | TECHNIQUE_COORDINATE_DESCENT, false},
    {"without bias correction", TECHNIQUE_BIAS_CORRECTION, false},
    {"without fitting", TECHNIQUE_FITTING, false},
    {"without expected drop", TECHNIQUE_EXPECTED_DROP, true},
    {"without clipping", TECHNIQUE_CLIPPING, false},
    {"without unsigned activations", TECHNIQUE_UNSIGNED, false},
    {"without taking silent channels out", TECHNIQUE_SILENT_CHANNELS, false},
    {"without taking redundant channels out", TECHNIQUE_REDUNDANT_CHANNELS, false},
    {"without taking channels out", TECHNIQUE_SILENT_CHANNELS | TECHNIQUE_REDUNDANT_CHANNELS, false},
};
#define ABLATIONS (sizeof ablations / sizeof *ablations)

struct bench {
    struct context ctx;
    const char *folder, *names;            /* names: between commas */
    bool ablates, searches, json, skipped; /* ablates: at the widths found; searches: as a whole */
    double max_drop;                       /* fraction of the float accuracy */
    size_t samples;                        /* 0: all */
    struct row rows[ROWS_MAX];
    size_t row_count;
};

/* A network with its data. */
struct trial {
    const struct bench_network *about;
    struct arena arena;
    struct pare_network *network;
    struct dataset data, calibration;
};

static enum pare_status add_row(struct bench *b, const struct row *row) {
    if (b->row_count == ROWS_MAX) {
        return fail(&b->ctx, PARE_ERROR_USAGE, "more than %d rows; name fewer networks", ROWS_MAX);
    }
    b->rows[b->row_count++] = *row;
    if (!b->json) {
        row_print(row);
    }
    return PARE_OK;
}

/* ---- a network's files ---- */

static enum pare_status read_preprocess(struct context *ctx, const struct bench_network *n, struct preprocess *p) {
    preprocess_init(p);
    TRY(n->scale == NULL ? PARE_OK : preprocess_parse_number(ctx, "scale", n->scale, &p->scale));
    TRY(n->mean == NULL ? PARE_OK : preprocess_parse_list(ctx, "mean", n->mean, p->mean, &p->mean_count));
    TRY(n->std == NULL ? PARE_OK : preprocess_parse_list(ctx, "std", n->std, p->std, &p->std_count));
    return n->layout == NULL ? PARE_OK : preprocess_parse_layout(ctx, "layout", n->layout, &p->layout);
}

static enum pare_status read_data(struct bench *b, struct trial *t, const char *path, enum label_use use,
                                  struct dataset *out) {
    struct context *ctx = &b->ctx;
    struct preprocess p;
    struct dataset all;
    TRY(read_preprocess(ctx, t->about, &p));
    TRY(network_read_data(ctx, &t->arena, t->network, path, &p, use, &all));
    return dataset_take(ctx, &t->arena, &all, 0, b->samples == 0 ? all.count : b->samples, out);
}

/* *found is false, and a line says so, where a file is missing. */
static enum pare_status find_file(struct bench *b, struct trial *t, const char *name, const char **path, bool *found) {
    *path = arena_format(&t->arena, "%s/%s", b->folder, name);
    if (*path == NULL) {
        return fail_memory(&b->ctx);
    }
    if (!file_exists(*path)) {
        fprintf(stderr, "skipped: no %s\n", *path);
        b->skipped = true;
        *found = false;
    }
    return PARE_OK;
}

static enum pare_status open_trial(struct bench *b, struct trial *t, bool *found) {
    const struct bench_network *n = t->about;
    const char *model = NULL, *data = NULL, *calibration = NULL;
    *found = true;
    TRY(find_file(b, t, n->model, &model, found));
    TRY(find_file(b, t, n->data, &data, found));
    TRY(n->calibration == NULL ? PARE_OK : find_file(b, t, n->calibration, &calibration, found));
    if (!*found) {
        return PARE_OK;
    }
    TRY(network_open(&b->ctx, model, &(struct open_options){0}, &t->network));
    TRY(read_data(b, t, data, LABELS_TAKEN, &t->data));
    return calibration == NULL ? PARE_OK : read_data(b, t, calibration, LABELS_IGNORED, &t->calibration);
}

/* ---- searches ---- */

static enum pare_status clean_graph(struct context *ctx, const struct trial *t, uint32_t without, struct graph **out) {
    bool forwards = !(without & TECHNIQUE_ZERO_POINTS);
    struct pass_options options = {.without = forwards ? NULL : "batch_normalization_forward"};
    TRY(graph_clone(ctx, t->network->graph, true, out));
    return passes_run(ctx, out, &options);
}

/* A bound that is not held is a result too. */
static enum pare_status run_search(struct bench *b, const struct trial *t, const struct graph *g,
                                   const struct search_options *options, struct search_result *out) {
    struct search_data data = {.calibration = t->about->calibration == NULL ? NULL : &t->calibration,
                               .validation = &t->data};
    enum pare_status status = search_run(&b->ctx, g, &data, options, out);
    if (status == PARE_ERROR_BOUND && out->program != NULL) {
        context_clear(&b->ctx);
        return PARE_OK;
    }
    return status;
}

/* What to measure: a search, or one point. */
struct measuring {
    const char *method;
    uint32_t widths, input_widths, without;
    const struct given_widths *given; /* or NULL */
};

static enum pare_status measure(struct bench *b, const struct trial *t, const struct measuring *m,
                                struct search_result *out) {
    struct search_options options = {.metric = METRIC_TOP1,
                                     .max_drop = b->max_drop,
                                     .max_drop_relative = true,
                                     .widths = m->widths,
                                     .input_widths = m->input_widths,
                                     .cost = COST_BALANCED,
                                     .confidence = 0.95,
                                     .given = m->given,
                                     .without = m->without};
    struct graph *g = NULL;
    clock_t start = clock();
    *out = (struct search_result){0};
    enum pare_status status = clean_graph(&b->ctx, t, m->without, &g);
    if (status == PARE_OK) {
        status = run_search(b, t, g, &options, out);
    }
    if (status == PARE_OK) {
        struct row row = row_measured(t->about, m->method, out);
        row.processor_seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        status = add_row(b, &row);
    }
    graph_free(g);
    return status;
}

static enum pare_status measure_alone(struct bench *b, const struct trial *t, const struct measuring *m) {
    struct search_result result;
    enum pare_status status = measure(b, t, m, &result);
    search_result_free(&result);
    return status;
}

/* ---- the same widths again ---- */

/* The layer that makes a value. */
static struct layer_widths *add_layer(struct given_widths *g, struct layer_widths *layers, const struct program *p,
                                      const struct value *v) {
    uint32_t op = 0;
    while (op + 1 < p->op_count && p->value_names[p->ops[op].output] != v->name) {
        op++;
    }
    layers[g->layer_count] = (struct layer_widths){.name = p->op_names[op]};
    return &layers[g->layer_count++];
}

/* Of the linear operators, and of all others that round. */
static void list_widths(const struct scheme *s, const struct program *program, struct layer_widths *layers,
                        struct layer_widths *inputs, struct given_widths *out) {
    for (size_t i = 0; i < s->linear_count; i++) {
        const struct linear *l = &s->linears[i];
        struct layer_widths *w = add_layer(out, layers, program, l->output);
        w->weight = l->weights->format.bits;
        w->bias = l->bias_bits;
        w->output = l->out->format.bits;
        out->widths |= 1u << w->weight | 1u << w->bias | 1u << w->output;
    }
    for (size_t i = 0; i < s->point_count; i++) {
        const struct point *p = &s->points[i];
        int bits = p->format.bits;
        if (p->node == NULL) {
            inputs[out->input_count++] = (struct layer_widths){.name = p->value->name, .output = bits};
            out->input_widths |= 1u << bits;
        } else if (scheme_linear_of(s, p->node) == NULL) {
            add_layer(out, layers, program, p->value)->output = bits;
            out->widths |= 1u << bits;
        }
    }
}

static enum pare_status take_widths(struct bench *b, struct arena *a, const struct search_result *r,
                                    struct given_widths *out) {
    const struct scheme *s = r->scheme;
    struct layer_widths *layers = ARENA_ARRAY(a, s->linear_count + s->point_count, struct layer_widths);
    struct layer_widths *inputs = ARENA_ARRAY(a, s->point_count, struct layer_widths);
    *out = (struct given_widths){.place = "the search", .layers = layers, .inputs = inputs};
    if (layers == NULL || inputs == NULL) {
        return fail_memory(&b->ctx);
    }
    list_widths(s, r->program, layers, inputs, out);
    out->widths = (out->widths & WIDTHS_ALL) | WIDTHS_8;
    out->input_widths |= WIDTHS_8;
    return PARE_OK;
}

/* `found` is what the search came to. */
static enum pare_status ablate(struct bench *b, struct trial *t, const struct search_result *found) {
    struct given_widths given;
    TRY(take_widths(b, &t->arena, found, &given));
    for (size_t i = 0; b->ablates && i < ABLATIONS; i++) {
        struct measuring m = {ablations[i].method, given.widths, given.input_widths, ablations[i].without, &given};
        TRY(ablations[i].of_search ? PARE_OK : measure_alone(b, t, &m));
    }
    for (size_t i = 0; b->searches && i < ABLATIONS; i++) {
        TRY(measure_alone(
            b, t, &(struct measuring){ablations[i].method, WIDTHS_ALL, WIDTHS_INPUTS, ablations[i].without, NULL}));
    }
    return PARE_OK;
}

static enum pare_status search(struct bench *b, struct trial *t) {
    struct search_result found;
    enum pare_status status = measure(b, t, &(struct measuring){"ours", WIDTHS_ALL, WIDTHS_INPUTS, 0, NULL}, &found);
    if (status == PARE_OK) {
        status = ablate(b, t, &found);
    }
    search_result_free(&found);
    return status;
}

static enum pare_status compare(struct bench *b, struct trial *t) {
    const struct published *p = t->about->published;
    if (p != NULL) {
        struct row published = row_published(t->about), recomputed = row_recomputed(t->about);
        TRY(add_row(b, &published));
        TRY(p->memory_recomputed > 0 ? add_row(b, &recomputed) : PARE_OK);
    }
    struct measuring eights = {"8 bits", WIDTHS_8, WIDTHS_8,
                               TECHNIQUE_FITTING | TECHNIQUE_SILENT_CHANNELS | TECHNIQUE_REDUNDANT_CHANNELS, NULL};
    TRY(measure_alone(b, t, &eights));
    return search(b, t);
}

static enum pare_status bench_network(struct bench *b, const struct bench_network *n) {
    struct trial t = {.about = n};
    bool found = false;
    arena_init(&t.arena);
    enum pare_status status = open_trial(b, &t, &found);
    if (status == PARE_OK && found) {
        status = compare(b, &t);
    }
    pare_network_free(t.network);
    arena_free(&t.arena);
    return status == PARE_OK ? PARE_OK : fail_at(&b->ctx, "%s", n->name);
}

static enum pare_status bench_named(struct bench *b, const char *name, size_t length) {
    for (size_t i = 0; i < bench_network_count; i++) {
        const struct bench_network *n = &bench_networks[i];
        if (strlen(n->name) == length && memcmp(n->name, name, length) == 0) {
            return bench_network(b, n);
        }
    }
    return fail(&b->ctx, PARE_ERROR_USAGE, "no network is named '%.*s'", (int)length, name);
}

static enum pare_status run(struct bench *b) {
    if (!b->json) {
        rows_print_title();
    }
    for (const char *name = b->names; name != NULL;) {
        const char *comma = strchr(name, ',');
        TRY(bench_named(b, name, comma != NULL ? (size_t)(comma - name) : strlen(name)));
        name = comma != NULL ? comma + 1 : NULL;
    }
    return b->json ? rows_print_json(&b->ctx, b->rows, b->row_count, b->ctx.threads) : PARE_OK;
}

/* ---- the command line ---- */

static bool take_flag(struct bench *b, const char *name) {
    bool *flag = strcmp(name, "--ablations") == 0          ? &b->ablates
                 : strcmp(name, "--ablated-searches") == 0 ? &b->searches
                 : strcmp(name, "--json") == 0             ? &b->json
                                                           : NULL;
    if (flag != NULL) {
        *flag = true;
    }
    return flag != NULL;
}

static bool take_value(struct bench *b, const char *name, const char *value) {
    if (strcmp(name, "--networks") == 0) {
        b->names = value;
    } else if (strcmp(name, "--max-drop") == 0) {
        b->max_drop = parse_decimal(value, NULL) / 100;
    } else if (strcmp(name, "--samples") == 0) {
        b->samples = strtoul(value, NULL, 10);
    } else if (strcmp(name, "--threads") == 0) {
        b->ctx.threads = (int)strtol(value, NULL, 10);
    } else {
        return false;
    }
    return true;
}

static bool parse(struct bench *b, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strncmp(argv[i], "--", 2) != 0) {
            b->folder = argv[i];
        } else if (!take_flag(b, argv[i])) {
            if (value == NULL || !take_value(b, argv[i], value)) {
                return false;
            }
            i++;
        }
    }
    return b->max_drop > 0 && b->ctx.threads > 0;
}

int main(int argc, char **argv) {
    static struct bench b = {.folder = "../shared",
                             .names = "paper_seq_mnist,paper_seq_cifar10,paper_branched_fashion_mnist",
                             .max_drop = 0.01};
    context_init(&b.ctx);
    if (!parse(&b, argc, argv)) {
        fprintf(stderr, "usage: bench_search [FOLDER] [--networks NAME,...] [--ablations] [--ablated-searches] "
                        "[--max-drop PERCENT] [--samples N] [--threads N] [--json]\n");
        return 2;
    }
    enum pare_status status = run(&b);
    if (status != PARE_OK) {
        fprintf(stderr, "bench_search: %s\n", b.ctx.diag.message);
        return 1;
    }
    return b.skipped ? EXIT_SKIPPED : 0;
}
