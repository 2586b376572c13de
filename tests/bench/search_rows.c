#include "search_rows.h"

#include "report/json.h"

#include <math.h>
#include <stdio.h>

/* ---- making them ---- */

static double percent_saved(uint64_t now, uint64_t at_8) {
    return at_8 == 0 || now == 0 ? NAN : 100 * (1 - (double)now / (double)at_8);
}

static double mean_weight_bits(const struct scheme *s) {
    double bits = 0, count = 0;
    for (size_t i = 0; i < s->linear_count; i++) {
        double size = (double)s->linears[i].rows * s->linears[i].columns;
        bits += size * s->linears[i].weights->format.bits;
        count += size;
    }
    return bits / count;
}

/* Without the network's inputs, whose width is not the search's to choose alone. */
static double mean_activation_bits(const struct scheme *s) {
    double bits = 0, count = 0;
    for (size_t i = 0; i < s->point_count; i++) {
        double size = s->points[i].node == NULL ? 0 : (double)s->points[i].count;
        bits += size * s->points[i].format.bits;
        count += size;
    }
    return bits / count;
}

struct row row_published(const struct bench_network *n) {
    const struct published *p = n->published;
    return (struct row){.network = n->name,
                        .method = "paper, published",
                        .memory = p->memory,
                        .multiplication = p->multiplication,
                        .file = NAN,
                        .bit_operations = NAN,
                        .weight_bits = p->weight_bits,
                        .activation_bits = p->activation_bits,
                        .drop_points = NAN,
                        .drop_percent = NAN,
                        .interval_points = {NAN, NAN},
                        .divergence = NAN,
                        .evaluations = p->evaluations,
                        .seconds = 60.0 * p->minutes,
                        .processor_seconds = NAN,
                        .note = "no held-out samples; BatchNormalization and input in float"};
}

struct row row_recomputed(const struct bench_network *n) {
    struct row row = row_published(n);
    row.method = "paper, recomputed";
    row.memory = n->published->memory_recomputed;
    row.multiplication = n->published->multiplication_recomputed;
    row.note = "each layer's widths with its own sizes";
    return row;
}

static const char *note_of(const struct accuracy *a) {
    bool within = a->drop_points <= a->bound_points;
    return a->bound_held ? NULL : within ? "too few samples to tell" : "bound not held";
}

struct row row_measured(const struct bench_network *n, const char *method, const struct search_result *r) {
    const struct cost *c = &r->cost;
    return (struct row){.network = n->name,
                        .method = method,
                        .memory = percent_saved(c->memory_bits, c->memory_bits_8bit),
                        .multiplication = percent_saved(c->multiplication, c->multiplication_8bit),
                        .file = percent_saved(c->pare_bytes, c->pare_bytes_8bit),
                        .bit_operations = percent_saved(c->bit_operations, c->bit_operations_8bit),
                        .weight_bits = mean_weight_bits(r->scheme),
                        .activation_bits = mean_activation_bits(r->scheme),
                        .drop_points = r->accuracy.drop_points,
                        .drop_percent = 100 * r->accuracy.drop_relative,
                        .interval_points = {r->accuracy.interval_points[0], r->accuracy.interval_points[1]},
                        .divergence = r->accuracy.divergence_held_out,
                        .evaluations = (double)r->full_evaluations,
                        .seconds = r->seconds,
                        .processor_seconds = NAN,
                        .note = note_of(&r->accuracy)};
}

/* ---- printing them ---- */

static void print_number(const char *format, double v) {
    if (isnan(v)) {
        printf(" – |");
    } else {
        printf(format, v);
    }
}

static void print_interval(const double interval[2]) {
    if (!isnan(interval[0])) {
        printf(" (%.2f to %.2f) |", interval[0], interval[1]);
    }
}

void rows_print_title(void) {
    printf("| network | | memory %% | multiplications %% | .pare file %% | bit operations %% | mean bits, weights | "
           "activations | drop, points (interval) | drop, %% | divergence | full evaluations | seconds | of processors "
           "| note |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
}

void row_print(const struct row *row) {
    printf("| %s | %s |", row->network, row->method);
    print_number(" %.1f |", row->memory);
    print_number(" %.1f |", row->multiplication);
    print_number(" %.1f |", row->file);
    print_number(" %.1f |", row->bit_operations);
    print_number(" %.2f |", row->weight_bits);
    print_number(" %.2f |", row->activation_bits);
    print_number(" %.2f", row->drop_points);
    print_interval(row->interval_points);
    print_number(" %.2f |", row->drop_percent);
    print_number(" %.5f |", row->divergence);
    print_number(" %.0f |", row->evaluations);
    print_number(" %.0f |", row->seconds);
    print_number(" %.0f |", row->processor_seconds);
    printf(" %s |\n", row->note != NULL ? row->note : "");
    fflush(stdout);
}

static json_t *json_row(struct json_builder *b, const struct row *row) {
    json_t *o = json_object();
    json_put(b, o, "network", json_text(row->network));
    json_put(b, o, "method", json_text(row->method));
    json_put(b, o, "memory_reduction_percent", json_number(row->memory));
    json_put(b, o, "multiplication_reduction_percent", json_number(row->multiplication));
    json_put(b, o, "file_reduction_percent", json_number(row->file));
    json_put(b, o, "bit_operations_reduction_percent", json_number(row->bit_operations));
    json_put(b, o, "mean_weight_bits", json_number(row->weight_bits));
    json_put(b, o, "mean_activation_bits", json_number(row->activation_bits));
    json_put(b, o, "drop_points", json_number(row->drop_points));
    json_put(b, o, "drop_percent", json_number(row->drop_percent));
    json_put(b, o, "drop_points_from", json_number(row->interval_points[0]));
    json_put(b, o, "drop_points_to", json_number(row->interval_points[1]));
    json_put(b, o, "divergence", json_number(row->divergence));
    json_put(b, o, "full_evaluations", json_number(row->evaluations));
    json_put(b, o, "seconds", json_number(row->seconds));
    json_put(b, o, "processor_seconds", json_number(row->processor_seconds));
    json_put(b, o, "note", json_text(row->note));
    return o;
}

enum pare_status rows_print_json(struct context *ctx, const struct row *rows, size_t count, int threads) {
    struct json_builder b = {0};
    struct buffer text;
    json_t *list = json_array(), *root = json_object();
    for (size_t i = 0; i < count; i++) {
        json_add(&b, list, json_row(&b, &rows[i]));
    }
    json_put(&b, root, "threads", json_count((uint64_t)threads));
    json_put(&b, root, "rows", list);
    buffer_init(&text);
    enum pare_status status = json_finish(ctx, &b, root, &text);
    if (status == PARE_OK) {
        fwrite(text.data, 1, text.size, stdout);
    }
    buffer_free(&text);
    return status;
}
