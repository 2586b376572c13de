/* One run of pare_quantize, from the float network to the files it leaves. */
#ifndef PARE_API_QUANTIZE_H
#define PARE_API_QUANTIZE_H

#include "api/data.h"
#include "report/quantization.h"

/* A search in another folder that is repeated from its journal. */
struct replay {
    const char *folder;
    uint64_t data, calibration, test; /* hashes of its samples; 0: there were none */
    struct pick pick;
};

struct quantize_job {
    const struct pare_network *network; /* as it is quantised: network_narrow */
    struct graph *narrowed;             /* the copy of its graph that this made; owned, or NULL */
    const struct pare_settings *settings;
    const char *folder;
    bool folder_is_new; /* this run made it */
    struct arena arena;
    struct graph *graph; /* the network's, rewritten in float; owned */
    struct preprocess preprocess;
    struct dataset data, calibration, test; /* the last two where the settings name them */
    struct search_options options;
    struct given_widths given;   /* where the settings name a file of them */
    const struct replay *replay; /* or NULL: a search */
    const char *metadata;        /* what the rewritten ONNX carries */
    struct search_result result; /* owned */
    struct quantization report;
};

/* Reads the data, searches (or picks) and writes. job->arena and everything that the job owns are freed. */
enum pare_status quantize_run(struct context *ctx, struct quantize_job *job, struct pare_report **out);

/* Reads a report.json, or a part of one; memory in `arena`. */
enum pare_status widths_read(struct context *ctx, struct arena *arena, const char *path, struct given_widths *out);

/* What the compact file carries: where it comes from and what it wants of its inputs; and in job->metadata, what the
 * ONNX does: the settings of the search too. `user` is the job, as search_options.describe has it. */
enum pare_status quantize_describe(void *user, struct context *ctx, const struct search_result *r, const char **out);

/* Writes model.onnx and model.pare (none where the program has parts in float, with a warning) and puts them into
 * job->report, whose other fields are set. */
enum pare_status write_networks(struct context *ctx, struct quantize_job *job);

/* Makes the folder and says where its journal is and what it holds. */
enum pare_status output_folder_open(struct context *ctx, struct quantize_job *job);
/* Removes a new folder in which nothing of worth lies. */
void output_folder_abandon(struct context *ctx, const struct quantize_job *job);

#endif
