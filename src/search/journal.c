#include "search/journal.h"

#include "base/bytes.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_VERSION 3

struct entry {
    bool used;
    uint64_t key;
    double values[JOURNAL_VALUES];
};

struct journal {
    FILE *file; /* NULL: in memory only */
    const char *path;
    struct entry *entries; /* open addressing; capacity a power of two */
    size_t count, capacity;
};

static struct entry *locate(struct entry *entries, size_t capacity, uint64_t key) {
    size_t i = (size_t)(key ^ key >> 32) & (capacity - 1);
    while (entries[i].used && entries[i].key != key) {
        i = (i + 1) & (capacity - 1);
    }
    return &entries[i];
}

static bool remember(struct journal *j, uint64_t key, const double values[JOURNAL_VALUES]) {
    if (j->count * 2 >= j->capacity) {
        size_t capacity = j->capacity == 0 ? 1024 : j->capacity * 2;
        struct entry *bigger = calloc(capacity, sizeof(*bigger));
        if (bigger == NULL) {
            return false;
        }
        for (size_t i = 0; i < j->capacity; i++) {
            if (j->entries[i].used) {
                *locate(bigger, capacity, j->entries[i].key) = j->entries[i];
            }
        }
        free(j->entries);
        j->entries = bigger;
        j->capacity = capacity;
    }
    struct entry *e = locate(j->entries, j->capacity, key);
    j->count += !e->used;
    e->used = true;
    e->key = key;
    memcpy(e->values, values, sizeof(e->values));
    return true;
}

/* The bits of a number in hexadecimal digits come back exactly, whatever the locale. A line cut off by a crash is not
 * complete and is dropped. */
static bool parse_line(const char *line, uint64_t *key, double values[JOURNAL_VALUES]) {
    char *end = NULL;
    *key = strtoull(line, &end, 16);
    for (int i = 0; i < JOURNAL_VALUES; i++) {
        const char *start = end;
        uint64_t bits = strtoull(start, &end, 16);
        memcpy(&values[i], &bits, sizeof(bits));
        if (end == start) {
            return false;
        }
    }
    return *end == '\n';
}

static enum pare_status load(struct context *ctx, struct journal *j, const char *path, uint64_t identity) {
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return PARE_OK; /* nothing to resume from: the search starts at the beginning */
    }
    char line[256];
    int version = 0;
    uint64_t found = 0;
    bool ours = fgets(line, sizeof(line), f) != NULL &&
                sscanf(line, "pare-journal %d %" SCNx64, &version, &found) == 2 && version == JOURNAL_VERSION;
    enum pare_status status = PARE_OK;
    if (!ours || found != identity) {
        status = fail(
            ctx, PARE_ERROR_USAGE,
            "%s: belongs to another version, model, data or settings; search without --resume, or into another folder",
            path);
    }
    while (status == PARE_OK && fgets(line, sizeof(line), f) != NULL) {
        uint64_t key = 0;
        double values[JOURNAL_VALUES];
        if (parse_line(line, &key, values) && !remember(j, key, values)) {
            status = fail_memory(ctx);
        }
    }
    fclose(f);
    return status;
}

static void write_entry(struct buffer *out, uint64_t key, const double values[JOURNAL_VALUES]) {
    write_format(out, "%016" PRIx64, key);
    for (int i = 0; i < JOURNAL_VALUES; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof(bits));
        write_format(out, " %016" PRIx64, bits);
    }
    write_u8(out, '\n');
}

static void write_known(const struct journal *j, uint64_t identity, struct buffer *out) {
    write_format(out, "pare-journal %d %016" PRIx64 "\n", JOURNAL_VERSION, identity);
    for (size_t i = 0; i < j->capacity; i++) {
        if (j->entries[i].used) {
            write_entry(out, j->entries[i].key, j->entries[i].values);
        }
    }
}

/* The file that was resumed from stays whole until a complete one takes its place. */
static enum pare_status start_file(struct context *ctx, struct journal *j, uint64_t identity) {
    struct buffer known;
    buffer_init(&known);
    write_known(j, identity, &known);
    enum pare_status status = known.failed ? fail_memory(ctx) : file_write(ctx, j->path, known.data, known.size);
    buffer_free(&known);
    if (status == PARE_OK && (j->file = fopen(j->path, "a")) == NULL) {
        return fail(ctx, PARE_ERROR_IO, "%s: cannot be written", j->path);
    }
    return status;
}

enum pare_status journal_open(struct context *ctx, const char *path, uint64_t identity, bool resume,
                              struct journal **out) {
    *out = NULL;
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL) {
        return fail_memory(ctx);
    }
    j->path = path;
    enum pare_status status = resume && path != NULL ? load(ctx, j, path, identity) : PARE_OK;
    if (status == PARE_OK && path != NULL) {
        status = start_file(ctx, j, identity);
    }
    if (status != PARE_OK) {
        journal_close(j);
        return status;
    }
    *out = j;
    return PARE_OK;
}

void journal_close(struct journal *j) {
    if (j != NULL) {
        if (j->file != NULL) {
            fclose(j->file);
        }
        free(j->entries);
        free(j);
    }
}

bool journal_find(const struct journal *j, uint64_t key, double values[JOURNAL_VALUES]) {
    const struct entry *e = j->capacity == 0 ? NULL : locate(j->entries, j->capacity, key);
    if (e == NULL || !e->used) {
        return false;
    }
    memcpy(values, e->values, sizeof(e->values));
    return true;
}

static enum pare_status append(struct context *ctx, struct journal *j, uint64_t key,
                               const double values[JOURNAL_VALUES]) {
    struct buffer line;
    buffer_init(&line);
    write_entry(&line, key, values);
    bool written = !line.failed && fwrite(line.data, line.size, 1, j->file) == 1 && fflush(j->file) == 0;
    buffer_free(&line);
    return written ? PARE_OK : fail(ctx, PARE_ERROR_IO, "%s: cannot be written", j->path);
}

enum pare_status journal_add(struct context *ctx, struct journal *j, uint64_t key,
                             const double values[JOURNAL_VALUES]) {
    if (!remember(j, key, values)) {
        return fail_memory(ctx);
    }
    return j->file != NULL ? append(ctx, j, key, values) : PARE_OK;
}
