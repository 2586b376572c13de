/* The per-layer table that `inspect` and `quantize` print. */
#ifndef PARE_REPORT_LAYER_TABLE_H
#define PARE_REPORT_LAYER_TABLE_H

#include "report/table.h"
#include "search/search.h"

/* Columns of formats: weight, bias, output as bits/frac, accumulator, exactness. */
void layer_table_columns(struct table *t);
void layer_table_cells(struct table *t, const struct layer_report *l);

#endif
