#include "cli/suggest.h"

#include <string.h>

enum { WORD_MAX = 32 };

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance by rows; both words are at most WORD_MAX long. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b_length];
}

struct suggestion suggestion_begin(const char *typed, size_t length) {
    /* A third of the letters may be wrong; more is another word. */
    return (struct suggestion){.typed = typed, .length = length, .distance = length / 3 + 1};
}

void suggestion_try(struct suggestion *s, const char *word) {
    size_t length = strlen(word);
    if (length > WORD_MAX || s->length > WORD_MAX) {
        return;
    }
    size_t distance = edit_distance(s->typed, s->length, word, length);
    if (distance < s->distance) {
        s->distance = distance;
        s->word = word;
    }
}
