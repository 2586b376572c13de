/* What stands behind the public handles. */
#ifndef PARE_API_API_H
#define PARE_API_API_H

#include "base/context.h"
#include "pare/pare.h"
#include "search/search.h"
#include "tensor/npy.h"

#include <stdatomic.h>

struct pare_context {
    struct context base; /* its callbacks are adaptors over those below; base.user is this context */
    atomic_bool cancelled;
    void (*report)(void *user, const struct pare_progress *progress);
    void *report_user;
    void (*warn)(void *user, const char *message);
    void *warn_user;
};

/* Declared preprocessing as it was given; NULL: not given. */
struct preprocess_texts {
    char *scale, *mean, *std, *layout;
};

struct pare_settings {
    char *data, *calib, *test, *reference; /* NULL: not given */
    struct preprocess_texts preprocess_texts;
    bool preprocess, all_values;
    bool metric_given;
    struct search_options search; /* journal_path stays NULL here */
};

struct pare_tensors {
    struct arena arena;
    struct tensor_set set; /* arrays on the heap, names and data in the arena */
    size_t capacity;
};

/* The settings' defaults; what pare_run uses when it gets no settings. */
void settings_init(struct pare_settings *s);

/* Appends a tensor whose data live in set->arena, or outlive the set. The name is copied. */
enum pare_status tensors_append(struct context *ctx, struct pare_tensors *set, const char *name,
                                const struct tensor *t);

#endif
