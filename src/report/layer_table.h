/* The per-layer table that `inspect` and `quantize` print. */
#ifndef PARE_REPORT_LAYER_TABLE_H
#define PARE_REPORT_LAYER_TABLE_H

#include "report/table.h"
#include "search/search.h"

/* Columns of formats: weight, bias, output as bits/frac, accumulator, exactness. */
void layer_table_columns(struct table *t);
void layer_table_cells(struct table *t, const struct layer_report *l);
/* What their notation means. */
void layer_table_legend(struct buffer *out);

/* "4s/5": 4 bits, signed, 5 fraction bits; "4s/5..8" where the channels differ; NULL when out of memory. */
const char *format_notation(struct arena *arena, const struct format *f);

#endif
