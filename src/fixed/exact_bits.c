#include "fixed/exact_bits.h"

#include "runtime/codes.h"

#include <string.h>

/* Bits that tell numbers of a range apart. */
static unsigned range_bits(int32_t low, int32_t high) {
    unsigned bits = 0;
    while (high - low >= 1 << bits) {
        bits++;
    }
    return bits;
}

static uint64_t frac_bits(const int8_t *frac, bool per_row, unsigned bits, uint32_t rows) {
    if (frac == NULL || !per_row || rows == 0) {
        return 0;
    }
    int least = frac_at(frac, true, bits, 0), most = least;
    for (uint32_t r = 1; r < rows; r++) {
        int f = frac_at(frac, true, bits, r);
        least = f < least ? f : least;
        most = f > most ? f : most;
    }
    return (uint64_t)rows * range_bits(least, most);
}

static uint64_t zero_bits(const struct pare_op *op) {
    uint32_t channels = op->zero == NULL ? 0 : op->u.window.in_c;
    int32_t least = 0, most = 0;
    for (uint32_t c = 0; c < channels; c++) {
        int32_t zero = zero_at(op, c);
        least = zero < least ? zero : least;
        most = zero > most ? zero : most;
    }
    return (uint64_t)channels * range_bits(least, most);
}

static uint64_t linear_bits(const struct pare_op *op) {
    const struct pare_weights *w = &op->weights;
    uint64_t bits = (uint64_t)w->rows * w->columns * w->bits + (uint64_t)w->rows * op->bias.bits;
    bits += frac_bits(w->frac, w->frac_per_row, w->frac_bits, w->rows);
    const struct pare_bias *b = &op->bias;
    bits += b->bits > 0 ? frac_bits(b->frac, b->frac_per_row, b->frac_bits, w->rows) : 0;
    return bits + zero_bits(op);
}

static size_t table_size(const struct program *p, const struct pare_op *op) {
    return (size_t)storage_size(p->values[op->output].storage) << p->values[op->inputs[0]].bits;
}

static bool seen_before(const struct program *p, uint32_t index) {
    const struct pare_op *op = &p->ops[index];
    for (uint32_t i = 0; i < index; i++) {
        const struct pare_op *other = &p->ops[i];
        if (other->kind == PARE_TABLE && table_size(p, other) == table_size(p, op) &&
            memcmp(other->u.table.entries, op->u.table.entries, table_size(p, op)) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t table_bits(const struct program *p, uint32_t index) {
    const struct pare_op *op = &p->ops[index];
    return seen_before(p, index) ? 0 : (uint64_t)p->values[op->output].bits << p->values[op->inputs[0]].bits;
}

static uint64_t op_bits(const struct program *p, uint32_t index) {
    switch ((enum pare_kind)p->ops[index].kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_DENSE:
    case PARE_PRELU:
        return linear_bits(&p->ops[index]);
    case PARE_TABLE:
        return table_bits(p, index);
    default:
        return 0;
    }
}

uint64_t program_exact_bits(const struct program *p) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < p->op_count; i++) {
        bits += op_bits(p, i);
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        const struct pare_value *value = &p->values[v];
        bits += value->constant == NULL ? 0 : (uint64_t)value->count * value->bits;
    }
    return bits;
}
