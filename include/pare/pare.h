/* The public interface of pare: trained ONNX networks in fixed point.
 *
 *   context ──▶ network (float ONNX, rewritten ONNX or .pare) ──▶ inspect, run, evaluate, quantize
 *                  settings and tensors go in, tensors and reports come out
 *
 * Every call that can fail takes a context and returns enum pare_status; pare_message() then says where the
 * trouble is and what helps. An out-parameter is set to NULL on failure unless its comment says otherwise, and
 * belongs to the caller on success, who frees it with the function of its type (all of them accept NULL).
 * A context serves one thread at a time; pare_cancel() alone may be called from anywhere. */
#ifndef PARE_PARE_H
#define PARE_PARE_H

#include "pare/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PARE_API __attribute__((visibility("default")))
#else
#define PARE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

PARE_API const char *pare_version(void); /* "major.minor.patch" */

/* ---- context ---- */

struct pare_context;

/* Uses one thread per online processor, at most 64, until told otherwise. NULL when out of memory. */
PARE_API struct pare_context *pare_context_new(void);
PARE_API void pare_context_free(struct pare_context *context);

/* The number of threads never changes a result. PARE_ERROR_USAGE unless 1..1024. These threads are pare's own: OpenBLAS
 * is told to use one in each of them, by openblas_set_num_threads(1), which holds for the whole process and stays so
 * after the call. A program that uses OpenBLAS itself sets its number again. */
PARE_API enum pare_status pare_set_threads(struct pare_context *context, int threads);

/* What went wrong in the last failed call: "place: what; the way out". Valid until the next call; never NULL. */
PARE_API const char *pare_message(const struct pare_context *context);

/* Asks the call that runs on this context to stop soon, with PARE_ERROR_INTERRUPTED. Async-signal-safe. Stays in force
 * until pare_cancel_clear(). */
PARE_API void pare_cancel(struct pare_context *context);
PARE_API void pare_cancel_clear(struct pare_context *context);

struct pare_progress {
    const char *phase;
    size_t done, total;  /* steps of the phase; total 0: unknown */
    const char *note;    /* the best point so far, or NULL */
    double seconds_left; /* negative: unknown */
};

/* Both are called during a call into the library, one at a time, maybe on one of its worker threads. They hold a lock:
 * from inside them nothing of this library may be called, on any context, but pare_cancel(). NULL: none. */
PARE_API void pare_on_progress(struct pare_context *context,
                               void (*report)(void *user, const struct pare_progress *progress), void *user);
PARE_API void pare_on_warning(struct pare_context *context, void (*warn)(void *user, const char *message), void *user);

/* ---- settings ----
 *
 * name         value                        used by                  default
 *
 * data         PATH                         quantize, evaluate       (required)
 *                                           clean, export, verify    none
 * calib        PATH                         quantize                 some of the search samples
 * test         PATH                         quantize                 a part of `data`, by seed
 * max-drop     1% (relative), 0.5pt         quantize                 1%, none with limits (*-max)
 * metric       top1, top5, agreement, sqnr  quantize                 top1; agreement without labels
 * bits         8, or 2..8, or 2,4,8         quantize                 2..8
 * weight-bits, activation-bits, input-bits  quantize                 as bits; inputs 2..12, or as
 *              as bits, of these alone                               bits where given
 * widths       PATH of a report.json        quantize                 searched for
 * keep-channels  true, false                quantize                 false
 * cost         memory, multiplication,      quantize                 balanced
 *              bitops, balanced
 * seed         integer, 0 .. 2^53           quantize, export         0
 * confidence   0.5 < P < 1                  quantize                 0.95
 * resume       true, false                  quantize                 false
 * time-limit   seconds, or 90s, 5m, 2h      quantize                 none
 * memory-max, flash-max, ram-max            quantize, pick           none
 *              65536, 64KB, 1.5MB
 * bitops-max   250M, 1G                     quantize, pick           none
 * point        number, from 1 on            pick                     none
 * drop-max     as max-drop                  pick                     none
 * model        PATH                         pick                     where the report says
 * reference    PATH of a float ONNX         evaluate                 none
 * opset        7 .. 25                      clean, export            21
 * input-shape  NAME=1,3,48,192, repeatable  whatever opens an ONNX   none
 * to           c, pare, qdq, qonnx, integer export                   c
 * name         lower-case C identifier      export                   model
 * pack         size, speed                  export                   as the file has it
 * samples      number, 1 .. 1000            export, verify           4
 * python       PROGRAM                      verify                   python3
 * scale        number, or 1/255             quantize, evaluate,      none
 *                                           run, export, verify, clean
 * mean, std    one number, or per channel   the same                 none
 * layout       nchw, nhwc                   the same                 as the data have it
 * preprocess   true, false                  run                      false
 * all-values   true, false                  run                      false
 *
 * max-drop is above 0 and at most 100; with time-limit the best point so far is taken; a KB has 1024 bytes. In
 * input-shape the name may go where there is one input, and a word instead of a number leaves a dimension open; layout
 * is what the model wants. Preprocessing is x * scale, - mean, / std; run applies it when it is declared, or
 * `preprocess` is on. A network that pare wrote carries the one it was made with, which serves where the settings
 * declare none. */
struct pare_settings;

PARE_API enum pare_status pare_settings_new(struct pare_context *context, struct pare_settings **out);
PARE_API void pare_settings_free(struct pare_settings *settings);
/* PARE_ERROR_USAGE on an unknown name or a value that does not fit it. The strings are copied. */
PARE_API enum pare_status pare_settings_set(struct pare_context *context, struct pare_settings *settings,
                                            const char *name, const char *value);

/* ---- networks ---- */

enum pare_network_kind {
    PARE_NETWORK_FLOAT,     /* an ONNX file without QuantizeLinear */
    PARE_NETWORK_REWRITTEN, /* an ONNX file with QuantizeLinear and DequantizeLinear */
    PARE_NETWORK_COMPACT    /* a .pare file */
};

struct pare_network;

/* Opens a file of any kind, told apart by content. Nothing is executed. */
PARE_API enum pare_status pare_network_open(struct pare_context *context, const char *path, struct pare_network **out);
/* The same with open dimensions of its inputs fixed by the setting `input-shape`; `settings` may be NULL.
 * PARE_ERROR_USAGE where the model has no such input, or fixes another size itself. */
PARE_API enum pare_status pare_network_open_with(struct pare_context *context, const char *path,
                                                 const struct pare_settings *settings, struct pare_network **out);
PARE_API void pare_network_free(struct pare_network *network);
PARE_API enum pare_network_kind pare_network_kind(const struct pare_network *network);

/* ---- tensors ---- */

/* The numbers of ONNX TensorProto.DataType. */
enum pare_type {
    PARE_TYPE_FLOAT32 = 1,
    PARE_TYPE_UINT8 = 2,
    PARE_TYPE_INT8 = 3,
    PARE_TYPE_UINT16 = 4,
    PARE_TYPE_INT16 = 5,
    PARE_TYPE_INT32 = 6,
    PARE_TYPE_INT64 = 7,
    PARE_TYPE_BOOL = 9,
    PARE_TYPE_FLOAT16 = 10,
    PARE_TYPE_FLOAT64 = 11,
    PARE_TYPE_UINT32 = 12,
    PARE_TYPE_UINT64 = 13
};

/* Dense, row-major, native byte order. As a result it is a view into its set. */
struct pare_tensor {
    const char *name;
    enum pare_type type;
    int rank;            /* 0..8 */
    const int64_t *dims; /* rank entries */
    const void *data;
};

/* Named tensors in an order. */
struct pare_tensors;

PARE_API enum pare_status pare_tensors_new(struct pare_context *context, struct pare_tensors **out);
PARE_API void pare_tensors_free(struct pare_tensors *tensors);
PARE_API size_t pare_tensors_count(const struct pare_tensors *tensors);
/* Tensor `index` (below the count) as a view, valid while the set is neither changed nor freed. */
PARE_API struct pare_tensor pare_tensors_get(const struct pare_tensors *tensors, size_t index);
/* Appends a copy. PARE_ERROR_USAGE on a name that is already there or an impossible shape. */
PARE_API enum pare_status pare_tensors_add(struct pare_context *context, struct pare_tensors *tensors,
                                           const struct pare_tensor *tensor);
/* Appends what `source` names: X.npy (the network's only input), NAME=X.npy, X.npz (arrays named like the inputs),
 * or a folder with input_0.pb, input_1.pb, ... */
PARE_API enum pare_status pare_tensors_read(struct pare_context *context, struct pare_tensors *tensors,
                                            const struct pare_network *network, const char *source);
/* Writes an .npz, beside and renamed. */
PARE_API enum pare_status pare_tensors_write(struct pare_context *context, const struct pare_tensors *tensors,
                                             const char *path);

/* ---- reports ---- */

/* What a command found out: text for people and for programs, from one description. */
struct pare_report;

PARE_API void pare_report_free(struct pare_report *report);
/* Both belong to the report; "" when out of memory. JSON has sorted keys; that of quantize is report.json. */
PARE_API const char *pare_report_text(struct pare_report *report);
PARE_API const char *pare_report_json(struct pare_report *report);

/* ---- what pare does ---- */

/* Layers with shapes, parameters and multiply-accumulates, and formats where the network has them. */
PARE_API enum pare_status pare_inspect(struct pare_context *context, const struct pare_network *network,
                                       struct pare_report **out);

enum pare_verdict {
    PARE_VERDICT_FINE,
    PARE_VERDICT_REMARKS, /* it works, and something is worth knowing */
    PARE_VERDICT_UNUSABLE
};

/* Looks over an ONNX file before anything is done with it: everything that stands in the way at once, what would be
 * quantised, what stays in float and why, and what each layer costs. It needs no sane weights. `settings` may be NULL.
 * The report is there for every verdict; the call fails only where the file is no model at all. */
PARE_API enum pare_status pare_check(struct pare_context *context, const char *path,
                                     const struct pare_settings *settings, enum pare_verdict *verdict,
                                     struct pare_report **out);

/* Runs the rewrites on an ONNX model and writes it to OUTPUT, at the setting `opset`. After each rewrite the outputs
 * are compared with those before all of them, on made-up inputs and, with the setting `data`, on up to 8 samples of it;
 * one that changes them is undone, with a warning. `settings` may be NULL. PARE_ERROR_UNSUPPORTED where the opset has
 * no words for the network. */
PARE_API enum pare_status pare_clean(struct pare_context *context, const char *path,
                                     const struct pare_settings *settings, const char *output,
                                     struct pare_report **out);

/* Where the activations of the integer program lie in memory and how long they live, the bytes that each operator
 * needs, and the least that any plan needs. PARE_ERROR_INPUT for a network that runs in float. */
PARE_API enum pare_status pare_inspect_memory(struct pare_context *context, const struct pare_network *network,
                                              struct pare_report **out);

/* Runs the network on `inputs` as the model wants them (other widths of floats are converted), or preprocessed first
 * when preprocessing is declared or the setting `preprocess` is on. Where the model fixes a batch or leaves it open,
 * any number of samples may be given; outputs are joined along the first axis. With `all-values` every quantised value
 * follows the outputs, as integers under its ONNX name: PARE_ERROR_USAGE where the network runs in float. `settings`
 * may be NULL. */
PARE_API enum pare_status pare_run(struct pare_context *context, const struct pare_network *network,
                                   const struct pare_settings *settings, const struct pare_tensors *inputs,
                                   struct pare_tensors **outputs);

/* Runs the network on the setting `data`: accuracy where the data have labels, agreement and signal to quantisation
 * noise where the setting `reference` names a float network. `predictions` may be NULL; else it receives `predicted`
 * (int64 [samples]) and every output, stacked over the samples. */
PARE_API enum pare_status pare_evaluate(struct pare_context *context, const struct pare_network *network,
                                        const struct pare_settings *settings, struct pare_tensors **predictions,
                                        struct pare_report **out);

/* Searches formats for a float network and writes FOLDER/model.onnx, FOLDER/model.pare and FOLDER/report.json, each
 * beside and renamed. `out` is also set with PARE_ERROR_BOUND and PARE_ERROR_INTERRUPTED when there is a point to
 * report, which is then what was written. */
PARE_API enum pare_status pare_quantize(struct pare_context *context, const struct pare_network *network,
                                        const struct pare_settings *settings, const char *folder,
                                        struct pare_report **out);

/* Writes another point of a search that pare_quantize left in FOLDER, into OUTPUT (NULL: into FOLDER), without a new
 * search: the journal in FOLDER is followed again, and only the point that is taken is measured on the held-out
 * samples. The setting `point` gives its number in report.json (search.pareto); else the cheapest is taken that
 * promises `drop-max`, or without one the most accurate, that keeps `memory-max` (the paper's), `flash-max`, `ram-max`
 * and `bitops-max`. Model and data are read from where report.json says, or from `model`, `data`, `calib` and `test`,
 * and must be the same. PARE_ERROR_USAGE and PARE_ERROR_BOUND without a report where no point is the one wanted:
 * nothing is written then. Otherwise as pare_quantize, about the bound of `drop-max`, else of the search. */
PARE_API enum pare_status pare_pick(struct pare_context *context, const struct pare_settings *settings,
                                    const char *folder, const char *output, struct pare_report **out);

/* Writes a .pare file for a device. With the setting `to` at `c`, OUTPUT becomes a folder that compiles as it is: the
 * model as a C array, the runtime as far as the model needs it, a header with its sizes and formats, a Makefile and a
 * test of `samples` samples (from `data`, preprocessed as pare_run does, or random codes from `seed`) with the codes
 * that they must give; `name` stands in its files, macros and array. The folder is written beside and renamed:
 * PARE_ERROR_USAGE where it exists and is not empty. At `pare` it becomes a .pare file without names and metadata.
 * `pack` stores the weights anew; the codes stay the same. PARE_ERROR_USAGE where OUTPUT is the network's own file.
 * `settings` may be NULL. The report tells the sizes. */
PARE_API enum pare_status pare_export(struct pare_context *context, const struct pare_network *network,
                                      const struct pare_settings *settings, const char *output,
                                      struct pare_report **out);

/* Runs what pare_quantize wrote into FOLDER, on the samples that it left there or on `samples` of the setting `data`:
 * with the kernels of the runtime, with those of the host, and model.onnx in float and, where `python` has it, in ONNX
 * Runtime, started as a process of its own. Compares every quantised value, and the stored hashes. With a report,
 * PARE_ERROR_INTERNAL where codes differ that must be equal, and PARE_ERROR_BOUND where only those of a float runtime
 * do, in layers whose sums or functions float32 may round otherwise. `settings` may be NULL. */
PARE_API enum pare_status pare_verify(struct pare_context *context, const struct pare_settings *settings,
                                      const char *folder, struct pare_report **out);

#ifdef __cplusplus
}
#endif

#endif
