/* The parsers of settings, one per kind of value. */
#ifndef PARE_API_SETTINGS_H
#define PARE_API_SETTINGS_H

#include "api/api.h"

/* Sets `field` of `s`, and what else the value means, from its text. False, with or without a message of its own, when
 * the text does not fit; then nothing is changed. */
typedef bool setting_parser(struct context *ctx, struct pare_settings *s, void *field, const char *text);

/* In settings_words.c. A text's field is a heap-allocated `char *`. */
setting_parser setting_text, setting_input_shape, setting_flag, setting_metric, setting_cost, setting_target,
    setting_packing, setting_name;
/* In settings_numbers.c. */
setting_parser setting_opset, setting_max_drop, setting_pick_drop, setting_bytes, setting_memory, setting_count,
    setting_point, setting_samples, setting_seconds, setting_confidence, setting_seed, setting_bits, setting_widths,
    setting_input_bits;
/* In settings_preprocess.c. */
setting_parser setting_scale, setting_mean, setting_std, setting_layout;

#endif
