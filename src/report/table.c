#include "report/table.h"

#include "base/decimal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void table_init(struct table *t, struct arena *arena) {
    *t = (struct table){.arena = arena};
}

void table_column(struct table *t, const char *title, bool right) {
    t->titles[t->columns] = title;
    t->right[t->columns++] = right;
}

static bool grow(struct table *t) {
    size_t capacity = 2 * t->capacity + 64;
    const char **cells = ARENA_ARRAY(t->arena, capacity, const char *);
    if (cells == NULL) {
        return false;
    }
    if (t->count > 0) {
        memcpy(cells, t->cells, t->count * sizeof *cells);
    }
    t->cells = cells;
    t->capacity = capacity;
    return true;
}

void table_cell(struct table *t, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    format_decimal_list(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *copy = arena_string(t->arena, text);
    if (copy == NULL || (t->count == t->capacity && !grow(t))) {
        t->failed = true;
        return;
    }
    t->cells[t->count++] = copy;
}

/* Characters, not bytes: UTF-8 continuation bytes take no room. */
static size_t text_width(const char *s) {
    size_t width = 0;
    for (; *s != 0; s++) {
        width += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return width;
}

static void write_spaces(struct buffer *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        write_bytes(out, " ", 1);
    }
}

/* Blanks are held back until something follows them. */
static void print_row(const struct table *t, const char *const *cells, const size_t *widths, struct buffer *out) {
    size_t blanks = 0;
    for (size_t c = 0; c < t->columns; c++) {
        size_t width = text_width(cells[c]);
        size_t padding = widths[c] > width ? widths[c] - width : 0;
        blanks += (c > 0 ? 2 : 0) + (t->right[c] ? padding : 0);
        if (width > 0) {
            write_spaces(out, blanks);
            write_bytes(out, cells[c], strlen(cells[c]));
            blanks = 0;
        } else if (t->right[c]) {
            continue;
        }
        blanks += t->right[c] ? 0 : padding;
    }
    write_bytes(out, "\n", 1);
}

void table_print(const struct table *t, struct buffer *out) {
    size_t widths[TABLE_MAX_COLUMNS] = {0};
    size_t rule = 0;
    for (size_t c = 0; c < t->columns; c++) {
        widths[c] = text_width(t->titles[c]);
        for (size_t i = c; i < t->count; i += t->columns) {
            size_t width = text_width(t->cells[i]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
        rule += widths[c] + (c > 0 ? 2 : 0);
    }
    print_row(t, t->titles, widths, out);
    for (size_t i = 0; i < rule; i++) {
        write_bytes(out, "-", 1);
    }
    write_bytes(out, "\n", 1);
    for (size_t i = 0; i + t->columns <= t->count; i += t->columns) {
        print_row(t, &t->cells[i], widths, out);
    }
}

const char *grouped_number(struct arena *arena, unsigned long long n) {
    char digits[32], text[48];
    int length = snprintf(digits, sizeof digits, "%llu", n);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[at++] = ',';
        }
        text[at++] = digits[i];
    }
    const char *copy = arena_string_n(arena, text, at);
    return copy != NULL ? copy : "";
}
