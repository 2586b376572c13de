#include "graph/text_data.h"

#include <math.h>
#include <string.h>

static enum pare_status parse_element(struct lexer *l, struct tensor *t, size_t i) {
    if (dtype_is_float(t->type)) {
        double v = 0;
        TRY(lexer_expect_double(l, &v));
        tensor_set_double(t, i, v);
    } else {
        int64_t v = 0;
        TRY(lexer_expect_int(l, INT64_MIN, INT64_MAX, &v));
        tensor_set_int(t, i, v);
    }
    return PARE_OK;
}

static enum pare_status parse_list(struct lexer *l, struct tensor *t) {
    size_t count = tensor_count(t);
    TRY(lexer_expect_mark(l, '['));
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            TRY(lexer_expect_mark(l, ','));
        }
        TRY(parse_element(l, t, i));
    }
    return lexer_at_mark(l, ']') ? lexer_advance(l)
                                 : lexer_fail(l, l->token.at, "expected ']' after %zu elements", count);
}

static enum pare_status parse_splat(struct lexer *l, struct tensor *t) {
    size_t size = dtype_size(t->type);
    size_t count = tensor_count(t);
    struct tensor one = {.type = t->type, .shape = {.rank = 0}};
    uint64_t element = 0;
    one.data = &element;
    TRY(lexer_expect_mark(l, '('));
    TRY(parse_element(l, &one, 0));
    for (size_t i = 0; i < count; i++) {
        memcpy((char *)t->data + i * size, &element, size);
    }
    return lexer_expect_mark(l, ')');
}

/* SplitMix64 (Steele, Lea and Flood: Fast splittable pseudorandom number generators, section 3). */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static enum pare_status parse_random(struct lexer *l, struct tensor *t) {
    int64_t seed = 0;
    double low = 0;
    double high = 0;
    TRY(lexer_expect_mark(l, '('));
    TRY(lexer_expect_int(l, 0, INT64_MAX, &seed));
    TRY(lexer_expect_mark(l, ','));
    TRY(lexer_expect_double(l, &low));
    TRY(lexer_expect_mark(l, ','));
    TRY(lexer_expect_double(l, &high));
    if (!isfinite(low) || !isfinite(high) || low > high) {
        return lexer_fail(l, l->token.at, "random needs finite bounds, the lower one first");
    }
    uint64_t state = (uint64_t)seed;
    size_t count = tensor_count(t);
    for (size_t i = 0; i < count; i++) {
        tensor_set_double(t, i, low + (high - low) * ((double)(next_random(&state) >> 11) * 0x1p-53));
    }
    return lexer_expect_mark(l, ')');
}

static int nibble(char c) {
    const char *digits = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

static enum pare_status parse_hex(struct lexer *l, struct tensor *t) {
    unsigned char *data = t->data;
    size_t bytes = tensor_bytes(t);
    TRY(lexer_expect_mark(l, '('));
    const char *text = l->token.text;
    if (l->token.kind != TOKEN_STRING || strlen(text) != 2 * bytes) {
        return lexer_fail(l, l->token.at, "expected a string of %zu hexadecimal digits", 2 * bytes);
    }
    for (size_t i = 0; i < bytes; i++) {
        int high = nibble(text[2 * i]);
        int low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return lexer_fail(l, l->token.at, "byte %zu is not hexadecimal", i);
        }
        data[i] = (unsigned char)(high * 16 + low);
    }
    TRY(lexer_advance(l));
    return lexer_expect_mark(l, ')');
}

static enum pare_status new_tensor(struct lexer *l, struct arena *a, enum dtype type, const struct shape *shape,
                                   size_t *budget, struct tensor *out) {
    size_t count = 0;
    size_t size = dtype_size(type);
    if (size == 0 || !shape_count(shape, &count) || count > *budget / size) {
        char text[128];
        return lexer_fail(l, l->token.at, "a constant of type %s and shape %s is impossible or too large here",
                          dtype_name(type), shape_text(shape, text, sizeof text));
    }
    *budget -= count * size;
    return tensor_new(l->ctx, a, type, shape, out);
}

enum pare_status text_parse_data(struct lexer *l, struct arena *a, enum dtype type, const struct shape *shape,
                                 size_t *budget, struct tensor *out) {
    TRY(new_tensor(l, a, type, shape, budget, out));
    bool splat = false;
    bool random = false;
    bool hex = false;
    if (lexer_at_mark(l, '[')) {
        return parse_list(l, out);
    }
    if (l->token.kind == TOKEN_NUMBER && tensor_count(out) == 1) {
        return parse_element(l, out, 0);
    }
    TRY(lexer_accept_word(l, "splat", &splat));
    if (splat) {
        return parse_splat(l, out);
    }
    TRY(lexer_accept_word(l, "random", &random));
    if (random) {
        return parse_random(l, out);
    }
    TRY(lexer_accept_word(l, "hex", &hex));
    return hex ? parse_hex(l, out) : lexer_fail_expected(l, "a number, '[', splat, random or hex");
}
