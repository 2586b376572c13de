/* The folder that quantize writes to: made when the input is known to be good, taken back where nothing came of it. */
#include "api/quantize.h"
#include "base/file.h"

#include <unistd.h>

/* The journal's lines but for the first, which says what it belongs to. */
static enum pare_status count_measurements(struct context *ctx, const char *path, size_t *count) {
    struct file_map map;
    size_t lines = 0;
    TRY(file_map(ctx, path, &map));
    for (size_t i = 0; i < map.size; i++) {
        lines += ((const char *)map.data)[i] == '\n';
    }
    file_unmap(&map);
    *count = lines > 0 ? lines - 1 : 0;
    return PARE_OK;
}

static enum pare_status look_at_journal(struct context *ctx, struct quantize_job *job) {
    const char *path = job->options.journal_path;
    if (job->options.resume && file_exists(path)) {
        return count_measurements(ctx, path, &job->report.resumed);
    }
    if (job->options.resume) {
        context_warn(ctx, "%s: there is no such journal, so there is nothing to resume: the search begins anew", path);
    }
    return PARE_OK;
}

/* The journal of a repeated search goes along with what is made of it. */
static enum pare_status take_journal(struct context *ctx, struct quantize_job *job) {
    struct file_map map;
    const char *path = arena_format(&job->arena, "%s/journal.jsonl", job->replay->folder);
    if (path == NULL) {
        return fail_memory(ctx);
    }
    TRY(file_map(ctx, path, &map));
    enum pare_status status = file_write(ctx, job->options.journal_path, map.data, map.size);
    file_unmap(&map);
    job->options.resume = true;
    return status;
}

enum pare_status output_folder_open(struct context *ctx, struct quantize_job *job) {
    job->options.journal_path = arena_format(&job->arena, "%s/journal.jsonl", job->folder);
    if (job->options.journal_path == NULL) {
        return fail_memory(ctx);
    }
    job->folder_is_new = !file_exists(job->folder);
    TRY(file_make_directory(ctx, job->folder));
    return job->replay != NULL ? take_journal(ctx, job) : look_at_journal(ctx, job);
}

/* A copy, or nothing was measured. */
static bool is_worthless(struct context *ctx, const struct quantize_job *job) {
    size_t count = 0;
    struct diag found = ctx->diag;
    bool known = job->replay == NULL && count_measurements(ctx, job->options.journal_path, &count) == PARE_OK;
    ctx->diag = found;
    return job->replay != NULL || (known && count == 0);
}

void output_folder_abandon(struct context *ctx, const struct quantize_job *job) {
    if (job->folder_is_new) {
        if (is_worthless(ctx, job)) {
            unlink(job->options.journal_path);
        }
        rmdir(job->folder); /* refuses where anything lies in it */
    }
}
