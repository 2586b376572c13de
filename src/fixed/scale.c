/* A convolution of one tap per channel: BatchNormalization where it could not be folded. */
#include "fixed/scale.h"

#include "fixed/block.h"
#include "fixed/requantize.h"
#include "fixed/weights.h"

struct scale {
    struct channels channels;
    int16_t *weight; /* per channel */
};

bool scale_fits(const struct plan *plan) {
    const struct pare_window *w = &plan->op->u.window;
    bool pointwise = w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 && w->pad_top == 0 &&
                     w->pad_left == 0 && w->in_h == w->out_h && w->in_w == w->out_w;
    return pointwise && w->group == w->in_c && w->in_c == w->out_c && !plan->op->wide && plan->op->input_count == 1;
}

static enum pare_status scale_plan(struct context *ctx, struct plan *plan) {
    struct scale *scale = ARENA_NEW(&plan->arena, struct scale);
    uint32_t rows = plan->op->weights.rows;
    int16_t *weight = ARENA_ARRAY(&plan->arena, rows, int16_t);
    if (scale == NULL || weight == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t row = 0; row < rows; row++) {
        weights_unpack_row(&plan->op->weights, row, &weight[row]);
    }
    scale->weight = weight;
    plan->state = scale;
    return channels_new(ctx, plan, &scale->channels);
}

static void scale_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct scale *scale = plan->state;
    const struct pare_value *x = plan_input(plan, 0);
    struct code_range range = plan_range(plan);
    size_t in_size = storage_size(x->storage), out_size = storage_size(range.storage);
    uint32_t channels = plan->op->weights.rows, inner = x->count / channels;
    const char *from = data[plan->op->inputs[0]];
    char *to = data[plan->op->output];
    int32_t acc[BLOCK];
    for (uint32_t c = 0; c < channels; c++) {
        int32_t bias = wrapping_int32(scale->channels.bias[c]), weight = scale->weight[c];
        for (size_t done = 0; done < inner; done += BLOCK) {
            size_t n = block_size(inner - done), at = (size_t)c * inner + done;
            codes_to_int32(from + at * in_size, x->storage, 1, n, acc);
            for (size_t i = 0; i < n; i++) {
                acc[i] *= weight;
            }
            plan->isa->requantize(acc, n, bias, scale->channels.shift[c], &range, to + at * out_size);
        }
    }
}

const struct kernel kernel_scale = {scale_plan, scale_run};
