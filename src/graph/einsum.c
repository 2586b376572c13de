#include "graph/einsum.h"

#include <string.h>

#define LETTERS 52

static int letter_of(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

static enum pare_status bad(struct context *ctx, const char *equation, const char *what) {
    return fail(ctx, PARE_ERROR_INPUT, "equation `%.100s`: %s", equation, what);
}

/* One term up to `end`; "..." stands for as many dimensions as letters leave over of `rank`. */
static enum pare_status parse_term(struct context *ctx, const char *equation, const char *at, const char *end, int rank,
                                   struct einsum_term *out) {
    int letters = 0;
    for (const char *p = at; p < end; p++) {
        letters += letter_of(*p) >= 0;
    }
    out->rank = 0;
    for (; at < end; at++) {
        bool dots = end - at >= 3 && strncmp(at, "...", 3) == 0;
        int count = dots ? rank - letters : *at != ' ';
        if ((!dots && *at != ' ' && letter_of(*at) < 0) || count < 0 || out->rank + count > TENSOR_MAX_RANK) {
            return bad(ctx, equation, "a term is not understood, or has too many dimensions");
        }
        for (int i = 0; i < count; i++) {
            out->label[out->rank++] = dots ? LETTERS + count - 1 - i : letter_of(*at);
        }
        at += dots ? 2 : 0;
    }
    return out->rank == rank ? PARE_OK : bad(ctx, equation, "a term has another rank than its input");
}

/* How often a label stands in the inputs. */
static int occurrences(const struct einsum *e, int label) {
    int count = 0;
    for (int i = 0; i < e->inputs; i++) {
        for (int k = 0; k < e->input[i].rank; k++) {
            count += e->input[i].label[k] == label;
        }
    }
    return count;
}

static int dotted_dims(const struct einsum *e) {
    int most = 0;
    for (int i = 0; i < e->inputs; i++) {
        for (int k = 0; k < e->input[i].rank; k++) {
            int behind = e->input[i].label[k] - LETTERS + 1;
            most = behind > most ? behind : most;
        }
    }
    return most;
}

/* Without an arrow: what "..." stands for, and the letters that stand once, in alphabetic order. */
static enum pare_status implicit_output(struct context *ctx, const char *equation, struct einsum *e) {
    struct einsum_term *out = &e->output;
    for (int i = dotted_dims(e) - 1; i >= 0; i--) {
        out->label[out->rank++] = LETTERS + i;
    }
    for (int label = 0; label < LETTERS; label++) {
        if (occurrences(e, label) != 1) {
            continue;
        }
        if (out->rank == TENSOR_MAX_RANK) {
            return bad(ctx, equation, "the output has too many dimensions");
        }
        out->label[out->rank++] = label;
    }
    return PARE_OK;
}

static enum pare_status explicit_output(struct context *ctx, const char *equation, const char *at, struct einsum *e) {
    const char *end = at + strlen(at);
    int rank = strstr(at, "...") != NULL ? dotted_dims(e) : 0;
    for (const char *p = at; p < end; p++) {
        rank += letter_of(*p) >= 0;
    }
    if (rank > TENSOR_MAX_RANK) {
        return bad(ctx, equation, "the output has too many dimensions");
    }
    TRY(parse_term(ctx, equation, at, end, rank, &e->output));
    for (int i = 0; i < rank; i++) {
        for (int k = 0; k < i; k++) {
            if (e->output.label[i] == e->output.label[k]) {
                return bad(ctx, equation, "a letter stands twice in the output");
            }
        }
        if (occurrences(e, e->output.label[i]) == 0) {
            return bad(ctx, equation, "a letter of the output stands in no input");
        }
    }
    return PARE_OK;
}

enum pare_status einsum_parse(struct context *ctx, const char *equation, const int *ranks, int inputs,
                              struct einsum *out) {
    const char *arrow = strstr(equation, "->"), *at = equation;
    const char *end = arrow != NULL ? arrow : equation + strlen(equation);
    *out = (struct einsum){.inputs = inputs};
    if (inputs > EINSUM_MAX_INPUTS) {
        return bad(ctx, equation, "too many inputs");
    }
    for (int i = 0; i < inputs; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *term_end = comma != NULL ? comma : end;
        if ((comma == NULL) != (i == inputs - 1)) {
            return bad(ctx, equation, "the node has another number of inputs");
        }
        TRY(parse_term(ctx, equation, at, term_end, ranks[i], &out->input[i]));
        at = term_end + (comma != NULL);
    }
    return arrow != NULL ? explicit_output(ctx, equation, arrow + 2, out) : implicit_output(ctx, equation, out);
}
