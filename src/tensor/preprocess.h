/* The declared preprocessing of samples: x * scale, - mean, / std, and the layout that the model's input wants. */
#ifndef PARE_TENSOR_PREPROCESS_H
#define PARE_TENSOR_PREPROCESS_H

#include "base/context.h"

#include <stdbool.h>
#include <stddef.h>

#define PREPROCESS_MAX_CHANNELS 64

/* Position of the channel axis of one sample: first or last of its dimensions (any number of spatial ones). */
enum layout { LAYOUT_ANY, LAYOUT_NCHW, LAYOUT_NHWC };

struct preprocess {
    double scale;                         /* 1: none */
    size_t mean_count, std_count;         /* 0: none; 1: the same for every channel; else one per channel */
    double mean[PREPROCESS_MAX_CHANNELS]; /* subtracted after scaling */
    double std[PREPROCESS_MAX_CHANNELS];  /* divided by, last */
    enum layout layout;                   /* what the model's input wants; LAYOUT_ANY: not declared */
};

void preprocess_init(struct preprocess *p); /* changes nothing */
bool preprocess_is_identity(const struct preprocess *p);
/* PARE_ERROR_USAGE when a number is not finite in float32, a divisor is 0, or the two counts contradict each other. */
enum pare_status preprocess_check(struct context *ctx, const struct preprocess *p);

/* Texts of options, errors being PARE_ERROR_USAGE with `option` as their place. A number is decimal or a quotient of
 * two
 * ("1/255"), independent of the locale; a list has 1 to PREPROCESS_MAX_CHANNELS numbers between commas. */
enum pare_status preprocess_parse_number(struct context *ctx, const char *option, const char *text, double *out);
enum pare_status preprocess_parse_list(struct context *ctx, const char *option, const char *text,
                                       double out[PREPROCESS_MAX_CHANNELS], size_t *count);
enum pare_status preprocess_parse_layout(struct context *ctx, const char *option, const char *text, enum layout *out);
const char *layout_name(enum layout l); /* "nchw", "nhwc", "any" */

#endif
