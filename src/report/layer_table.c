#include "report/layer_table.h"

void layer_table_columns(struct table *t) {
    table_column(t, "weight", false);
    table_column(t, "bias", false);
    table_column(t, "output", false);
    table_column(t, "accumulator", true);
    table_column(t, "exact in float32", false);
}

void layer_table_legend(struct buffer *out) {
    write_format(out,
                 "\n4s/5: 4 bits, signed (u: unsigned), value = code * 2^-5; 4s/5..8 where channels differ\n"
                 "accumulator: bits of the sums; exact in float32: no sum needs more than the 24 bits of a float32,\n"
                 "so that a float runtime computes the same integers\n");
}

const char *format_notation(struct arena *arena, const struct format *f) {
    int low = format_frac(f, 0), high = low;
    for (int c = 1; f->channel_frac != NULL && c < f->channels; c++) {
        int frac = format_frac(f, c);
        low = frac < low ? frac : low;
        high = frac > high ? frac : high;
    }
    char sign = f->is_signed ? 's' : 'u';
    return low == high ? arena_format(arena, "%d%c/%d", f->bits, sign, low)
                       : arena_format(arena, "%d%c/%d..%d", f->bits, sign, low, high);
}

static void format_cell(struct table *t, const struct tensor_report *r, bool is_float) {
    if (r->count == 0) {
        table_cell(t, "%s", "");
    } else if (is_float) {
        table_cell(t, "float");
    } else if (r->format.bits == 0) {
        table_cell(t, "0");
    } else {
        const char *notation = format_notation(t->arena, &r->format);
        t->failed = t->failed || notation == NULL;
        table_cell(t, "%s", notation != NULL ? notation : "");
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
