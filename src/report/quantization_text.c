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

static void print_claim(const struct accuracy *a, const struct search_options *o, struct buffer *out) {
    if (a->metric != METRIC_SQNR) {
        write_format(out,
                     "\ndrop: %.2f points, %.2f %% of the float accuracy; %g %% interval %.2f to %.2f points; "
                     "%zu discordant samples\n",
                     a->drop_points, 100 * a->drop_relative, 100 * a->confidence, a->interval_points[0],
                     a->interval_points[1], a->discordant);
    }
    const char *unit = a->metric == METRIC_SQNR ? " % of noise" : o->max_drop_relative ? " %" : " points";
    write_format(out, "bound of %g%s: %s%s\n", 100 * o->max_drop, unit,
                 a->bound_held ? "held" : "NOT held: ", a->bound_held || a->reason == NULL ? "" : a->reason);
}

static void cost_row(struct table *t, const char *title, uint64_t chosen, uint64_t at_8_bits) {
    table_cell(t, "%s", title);
    table_cell(t, "%s", grouped_number(t->arena, at_8_bits));
    table_cell(t, "%s", grouped_number(t->arena, chosen));
    if (at_8_bits > 0) {
        table_cell(t, "%.2f %%", 100 * (1 - (double)chosen / (double)at_8_bits));
    } else {
        table_cell(t, "%s", "");
    }
}

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
}

enum pare_status quantization_text(struct context *ctx, const struct quantization *q, struct buffer *out) {
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = inspected_layers_text(ctx, q->layers, out);
    write_format(out, "\n");
    print_accuracy(&arena, &q->result->accuracy, out);
    print_claim(&q->result->accuracy, q->options, out);
    write_format(out, "\n");
    print_cost(&arena, q, out);
    write_format(out, "\n%zu full evaluations, %.1f s%s\nwritten to %s: model.onnx%s, report.json\n",
                 q->result->full_evaluations, q->result->seconds, q->result->interrupted ? ", interrupted" : "",
                 q->folder, q->compact.name != NULL ? ", model.pare" : "");
    arena_free(&arena);
    if (status == PARE_OK && out->failed) {
        return fail_memory(ctx);
    }
    return status;
}
