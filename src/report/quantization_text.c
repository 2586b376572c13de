/* What `quantize` prints. */
#include "report/quantization.h"
#include "report/table.h"

#include <math.h>

static void accuracy_row(struct table *t, const struct accuracy *a, const char *title, size_t samples, double in_float,
                         double quantized) {
    table_cell(t, "%s", title);
    table_cell(t, "%s", grouped_number(t->arena, samples));
    if (a->metric == METRIC_SQNR) {
        table_cell(t, "%s", "");
        table_cell(t, "%.2f dB", 10 * log10(quantized));
    } else {
        table_cell(t, "%.2f %%", 100 * in_float);
        table_cell(t, "%.2f %%", 100 * quantized);
    }
}

static void print_accuracy(struct arena *arena, const struct accuracy *a, struct buffer *out) {
    struct table t;
    table_init(&t, arena);
    table_column(&t, metric_name(a->metric), false);
    table_column(&t, "samples", true);
    table_column(&t, "float", true);
    table_column(&t, "fixed point", true);
    accuracy_row(&t, a, "search", a->search_samples, a->float_search, a->quantized_search);
    accuracy_row(&t, a, "held out", a->held_out_samples, a->float_held_out, a->quantized_held_out);
    table_print(&t, out);
}

/* What a metric without labels is, and what its bound limits. */
static void print_meaning(const struct accuracy *a, struct buffer *out) {
    if (a->metric == METRIC_AGREEMENT) {
        write_format(
            out, "\nagreement: samples for which both networks predict the same class; the drop counts the others\n");
    } else if (a->metric == METRIC_SQNR) {
        write_format(out, "\nsqnr: power of the float outputs over that of their error; the bound limits the error\n");
    }
}

static void print_drop(const struct accuracy *a, struct buffer *out) {
    write_format(out,
                 "\ndrop: %.2f points, %.2f %% of the float accuracy; %.4g %% interval %.2f to %.2f points; "
                 "%zu discordant sample%s (only one of the two networks is right)\n",
                 a->drop_points, 100 * a->drop_relative, 100 * a->confidence, a->interval_points[0],
                 a->interval_points[1], a->discordant, a->discordant == 1 ? "" : "s");
}

/* The bound as it was given, and what it comes to. */
static void print_limit(const struct accuracy *a, struct buffer *out) {
    write_format(out, "bound of %g", 100 * a->max_drop);
    if (a->metric == METRIC_SQNR) {
        write_format(out, " %% of noise (%.2f dB)", -10 * log10(a->max_drop));
    } else if (a->max_drop_relative) {
        write_format(out, " %% (%.2f points)", a->bound_points);
    } else {
        write_format(out, " points");
    }
}

/* "bound of 1 % (0.91 points): held (drop 0.20; twice the bound is excluded at 95 % confidence)" */
static void print_bound(const struct accuracy *a, struct buffer *out) {
    print_limit(a, out);
    if (!a->bound_held) {
        write_format(out, ": NOT held: %s\n", a->reason != NULL ? a->reason : "");
    } else if (a->metric == METRIC_SQNR) {
        write_format(out, ": held\n");
    } else {
        write_format(out, ": held (drop %.2f; twice the bound is excluded at %.4g %% confidence)\n", a->drop_points,
                     100 * a->confidence);
    }
}

static void print_claim(const struct accuracy *a, struct buffer *out) {
    print_meaning(a, out);
    if (a->metric != METRIC_SQNR) {
        print_drop(a, out);
    }
    if (!isinf(a->max_drop)) {
        print_bound(a, out);
    }
}

/* What was not measured at 8 bits, because 8 is not among the widths, is 0. */
static void cost_row(struct table *t, const char *title, uint64_t chosen, uint64_t at_8_bits) {
    table_cell(t, "%s", title);
    table_cell(t, "%s", at_8_bits > 0 ? grouped_number(t->arena, at_8_bits) : "-");
    table_cell(t, "%s", grouped_number(t->arena, chosen));
    if (at_8_bits > 0) {
        table_cell(t, "%.2f %%", 100 * (1 - (double)chosen / (double)at_8_bits));
    } else {
        table_cell(t, "-");
    }
}

static void print_dropped(const struct dropped_list *dropped, struct buffer *out) {
    for (size_t i = 0; i < dropped->count; i++) {
        const struct dropped_channels *d = &dropped->items[i];
        write_format(out, "%s%s %lld of %lld",
                     i == 0 ? "channels dropped, zero on every calibration sample or made good by others: " : ", ",
                     d->name, (long long)d->dropped, (long long)d->channels);
    }
    write_format(out, dropped->count > 0 ? "\n\n" : "\n");
}

static void print_limit_kept(const char *title, uint64_t cost, uint64_t limit, struct arena *arena,
                             struct buffer *out) {
    if (limit > 0) {
        write_format(out, "limit of %s %s: %s (%s)\n", grouped_number(arena, limit), title,
                     cost <= limit ? "held" : "NOT held", grouped_number(arena, cost));
    }
}

static void print_limits(struct arena *arena, const struct quantization *q, struct buffer *out) {
    const struct limits *l = &q->options->limits;
    const struct cost *c = &q->result->cost;
    if (q->options->pick != NULL) {
        return;
    }
    print_limit_kept("bytes of flash", c->pare_bytes, l->flash_bytes, arena, out);
    print_limit_kept("bytes of RAM", c->peak_activation_bytes, l->ram_bytes, arena, out);
    print_limit_kept("bytes of memory (paper)", (c->memory_bits + 7) / 8, l->memory_bits / 8, arena, out);
    print_limit_kept("bit operations", c->bit_operations, l->bit_operations, arena, out);
    if (q->result->limits_reason != NULL) {
        write_format(out, "%s\n", q->result->limits_reason);
    }
}

#define FLOAT_BITS 32

static void print_cost(struct arena *arena, const struct quantization *q, struct buffer *out) {
    const struct cost *c = &q->result->cost;
    struct table t;
    table_init(&t, arena);
    table_column(&t, "cost", false);
    table_column(&t, "8 bits", true);
    table_column(&t, "chosen", true);
    table_column(&t, "saved", true);
    cost_row(&t, "memory, bits (paper)", c->memory_bits, c->memory_bits_8bit);
    cost_row(&t, "multiplication (paper)", c->multiplication, c->multiplication_8bit);
    cost_row(&t, "parameters, bits", c->parameter_bits, c->parameter_bits_8bit);
    if (q->compact.name != NULL) {
        cost_row(&t, ".pare file, bytes", c->pare_bytes, c->pare_bytes_8bit);
    }
    cost_row(&t, "peak activations, bytes", c->peak_activation_bytes, c->peak_activation_bytes_8bit);
    cost_row(&t, "bit operations", c->bit_operations, c->bit_operations_8bit);
    table_print(&t, out);
    write_format(
        out,
        "\npaper: weights, biases and outputs of convolution and dense layers, counted in bits (arXiv:2102.02147)\n"
        "peak activations: whole bytes in memory, which widths below 8 do not make smaller\n");
    if (q->float_parameters > 0) {
        write_format(out, "not counted: %s parameters of layers that stay in float (%s bits)\n",
                     grouped_number(arena, q->float_parameters),
                     grouped_number(arena, FLOAT_BITS * q->float_parameters));
    }
    if (q->result->dropped.count > 0) {
        write_format(out, "8 bits: of the network as given, but the file and the peak without the dropped channels\n");
    }
}

/* The points that `pick` may take. */
static void print_points(struct arena *arena, const struct quantization *q, struct buffer *out) {
    const struct search_result *r = q->result;
    struct table t;
    table_init(&t, arena);
    table_column(&t, "point", true);
    table_column(&t, "drop, points", true);
    table_column(&t, "cost", true);
    table_column(&t, "memory, bytes (paper)", true);
    table_column(&t, ".pare, bytes", true);
    table_column(&t, "peak, bytes", true);
    table_column(&t, "bit operations", true);
    table_column(&t, "", false);
    for (size_t i = 0; i < r->pareto_count; i++) {
        const struct pareto_point *p = &r->pareto[i];
        table_cell(&t, "%zu", i + 1);
        table_cell(&t, "%.2f", p->drop_points);
        table_cell(&t, "%.1f %%", 100 * p->cost);
        table_cell(&t, "%s", grouped_number(arena, (p->memory_bits + 7) / 8));
        table_cell(&t, "%s", p->pare_bytes > 0 ? grouped_number(arena, p->pare_bytes) : "-");
        table_cell(&t, "%s", grouped_number(arena, p->peak_activation_bytes));
        table_cell(&t, "%s", grouped_number(arena, p->bit_operations));
        table_cell(&t, "%s", p->chosen ? "chosen" : "");
    }
    table_print(&t, out);
    write_format(out, "\ndrop: on the search samples; cost: of that at 8 bits.%s\n",
                 q->options->given == NULL ? " Another point: pare pick --point N" : "");
}

static void print_picked(const struct search_result *r, struct buffer *out) {
    size_t point = 0;
    while (point < r->pareto_count && !r->pareto[point].chosen) {
        point++;
    }
    write_format(out, "\npicked: point %zu of %zu, without a new search, %.1f s\n", point + 1, r->pareto_count,
                 r->seconds);
}

static void print_search(const struct quantization *q, struct buffer *out) {
    const struct search_result *r = q->result;
    const char *stopped = search_end_name(r->end);
    write_format(out, "\n%zu full evaluation%s, %.1f s%s%s\n", r->full_evaluations, r->full_evaluations == 1 ? "" : "s",
                 r->seconds, stopped != NULL ? ", stopped before the end: " : "", stopped != NULL ? stopped : "");
    if (q->resumed > 0) {
        write_format(out, "resumed: %zu measurement%s taken from the journal\n", q->resumed,
                     q->resumed == 1 ? " was" : "s were");
    }
}

#define NAMED 4

/* Steps that stay in float are the usual reason. */
static void print_missing(const struct quantization *q, struct buffer *out) {
    size_t count = 0;
    for (size_t i = 0; i < q->layers->layer_count; i++) {
        const struct layer_report *l = &q->layers->layers[i].layer;
        if (l->is_float && count++ < NAMED) {
            write_format(out, "%s%s (%s)", count == 1 ? "no model.pare: these stay in float: " : ", ", l->name, l->op);
        }
    }
    if (count == 0) {
        write_format(out, "no model.pare: %s", q->no_compact);
    } else if (count > NAMED) {
        write_format(out, " and %zu more", count - NAMED);
    }
    write_format(out, "\n");
}

static void print_end(const struct quantization *q, struct buffer *out) {
    if (q->options->pick != NULL) {
        print_picked(q->result, out);
    } else {
        print_search(q, out);
    }
    if (q->requantized) {
        write_format(out, "the model was quantised already: its codes were read as numbers and quantised again\n");
    }
    write_format(out, "written to %s: model.onnx%s, report.json, and journal.jsonl (for --resume and pick)\n",
                 q->folder, q->compact.name != NULL ? ", model.pare, test_vector.npz (for verify)" : "");
    if (q->no_compact != NULL) {
        print_missing(q, out);
    }
}

enum pare_status quantization_text(struct context *ctx, const struct quantization *q, struct buffer *out) {
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = inspected_ports_text(ctx, q->layers, out);
    write_format(out, "\n");
    if (status == PARE_OK) {
        status = inspected_layers_text(ctx, q->layers, out);
    }
    print_dropped(&q->result->dropped, out);
    print_accuracy(&arena, &q->result->accuracy, out);
    print_claim(&q->result->accuracy, out);
    print_limits(&arena, q, out);
    write_format(out, "\n");
    print_cost(&arena, q, out);
    write_format(out, "\n");
    print_points(&arena, q, out);
    print_end(q, out);
    arena_free(&arena);
    if (status == PARE_OK && out->failed) {
        return fail_memory(ctx);
    }
    return status;
}
