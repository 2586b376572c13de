/* Private to src/graph: tokens of the text form. */
#ifndef PARE_GRAPH_TEXT_LEXER_H
#define PARE_GRAPH_TEXT_LEXER_H

#include "base/arena.h"
#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_MARK };

struct token {
    enum token_kind kind;
    const char *at; /* where it begins in the source */
    const char
        *text; /* NAME, NUMBER: as written; STRING: without quotes and escapes; MARK: one character, "." for "..." */
};

struct lexer {
    struct context *ctx;
    struct arena *arena; /* of the tokens' texts */
    const char *source, *next;
    struct token token; /* the present one */
};

enum pare_status lexer_init(struct lexer *l, struct context *ctx, struct arena *a, const char *source);
enum pare_status lexer_advance(struct lexer *l);

/* Fails with "line L, column C: " in front; `at` is a place in the source. */
enum pare_status lexer_fail(const struct lexer *l, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected WHAT, found TOKEN" at the present token. */
enum pare_status lexer_fail_expected(const struct lexer *l, const char *what);

bool lexer_at_mark(const struct lexer *l, char mark);
bool lexer_at_word(const struct lexer *l, const char *word); /* a bare name */
/* Advances over a mark or word if it is there. */
enum pare_status lexer_accept_mark(struct lexer *l, char mark, bool *accepted);
enum pare_status lexer_accept_word(struct lexer *l, const char *word, bool *accepted);
enum pare_status lexer_expect_mark(struct lexer *l, char mark);
enum pare_status lexer_expect_word(struct lexer *l, const char *word);
enum pare_status lexer_expect_name(struct lexer *l, const char **name); /* bare or quoted */
enum pare_status lexer_expect_int(struct lexer *l, int64_t low, int64_t high, int64_t *out);
enum pare_status lexer_expect_double(struct lexer *l, double *out); /* inf and nan included */

#endif
