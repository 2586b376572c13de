/* "Did you mean ...?" for mistyped words. */
#ifndef PARE_CLI_SUGGEST_H
#define PARE_CLI_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *typed;
    size_t length;
    const char *word; /* the closest so far, or NULL when none is close */
    size_t distance;  /* of that word; also the first that is too far */
};

struct suggestion suggestion_begin(const char *typed, size_t length);
void suggestion_try(struct suggestion *s, const char *word);

#endif
