/* A memory of measurements that survives the process: a file of lines "key values", appended as they are made.
 * Measurements are deterministic, so a resumed search repeats the same decisions without measuring again. */
#ifndef PARE_SEARCH_JOURNAL_H
#define PARE_SEARCH_JOURNAL_H

#include "base/arena.h"
#include "base/context.h"

#include <stdint.h>

#define JOURNAL_VALUES 5

struct journal;

/* `identity` names what is measured (model, data, settings that change measurements). With `resume`, an existing file
 * is read; PARE_ERROR_USAGE when it belongs to another identity. It is replaced by a whole new one or left as it was.
 * `path` NULL: in memory only. */
enum pare_status journal_open(struct context *ctx, const char *path, uint64_t identity, bool resume,
                              struct journal **out);
void journal_close(struct journal *j);

bool journal_find(const struct journal *j, uint64_t key, double values[JOURNAL_VALUES]);
enum pare_status journal_add(struct context *ctx, struct journal *j, uint64_t key, const double values[JOURNAL_VALUES]);

#endif
