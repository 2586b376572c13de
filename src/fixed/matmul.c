/* The product of two activations: both operands are laid out for every sample. */
#include "base/bytes.h"
#include "fixed/plan.h"
#include "fixed/product.h"
#include "fixed/rows.h"

struct matmul {
    struct operand a, b;
    bool wide;
    uint32_t words, panel, tiles;
    size_t a_bytes, b_words; /* scratch: of all parts of a, of one part of b */
    uint32_t *offset;
};

static enum pare_status matmul_plan(struct context *ctx, struct plan *plan) {
    struct matmul *mm = ARENA_NEW(&plan->arena, struct matmul);
    if (mm == NULL) {
        return fail_memory(ctx);
    }
    plan->state = mm;
    const struct pare_value *a = plan_input(plan, 0), *b = plan_input(plan, 1);
    uint32_t k = plan->op->u.matmul.k;
    mm->wide = plan->op->wide || !codes_fit_int16(a) || !codes_fit_int16(b);
    mm->a = operand_of(storage_is_byte(a->storage), mm->wide);
    mm->b = operand_of(storage_is_byte(b->storage), mm->wide);
    mm->words = k / 2 + k % 2;
    mm->panel = product_panel(plan->isa, plan->op->u.matmul.m);
    mm->tiles = (plan->op->u.matmul.n + plan->isa->lanes - 1) / plan->isa->lanes;
    mm->b_words = (size_t)mm->tiles * plan->isa->lanes * mm->words;
    mm->offset = ARENA_ARRAY(&plan->arena, mm->words, uint32_t);
    size_t b_bytes;
    TRY(rows_scratch(ctx, plan->op->u.matmul.m, k, mm->a.parts, &mm->a_bytes));
    if (mm->offset == NULL || mm->words > UINT32_MAX / plan->isa->lanes ||
        !size_multiply(mm->b_words, mm->b.parts * sizeof(int32_t), &b_bytes) ||
        !size_add(b_bytes, mm->a_bytes, &plan->scratch)) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < mm->words; i++) {
        mm->offset[i] = (uint32_t)(i * plan->isa->lanes);
    }
    return PARE_OK;
}

/* The right operand as [tile][word][lane], zeros in what the matrix does not fill. */
static void columns_fill(const void *codes, uint8_t storage, enum code_part part, uint32_t k, uint32_t n, size_t lanes,
                         int32_t *words) {
    size_t bytes = storage_size(storage);
    for (size_t first = 0; first < n; first += lanes) {
        size_t count = n - first < lanes ? n - first : lanes;
        int16_t upper[ISA_MAX_LANES] = {0}, lower[ISA_MAX_LANES] = {0};
        for (size_t row = 0; row < k; row += 2, words += lanes) {
            const char *from = (const char *)codes + (row * n + first) * bytes;
            codes_to_int16(from, storage, part, 1, count, upper);
            if (row + 1 < k) {
                codes_to_int16(from + n * bytes, storage, part, 1, count, lower);
            }
            for (size_t i = 0; i < lanes; i++) {
                words[i] = code_pair(upper[i], row + 1 < k ? lower[i] : 0);
            }
        }
    }
}

static void matmul_tiles(const struct plan *plan, struct product *product, char *output) {
    const struct matmul *mm = plan->state;
    struct code_range range = plan_range(plan);
    size_t lanes = plan->isa->lanes, n = plan->op->u.matmul.n, bytes = storage_size(range.storage);
    int shift = plan_input(plan, 0)->frac + plan_input(plan, 1)->frac - plan_output(plan)->frac;
    for (size_t first = 0; first < n; first += lanes) {
        size_t count = n - first < lanes ? n - first : lanes;
        for (uint32_t top = 0; top < product->rows; top += product->panel) {
            struct tile tile;
            product_tile(plan->isa, product, top, first * mm->words, &tile);
            for (uint32_t r = 0; r < product_panel_rows(product, top); r++) {
                char *to = output + ((top + r) * n + first) * bytes;
                product_codes(plan->isa, product, &tile, r, count, 0, shift, &range, to);
            }
        }
    }
}

static void matmul_run(const struct plan *plan, void *const *data, void *scratch) {
    const struct matmul *mm = plan->state;
    const struct pare_op *op = plan->op;
    const struct pare_value *a = plan_input(plan, 0), *b = plan_input(plan, 1);
    uint32_t m = op->u.matmul.m, k = op->u.matmul.k, n = op->u.matmul.n;
    size_t a_size = storage_size(a->storage), b_size = storage_size(b->storage);
    size_t y_size = (size_t)m * n * storage_size(plan_output(plan)->storage);
    int32_t *columns = (int32_t *)((char *)scratch + mm->a_bytes);
    struct product product = {.rows = m,
                              .words = mm->words,
                              .panel = mm->panel,
                              .wide = mm->wide,
                              .a = mm->a,
                              .b = mm->b,
                              .offset = mm->offset};
    for (uint32_t batch = 0; batch < op->u.matmul.batch; batch++) {
        const char *from_a = (const char *)data[op->inputs[0]] + (size_t)batch * op->u.matmul.stride_a * a_size;
        const char *from_b = (const char *)data[op->inputs[1]] + (size_t)batch * op->u.matmul.stride_b * b_size;
        rows_fill(from_a, a->storage, m, k, mm->panel, scratch, &product.a);
        for (uint32_t i = 0; i < mm->b.parts; i++) {
            product.b.words[i] = columns + i * mm->b_words;
            columns_fill(from_b, b->storage, mm->b.part[i], k, n, plan->isa->lanes, columns + i * mm->b_words);
        }
        matmul_tiles(plan, &product, (char *)data[op->output] + batch * y_size);
    }
}

const struct kernel kernel_matmul = {matmul_plan, matmul_run};
