#include "fixed/rows.h"

#include "base/bytes.h"

/* One row of int16 elements, the last word filled up with zero. */
static size_t row_words(uint32_t columns) {
    return columns / 2 + columns % 2;
}

enum pare_status rows_scratch(struct context *ctx, uint32_t rows, uint32_t columns, uint32_t parts, size_t *bytes) {
    size_t words = row_words(columns);
    if (!size_multiply(words * sizeof(int32_t), rows, bytes) || !size_multiply(*bytes, parts, bytes) ||
        !size_add(*bytes, words * sizeof(int32_t), bytes)) {
        return fail_memory(ctx);
    }
    return PARE_OK;
}

static void rows_part(const void *codes, uint8_t storage, enum code_part part, uint32_t rows, uint32_t columns,
                      uint32_t panel, int16_t *row, int32_t *words) {
    size_t length = row_words(columns);
    row[2 * length - 1] = 0;
    for (uint32_t first = 0; first < rows; first += panel, words += panel * length) {
        uint32_t height = rows - first < panel ? rows - first : panel;
        for (uint32_t r = 0; r < height; r++) {
            const char *from = (const char *)codes + (size_t)(first + r) * columns * storage_size(storage);
            codes_to_int16(from, storage, part, 1, columns, row);
            for (size_t k = 0; k < length; k++) {
                words[k * height + r] = code_pair(row[2 * k], row[2 * k + 1]);
            }
        }
    }
}

void rows_fill(const void *codes, uint8_t storage, uint32_t rows, uint32_t columns, uint32_t panel, void *scratch,
               struct operand *operand) {
    size_t size = row_words(columns) * rows;
    int32_t *words = scratch;
    int16_t *row = (int16_t *)(words + size * operand->parts);
    for (uint32_t i = 0; i < operand->parts; i++, words += size) {
        rows_part(codes, storage, operand->part[i], rows, columns, panel, row, words);
        operand->words[i] = words;
    }
}
