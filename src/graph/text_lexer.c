#include "graph/text_lexer.h"

#include "base/decimal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
}

static bool is_name_part(char c) {
    return is_name_start(c) || is_digit(c) || c == '.';
}

enum pare_status lexer_fail(const struct lexer *l, const char *at, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    int line = 1;
    int column = 1;
    for (const char *p = l->source; p < at; p++) {
        line += *p == '\n';
        column = *p == '\n' ? 1 : column + 1;
    }
    return fail(l->ctx, PARE_ERROR_INPUT, "line %d, column %d: %s", line, column, message);
}

enum pare_status lexer_fail_expected(const struct lexer *l, const char *what) {
    const struct token *t = &l->token;
    return t->kind == TOKEN_END ? lexer_fail(l, t->at, "expected %s, found the end", what)
                                : lexer_fail(l, t->at, "expected %s, found '%.60s'", what, t->text);
}

static enum pare_status take(struct lexer *l, enum token_kind kind, const char *text, size_t length, const char *next) {
    l->token.kind = kind;
    l->token.text = arena_string_n(l->arena, text, length);
    l->next = next;
    return l->token.text == NULL ? fail_memory(l->ctx) : PARE_OK;
}

/* Value of a hexadecimal digit, or -1. */
static int hex_digit(char c) {
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a string, escapes \" \\ \n \xHH resolved; false on a broken escape. */
static bool read_character(const char **p, char *out) {
    const char *at = *p;
    if (*at != '\\') {
        *out = *at;
        *p = at + 1;
        return true;
    }
    if (at[1] == 'x') {
        int high = hex_digit(at[2]);
        int low = high < 0 ? -1 : hex_digit(at[3]);
        *out = (char)(low < 0 ? 0 : high * 16 + low);
        *p = at + 4;
        return low >= 0 && *out != '\0';
    }
    *out = at[1] == 'n' ? '\n' : at[1];
    *p = at + 2;
    return at[1] == 'n' || at[1] == '"' || at[1] == '\\';
}

static enum pare_status take_string(struct lexer *l, const char *begin) {
    const char *end = begin + 1;
    while (*end != '\0' && *end != '"') {
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (*end == '\0') {
        return lexer_fail(l, begin, "the string does not end");
    }
    char *text = arena_alloc(l->arena, (size_t)(end - begin));
    if (text == NULL) {
        return fail_memory(l->ctx);
    }
    size_t length = 0;
    for (const char *p = begin + 1; p < end;) {
        if (!read_character(&p, &text[length++])) {
            return lexer_fail(l, begin, "the string holds an unknown escape");
        }
    }
    l->token.kind = TOKEN_STRING;
    l->token.text = text;
    l->next = end + 1;
    return PARE_OK;
}

static enum pare_status take_number(struct lexer *l, const char *begin) {
    const char *end = begin + 1;
    while (is_digit(*end) || *end == '.' || (*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') ||
           ((*end == '-' || *end == '+') && (end[-1] == 'e' || end[-1] == 'E'))) {
        end++;
    }
    return take(l, TOKEN_NUMBER, begin, (size_t)(end - begin), end);
}

enum pare_status lexer_advance(struct lexer *l) {
    const char *p = l->next;
    while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n' || *p == '#') {
        p += *p == '#' ? strcspn(p, "\n") : 1;
    }
    l->token = (struct token){.kind = TOKEN_END, .at = p, .text = ""};
    l->next = p;
    if (*p == '\0') {
        return PARE_OK;
    }
    if (is_name_start(*p)) {
        const char *end = p;
        while (is_name_part(*end)) {
            end++;
        }
        return take(l, TOKEN_NAME, p, (size_t)(end - p), end);
    }
    if (is_digit(*p) || (*p == '-' && (is_digit(p[1]) || p[1] == '.' || p[1] == 'i' || p[1] == 'n'))) {
        return take_number(l, p);
    }
    if (*p == '"') {
        return take_string(l, p);
    }
    return take(l, TOKEN_MARK, p, 1, strncmp(p, "...", 3) == 0 ? p + 3 : p + 1);
}

enum pare_status lexer_init(struct lexer *l, struct context *ctx, struct arena *a, const char *source) {
    *l = (struct lexer){.ctx = ctx, .arena = a, .source = source, .next = source};
    return lexer_advance(l);
}

bool lexer_at_mark(const struct lexer *l, char mark) {
    return l->token.kind == TOKEN_MARK && l->token.text[0] == mark;
}

bool lexer_at_word(const struct lexer *l, const char *word) {
    return l->token.kind == TOKEN_NAME && strcmp(l->token.text, word) == 0;
}

enum pare_status lexer_accept_mark(struct lexer *l, char mark, bool *accepted) {
    *accepted = lexer_at_mark(l, mark);
    return *accepted ? lexer_advance(l) : PARE_OK;
}

enum pare_status lexer_accept_word(struct lexer *l, const char *word, bool *accepted) {
    *accepted = lexer_at_word(l, word);
    return *accepted ? lexer_advance(l) : PARE_OK;
}

enum pare_status lexer_expect_mark(struct lexer *l, char mark) {
    char what[] = {'\'', mark, '\'', '\0'};
    return lexer_at_mark(l, mark) ? lexer_advance(l) : lexer_fail_expected(l, what);
}

enum pare_status lexer_expect_word(struct lexer *l, const char *word) {
    return lexer_at_word(l, word) ? lexer_advance(l) : lexer_fail_expected(l, word);
}

enum pare_status lexer_expect_name(struct lexer *l, const char **name) {
    bool ok = l->token.kind == TOKEN_NAME || (l->token.kind == TOKEN_STRING && l->token.text[0] != '\0');
    if (!ok) {
        return lexer_fail_expected(l, "a name");
    }
    *name = l->token.text;
    return lexer_advance(l);
}

enum pare_status lexer_expect_int(struct lexer *l, int64_t low, int64_t high, int64_t *out) {
    char *end = NULL;
    if (l->token.kind != TOKEN_NUMBER) {
        return lexer_fail_expected(l, "an integer");
    }
    errno = 0;
    *out = strtoll(l->token.text, &end, 10);
    if (*end != '\0' || errno != 0 || *out < low || *out > high) {
        return lexer_fail(l, l->token.at, "'%.60s' is no integer in [%" PRId64 ", %" PRId64 "]", l->token.text, low,
                          high);
    }
    return lexer_advance(l);
}

enum pare_status lexer_expect_double(struct lexer *l, double *out) {
    char *end = NULL;
    bool word = lexer_at_word(l, "inf") || lexer_at_word(l, "nan");
    if (l->token.kind != TOKEN_NUMBER && !word) {
        return lexer_fail_expected(l, "a number");
    }
    *out = parse_decimal(l->token.text, &end);
    if (*end != '\0') {
        return lexer_fail(l, l->token.at, "'%.60s' is no number", l->token.text);
    }
    return lexer_advance(l);
}
