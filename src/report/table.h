/* Aligned text tables. */
#ifndef PARE_REPORT_TABLE_H
#define PARE_REPORT_TABLE_H

#include "base/arena.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

#define TABLE_MAX_COLUMNS 16

/* Cells are filled row by row; texts live in the arena. */
struct table {
    struct arena *arena;
    const char *titles[TABLE_MAX_COLUMNS];
    bool right[TABLE_MAX_COLUMNS]; /* numbers */
    size_t columns;
    const char **cells; /* rows * columns */
    size_t count, capacity;
    bool failed; /* an allocation failed; sticky */
};

void table_init(struct table *t, struct arena *arena);
void table_column(struct table *t, const char *title, bool right);
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Titles, a rule, and the rows; no trailing blanks. */
void table_print(const struct table *t, struct buffer *out);

/* 1234567 as "1,234,567". */
const char *grouped_number(struct arena *arena, unsigned long long n);

#endif
