/* What `export` writes beside a model: the runtime's sources, and samples/microcontroller/exported/. Put into the
 * library at build time, so that the program needs no installed sources. */
#ifndef PARE_API_EMBEDDED_H
#define PARE_API_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *path; /* in the exported folder */
    const unsigned char *text;
    size_t size;
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

#endif
