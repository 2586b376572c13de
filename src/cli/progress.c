#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds between two lines; news (another phase, a better point) need not wait as long. */
static const double terminal_interval = 0.1, plain_interval = 10, news_interval = 1;

void progress_begin(struct progress_line *line, bool quiet) {
    *line = (struct progress_line){.style = PROGRESS_OFF};
    if (!quiet) {
        line->style = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_PLAIN;
        clock_gettime(CLOCK_MONOTONIC, &line->shown);
    }
}

static double seconds_between(const struct timespec *from, const struct timespec *to) {
    return (double)(to->tv_sec - from->tv_sec) + 1e-9 * (double)(to->tv_nsec - from->tv_nsec);
}

static double interval_of(const struct progress_line *line, const struct pare_progress *p, const char *note) {
    if (line->style == PROGRESS_TERMINAL) {
        return terminal_interval;
    }
    bool news = strcmp(line->phase, p->phase) != 0 || strcmp(line->note, note) != 0;
    return news ? news_interval : plain_interval;
}

static bool is_due(struct progress_line *line, const struct pare_progress *p, const char *note) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds_between(&line->shown, &now) < interval_of(line, p, note)) {
        return false;
    }
    line->shown = now;
    snprintf(line->phase, sizeof line->phase, "%s", p->phase);
    snprintf(line->note, sizeof line->note, "%s", note);
    return true;
}

static void time_left_text(double seconds, char *text, size_t size) {
    if (seconds < 0) {
        text[0] = 0;
    } else if (seconds < 100) {
        snprintf(text, size, ", %.0f s left", seconds);
    } else {
        snprintf(text, size, ", %.0f min left", seconds / 60);
    }
}

void progress_show(struct progress_line *line, const struct pare_progress *p) {
    const char *note = p->note != NULL ? p->note : "";
    if (line->style == PROGRESS_OFF || p->phase == NULL || !is_due(line, p, note)) {
        return;
    }
    char count[64] = "", left[48];
    if (p->total > 0) {
        snprintf(count, sizeof count, " %zu/%zu", p->done, p->total);
    } else if (p->done > 0) {
        snprintf(count, sizeof count, " %zu", p->done);
    }
    time_left_text(p->seconds_left, left, sizeof left);
    bool terminal = line->style == PROGRESS_TERMINAL;
    fprintf(stderr, "%s%s%s%s%s%s%s", terminal ? "\r\033[K" : "", p->phase, count, *note ? ": " : "", note, left,
            terminal ? "" : "\n");
    fflush(stderr);
    line->open = terminal;
}

void progress_clear(struct progress_line *line) {
    if (line->open) {
        fputs("\r\033[K", stderr);
        line->open = false;
    }
}
