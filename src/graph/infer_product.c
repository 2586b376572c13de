/* Shapes of Gemm and MatMul. */
#include "graph/axes.h"
#include "graph/infer.h"

static enum pare_status fail_product(const struct infer_call *c) {
    char a[INFER_TEXT_MAX];
    char b[INFER_TEXT_MAX];
    return infer_fail(c, "shapes %s and %s cannot be multiplied", infer_text(infer_input(c, 0), a, sizeof a),
                      infer_text(infer_input(c, 1), b, sizeof b));
}

/* Dimension `side` of a Gemm operand after its transposition. */
static struct dim operand_dim(const struct infer_value *v, bool transposed, int side) {
    return v->rank < 0 ? dim_unknown() : v->dims[transposed ? 1 - side : side];
}

/* The addend must broadcast to the product without making it larger. */
static enum pare_status check_addend(const struct infer_call *c, const struct dim product[2]) {
    const struct infer_value *addend = infer_input(c, 2);
    TRY(infer_check_same_type(c, 0, 2));
    TRY(infer_check_rank(c, 2, 0, 2));
    for (int i = 0; addend != NULL && i < addend->rank; i++) {
        int64_t own = addend->dims[i].value;
        int64_t whole = product[2 - addend->rank + i].value;
        if (own >= 0 && own != 1 && whole >= 0 && own != whole) {
            char text[INFER_TEXT_MAX];
            return infer_fail(c, "addend %s does not broadcast to the product of %lld rows and %lld columns",
                              infer_text(addend, text, sizeof text), (long long)product[0].value,
                              (long long)product[1].value);
        }
    }
    return PARE_OK;
}

enum pare_status infer_gemm(struct infer_call *c) {
    const struct infer_value *a = infer_input(c, 0);
    const struct infer_value *b = infer_input(c, 1);
    bool a_transposed = node_int(c->node, "transA") != 0;
    bool b_transposed = node_int(c->node, "transB") != 0;
    TRY(infer_check_same_type(c, 0, 1));
    TRY(infer_check_rank(c, 0, 2, 2));
    TRY(infer_check_rank(c, 1, 2, 2));
    struct dim depth = operand_dim(a, a_transposed, 1);
    struct dim depth_b = operand_dim(b, b_transposed, 0);
    if (!dim_unify(&depth, &depth_b)) {
        return fail_product(c);
    }
    struct dim dims[2] = {operand_dim(a, a_transposed, 0), operand_dim(b, b_transposed, 1)};
    TRY(check_addend(c, dims));
    return infer_set(c, a->type, 2, dims);
}

enum pare_status infer_matmul(struct infer_call *c) {
    const struct infer_value *a = infer_input(c, 0);
    const struct infer_value *b = infer_input(c, 1);
    TRY(infer_check_same_type(c, 0, 1));
    TRY(infer_check_rank(c, 0, 1, TENSOR_MAX_RANK));
    TRY(infer_check_rank(c, 1, 1, TENSOR_MAX_RANK));
    if (a->rank < 0 || b->rank < 0) {
        return infer_set(c, a->type, -1, NULL);
    }
    int a_batch = a->rank > 2 ? a->rank - 2 : 0;
    int b_batch = b->rank > 2 ? b->rank - 2 : 0;
    struct dim depth = a->dims[a->rank - 1];
    struct dim dims[TENSOR_MAX_RANK + 2];
    if (!dim_unify(&depth, &b->dims[b->rank == 1 ? 0 : b->rank - 2]) ||
        !infer_broadcast_dims(a->dims, a_batch, b->dims, b_batch, dims)) {
        return fail_product(c);
    }
    int rank = a_batch > b_batch ? a_batch : b_batch;
    if (a->rank > 1) {
        dims[rank++] = a->dims[a->rank - 2];
    }
    if (b->rank > 1) {
        dims[rank++] = b->dims[b->rank - 1];
    }
    return infer_set(c, a->type, rank, dims);
}

/* As MatMul of what its operands are transposed to. */
enum pare_status infer_fused_matmul(struct infer_call *c) {
    struct infer_value turned[2];
    const struct infer_value *inputs[2] = {&turned[0], &turned[1]};
    struct infer_call product = *c;
    for (int k = 0; k < 2; k++) {
        const struct infer_value *v = infer_input(c, k);
        int perm[TENSOR_MAX_RANK];
        turned[k] = *v;
        axes_of_factor(c->node, k, v->rank, perm);
        for (int i = 0; i < v->rank; i++) {
            turned[k].dims[i] = v->dims[perm[i]];
        }
    }
    product.inputs = inputs;
    return infer_matmul(&product);
}
