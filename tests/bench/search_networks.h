/* The networks that bench_search knows: files, what their inputs want, and what was published about them. */
#ifndef PARE_BENCH_SEARCH_NETWORKS_H
#define PARE_BENCH_SEARCH_NETWORKS_H

#include <stddef.h>

/* Goyal, Vanschoren, van Acht and Nijssen, arXiv:2102.02147 (2021): against 8 bits everywhere, within 1 % of the float
 * accuracy, relative, on the samples that were searched on. */
struct published {
    double memory, multiplication;                       /* reductions in % */
    double memory_recomputed, multiplication_recomputed; /* each layer's widths with its own sizes; 0: the same */
    double weight_bits, activation_bits;
    int evaluations, minutes;
};

struct bench_network {
    const char *name;
    const char *model, *data, *calibration;  /* below the folder; the last may be NULL */
    const char *scale, *mean, *std, *layout; /* settings, or NULL */
    const struct published *published;       /* or NULL */
};

extern const struct bench_network bench_networks[];
extern const size_t bench_network_count;

#endif
