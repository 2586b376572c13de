/* One line of progress on stderr: redrawn on a terminal, plain lines when piped. */
#ifndef PARE_CLI_PROGRESS_H
#define PARE_CLI_PROGRESS_H

#include "pare/pare.h"

#include <time.h>

enum progress_style { PROGRESS_OFF, PROGRESS_PLAIN, PROGRESS_TERMINAL };

struct progress_line {
    enum progress_style style;
    struct timespec shown; /* when the last line was written, or the command began */
    char phase[64], note[128];
    bool open; /* a terminal line stands without its end */
};

void progress_begin(struct progress_line *line, bool quiet);
void progress_show(struct progress_line *line, const struct pare_progress *progress);
/* Clears the terminal line, so that other text may be written. */
void progress_clear(struct progress_line *line);

#endif
