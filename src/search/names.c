#include "search/search.h"

const char *metric_name(enum metric m) {
    static const char *const names[] = {"top1", "top5", "agreement", "sqnr"};
    return names[m];
}

const char *search_end_name(enum search_end e) {
    static const char *const names[] = {NULL, "interrupted", "time limit"};
    return names[e];
}

const char *cost_name(enum cost_kind c) {
    static const char *const names[] = {"memory", "multiplication", "bitops", "balanced"};
    return names[c];
}
