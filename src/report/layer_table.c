#include "report/layer_table.h"

void layer_table_columns(struct table *t) {
    table_column(t, "weight", false);
    table_column(t, "bias", false);
    table_column(t, "output", false);
    table_column(t, "accumulator", true);
    table_column(t, "exact in float32", false);
}

/* "4s/5": 4 bits, signed, 5 fraction bits; "4s/5..8" where the channels differ. */
static void format_cell(struct table *t, const struct tensor_report *r, bool is_float) {
    const struct format *f = &r->format;
    if (r->count == 0) {
        table_cell(t, "%s", "");
    } else if (is_float) {
        table_cell(t, "float");
    } else if (f->bits == 0) {
        table_cell(t, "0");
    } else {
        int low = format_frac(f, 0), high = low;
        for (int c = 1; f->channel_frac != NULL && c < f->channels; c++) {
            int frac = format_frac(f, c);
            low = frac < low ? frac : low;
            high = frac > high ? frac : high;
        }
        char sign = f->is_signed ? 's' : 'u';
        if (low == high) {
            table_cell(t, "%d%c/%d", f->bits, sign, low);
        } else {
            table_cell(t, "%d%c/%d..%d", f->bits, sign, low, high);
        }
    }
}

void layer_table_cells(struct table *t, const struct layer_report *l) {
    format_cell(t, &l->weight, l->is_float);
    format_cell(t, &l->bias, l->is_float);
    format_cell(t, &l->output, l->is_float);
    if (l->is_float) {
        table_cell(t, "%s", "");
        table_cell(t, "%s", "");
    } else {
        table_cell(t, "%d", l->accumulator_bits);
        table_cell(t, "%s", l->exact_in_float32 ? "yes" : "not certain");
    }
}
