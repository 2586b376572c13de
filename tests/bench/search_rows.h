/* The rows of bench_search's table. */
#ifndef PARE_BENCH_SEARCH_ROWS_H
#define PARE_BENCH_SEARCH_ROWS_H

#include "search/search.h"
#include "search_networks.h"

/* Numbers that are not known are NAN. Reductions are percent of what 8 bits everywhere take. */
struct row {
    const char *network, *method;
    double memory, multiplication;       /* reductions, paper metrics: see struct cost */
    double file, bit_operations;         /* reductions of the .pare file, and over all operators */
    double weight_bits, activation_bits; /* means over all elements (published: over layers) */
    double drop_points, drop_percent;    /* of the samples and of the float accuracy, on held-out samples */
    double interval_points[2];           /* of the drop, at the confidence of its test */
    double divergence;                   /* from the float network, on held-out samples */
    double evaluations, seconds;
    double processor_seconds; /* of all threads: what a busy machine does not change much */
    const char *note;         /* or NULL */
};

struct row row_published(const struct bench_network *n);  /* only where something was */
struct row row_recomputed(const struct bench_network *n); /* only where there are such figures */
struct row row_measured(const struct bench_network *n, const char *method, const struct search_result *r);

void rows_print_title(void); /* a table in Markdown */
void row_print(const struct row *row);
enum pare_status rows_print_json(struct context *ctx, const struct row *rows, size_t count, int threads);

#endif
