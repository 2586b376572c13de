#include "search/interval.h"

#include <math.h>

double paired_drop(const struct paired *p) {
    return ((double)p->lost - (double)p->won) / (double)p->samples;
}

double normal_quantile(double p) {
    double low = -9, high = 9;
    for (int i = 0; i < 60; i++) { /* bisection of the distribution function: slow, short, and exact enough */
        double middle = (low + high) / 2;
        if (0.5 * erfc(-middle / sqrt(2)) < p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

/* Centre and standard error after one success is added to either discordant cell. */
static void adjusted(const struct paired *p, double *centre, double *error) {
    double n = (double)p->samples + 2;
    double lost = ((double)p->lost + 1) / n, won = ((double)p->won + 1) / n;
    *centre = lost - won;
    *error = sqrt((lost + won - *centre * *centre) / n);
}

void paired_interval(const struct paired *p, double confidence, double interval[2]) {
    double centre = 0, error = 0;
    adjusted(p, &centre, &error);
    double z = normal_quantile(0.5 + confidence / 2);
    interval[0] = fmax(-1, centre - z * error);
    interval[1] = fmin(1, centre + z * error);
}

double paired_error_under(const struct paired *p, double drop) {
    double n = (double)p->samples + 2, discordant = fmax(((double)p->lost + (double)p->won + 2) / n, drop);
    return sqrt(fmax(discordant - drop * drop, 0) / n);
}

double paired_upper_limit(const struct paired *p, double confidence) {
    double centre = 0, error = 0;
    adjusted(p, &centre, &error);
    return fmin(1, centre + normal_quantile(confidence) * error);
}

double paired_error(const struct paired *p) {
    double centre = 0, error = 0;
    adjusted(p, &centre, &error);
    return error;
}

void fallback_begin(struct fallback *f, double level, const double *shares, size_t tests) {
    *f = (struct fallback){.level = level, .shares = shares};
    for (size_t i = 0; i < tests; i++) { /* as go_on adds them, so that the last sum is the total exactly */
        f->total += shares[i];
    }
}

double fallback_level(const struct fallback *f) {
    return f->level * ((f->handed_on + f->shares[f->next]) / f->total);
}

void fallback_go_on(struct fallback *f, bool rejected) {
    f->handed_on = rejected ? f->handed_on + f->shares[f->next] : 0;
    f->next++;
}
