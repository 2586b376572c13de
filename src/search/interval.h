/* Statistics of paired right/wrong outcomes. */
#ifndef PARE_SEARCH_INTERVAL_H
#define PARE_SEARCH_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

/* Samples on which only the float network is right, and on which only the quantised one is. */
struct paired {
    size_t samples, lost, won;
};

double paired_drop(const struct paired *p); /* fraction of the samples */

/* Adjusted Wald interval for the difference of paired proportions: Bonett and Price, "Adjusted Wald confidence interval
 * for a difference of binomial proportions based on paired data", J. Educ. Behav. Stat. 37(4), 2012. */
void paired_interval(const struct paired *p, double confidence, double interval[2]);
/* Its standard error. */
double paired_error(const struct paired *p);
/* The standard error if the true drop were `drop`, when at least so many are discordant: for tests of that hypothesis
 * far out in the tail, where few discordant samples would otherwise vouch for themselves. */
double paired_error_under(const struct paired *p, double drop);
/* The one-sided upper limit at `confidence` by the same formula. */
double paired_upper_limit(const struct paired *p, double confidence);

/* Quantile of the standard normal distribution, for 0 < p < 1, to 1e-9. */
double normal_quantile(double p);

/* Levels for tests of several hypotheses in a fixed order by the fallback procedure (Wiens and Dmitrienko 2005, section
 * 2): each has a share of the level, and what it was tested at is handed on to the next one when it is rejected. The
 * chance that any true hypothesis is rejected stays below the level, however the tests depend on each other. */
struct fallback {
    const double *shares;
    size_t next;
    double level, total, handed_on; /* the last two: shares before they are scaled to the level */
};

/* `shares` [tests], in the order of the tests and positive, must not depend on their results, and outlive the struct.
 */
void fallback_begin(struct fallback *f, double level, const double *shares, size_t tests);
/* Level of the next test: all of it after nothing but rejections, at the last one. */
double fallback_level(const struct fallback *f);
void fallback_go_on(struct fallback *f, bool rejected);

#endif
