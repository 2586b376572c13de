#include "quant/feed.h"

#include "quant/codes.h"

#include <string.h>

static struct format format_of(const struct pare_value *v) {
    return (struct format){.bits = v->bits, .is_signed = v->is_signed, .frac = v->frac};
}

void feed_input(const struct pare_value *v, const float *x, void *data) {
    struct format f = format_of(v);
    if (v->storage == PARE_F32) {
        memcpy(data, x, (size_t)v->count * sizeof(float));
    } else {
        quantize_floats(x, v->count, &f, data);
    }
}

void fetch_output(const struct pare_value *v, const void *data, float *x) {
    struct format f = format_of(v);
    if (v->storage == PARE_F32) {
        memcpy(x, data, (size_t)v->count * sizeof(float));
    } else {
        dequantize_codes(data, v->count, &f, x);
    }
}

void feed_inputs(const struct program *p, const struct tensor *inputs, void *const *codes) {
    for (uint32_t k = 0; k < p->input_count; k++) {
        feed_input(&p->values[p->inputs[k]], inputs[k].data, codes[k]);
    }
}

void fetch_outputs(const struct program *p, const void *const *values, float *x) {
    for (uint32_t k = 0; k < p->output_count; k++) {
        const struct pare_value *v = &p->values[p->outputs[k]];
        fetch_output(v, values[p->outputs[k]], x);
        x += v->count;
    }
}

enum pare_status feed_sample(struct context *ctx, const struct program *p, const struct graph *g,
                             const struct sample_source *source, size_t number, void *const *codes) {
    struct arena scratch;
    struct tensor *inputs = NULL;
    arena_init(&scratch);
    enum pare_status status = observe_inputs(ctx, &scratch, g, &inputs);
    if (status == PARE_OK) {
        status = source->load(source->user, ctx, source->samples == NULL ? number : source->samples[number], inputs);
    }
    if (status == PARE_OK) {
        feed_inputs(p, inputs, codes);
    }
    arena_free(&scratch);
    return status;
}
