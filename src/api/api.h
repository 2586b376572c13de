/* What stands behind the public handles. */
#ifndef PARE_API_API_H
#define PARE_API_API_H

#include "api/input_shape.h"
#include "base/context.h"
#include "pare/pare.h"
#include "search/search.h"
#include "tensor/npy.h"
#include "tensor/preprocess.h"

#include <stdatomic.h>

struct pare_context {
    struct context base; /* its callbacks are adaptors over those below; base.user is this context */
    atomic_bool cancelled;
    void (*report)(void *user, const struct pare_progress *progress);
    void *report_user;
    void (*warn)(void *user, const char *message);
    void *warn_user;
};

enum export_target { EXPORT_C, EXPORT_PARE, EXPORT_QDQ, EXPORT_QONNX, EXPORT_INTEGER };

struct pare_settings {
    char *data, *calib, *test, *reference; /* NULL: not given */
    struct preprocess declared;            /* what the user declared of the preprocessing */
    bool preprocess_declared;
    bool preprocess, all_values;
    struct input_shape *input_shapes; /* in the order given */
    int opset;                        /* of what is written; 0: the usual one */
    bool metric_given, max_drop_given;
    char *python;              /* of pare_verify; NULL: python3 */
    char *widths;              /* of pare_quantize: a report.json; NULL: they are searched for */
    char *model;               /* of pare_pick: the float network; NULL: where the report says */
    enum export_target target; /* of pare_export, and the next three */
    char name[33];             /* in C */
    size_t samples;
    struct pick pick;             /* `limits`, `end` and `points` stay 0 */
    struct search_options search; /* journal_path stays NULL here */
    bool has_bits;
    bool has_input_bits; /* search.input_widths does not follow search.widths */
};

struct pare_tensors {
    struct arena arena;
    struct tensor_set set; /* arrays on the heap, names and data in the arena */
    size_t capacity;
};

struct pare_report {
    struct buffer text, json; /* each ended by a NUL */
};

/* Both zero-terminated once the report is complete; PARE_ERROR_MEMORY when a buffer failed. */
enum pare_status report_new(struct context *ctx, struct pare_report **out);
enum pare_status report_finish(struct context *ctx, struct pare_report *report);

/* The settings' defaults; what pare_run uses when it gets no settings. */
void settings_init(struct pare_settings *s);
bool settings_have_limits(const struct pare_settings *s);

/* pare_tensors_new on the library's own context. */
enum pare_status tensors_new(struct context *ctx, struct pare_tensors **out);
/* Appends a tensor whose data live in set->arena, or outlive the set. The name is copied. */
enum pare_status tensors_append(struct context *ctx, struct pare_tensors *set, const char *name,
                                const struct tensor *t);

#endif
