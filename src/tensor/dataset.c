#include "tensor/dataset.h"

#include "base/file.h"
#include "tensor/labels.h"

#include <math.h>
#include <string.h>

/* What the functions that build a dataset share. */
struct builder {
    struct context *ctx;
    struct arena *arena;
    const char *place;
    const struct tensor_set *arrays;
    const struct dataset_spec *spec;
};

static enum pare_status refuse_missing(const struct builder *b, const char *name) {
    struct buffer names;
    buffer_init(&names);
    for (size_t i = 0; i < b->arrays->count && i < 16; i++) {
        write_format(&names, "%s'%.200s'", i > 0 ? ", " : "", b->arrays->items[i].name);
    }
    write_u8(&names, 0);
    enum pare_status status = names.failed
                                  ? fail_memory(b->ctx)
                                  : fail(b->ctx, PARE_ERROR_INPUT, "%s: has no array '%s'%s; the arrays there are: %s",
                                         b->place, name, b->spec->input_count == 1 ? " and none called 'x'" : "",
                                         b->arrays->count > 0 ? (const char *)names.data : "none");
    buffer_free(&names);
    return status;
}

static const struct tensor *find_input(const struct builder *b, int k, const char **name) {
    *name = b->spec->inputs[k].name;
    const struct tensor *t = tensor_set_find(b->arrays, *name);
    if (t == NULL && b->spec->input_count == 1) {
        *name = "x";
        t = tensor_set_find(b->arrays, *name);
    }
    return t;
}

/* NaN and infinity would poison every statistic. */
static enum pare_status check_finite(const struct builder *b, const char *name, const struct tensor *t) {
    if (!dtype_is_float(t->type)) {
        return PARE_OK;
    }
    size_t count = tensor_count(t);
    size_t sample_size = t->shape.rank > 0 && t->shape.dim[0] > 0 ? count / (size_t)t->shape.dim[0] : 1;
    for (size_t i = 0; i < count; i++) {
        double v = tensor_get_double(t, i);
        if (!isfinite(v) || !isfinite((float)v)) {
            return fail(b->ctx, PARE_ERROR_INPUT,
                        "%s: %s[%zu] holds %g, which is not finite in float32, at element %zu", b->place, name,
                        i / sample_size, v, i % sample_size);
        }
    }
    return PARE_OK;
}

static enum pare_status plan_input(const struct builder *b, int k, struct dataset *out, struct sample_plan *plan) {
    struct preprocess none;
    preprocess_init(&none);
    const char *name = NULL;
    const struct tensor *source = find_input(b, k, &name);
    if (source == NULL) {
        return refuse_missing(b, b->spec->inputs[k].name);
    }
    const char *place = arena_format(b->arena, "%s: %s", b->place, name);
    if (place == NULL) {
        return fail_memory(b->ctx);
    }
    TRY(sample_plan(b->ctx, b->arena, place, source, &b->spec->inputs[k],
                    b->spec->preprocess != NULL ? b->spec->preprocess : &none, plan));
    size_t samples = (size_t)source->shape.dim[0];
    if (k > 0 && samples != out->count) {
        return fail(b->ctx, PARE_ERROR_INPUT, "%s: has %zu samples, the inputs before it %zu", place, samples,
                    out->count);
    }
    out->count = samples;
    return check_finite(b, name, source);
}

static enum pare_status plan_inputs(const struct builder *b, struct dataset *out) {
    if (b->spec->preprocess != NULL) {
        TRY(preprocess_check(b->ctx, b->spec->preprocess));
    }
    if (b->spec->input_count < 1) {
        return fail(b->ctx, PARE_ERROR_INPUT, "%s: the model has no inputs", b->place);
    }
    struct sample_plan *plans = ARENA_ARRAY(b->arena, (size_t)b->spec->input_count, struct sample_plan);
    if (plans == NULL) {
        return fail_memory(b->ctx);
    }
    out->inputs = plans;
    out->input_count = b->spec->input_count;
    for (int k = 0; k < out->input_count; k++) {
        TRY(plan_input(b, k, out, &plans[k]));
    }
    return PARE_OK;
}

/* Labels are the array `y`, unless a model's input is called so. */
static const struct tensor *find_labels(const struct builder *b) {
    for (int k = 0; k < b->spec->input_count; k++) {
        if (strcmp(b->spec->inputs[k].name, "y") == 0) {
            return NULL;
        }
    }
    return b->spec->label_use == LABELS_IGNORED ? NULL : tensor_set_find(b->arrays, "y");
}

/* NULL in *y where they are optional and none: what holds other targets serves metrics without labels, too. */
static enum pare_status read_labels(const struct builder *b, const struct tensor **y, struct dataset *out) {
    struct label_spec spec = {.place = b->place, .samples = out->count, .classes = b->spec->classes};
    int64_t *labels = NULL;
    enum pare_status status = labels_read(b->ctx, b->arena, *y, &spec, &labels);
    if (status == PARE_ERROR_INPUT && b->spec->label_use == LABELS_OPTIONAL) {
        context_clear(b->ctx);
        *y = NULL;
        return PARE_OK;
    }
    out->labels = status == PARE_OK ? labels : NULL;
    return status;
}

static uint64_t hash_number(int64_t v, uint64_t seed) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)v >> (8 * i));
    }
    return hash_of(bytes, sizeof bytes, seed);
}

static uint64_t hash_tensor(const struct tensor *t, uint64_t seed) {
    seed = hash_number(t->type, seed);
    seed = hash_number(t->shape.rank, seed);
    for (int d = 0; d < t->shape.rank; d++) {
        seed = hash_number(t->shape.dim[d], seed);
    }
    return hash_of(t->data, tensor_bytes(t), seed);
}

static uint64_t hash_numbers(const double *values, size_t count, uint64_t seed) {
    return hash_of(values, count * sizeof *values, hash_number((int64_t)count, seed));
}

static uint64_t hash_preprocess(const struct preprocess *p, uint64_t seed) {
    seed = hash_numbers(&p->scale, 1, hash_number(p->layout, seed));
    return hash_numbers(p->std, p->std_count, hash_numbers(p->mean, p->mean_count, seed));
}

static void warn_unused(const struct builder *b, const struct tensor *y) {
    for (size_t i = 0; i < b->arrays->count; i++) {
        const struct tensor *t = &b->arrays->items[i].tensor;
        bool used = t == y || (b->spec->label_use == LABELS_IGNORED && strcmp(b->arrays->items[i].name, "y") == 0);
        const char *name = NULL;
        for (int k = 0; k < b->spec->input_count && !used; k++) {
            used = find_input(b, k, &name) == t;
        }
        if (!used) {
            context_warn(b->ctx, "%s: array '%s' is not used", b->place, b->arrays->items[i].name);
        }
    }
}

enum pare_status dataset_from_arrays(struct context *ctx, struct arena *a, const char *place,
                                     const struct tensor_set *arrays, const struct dataset_spec *spec,
                                     struct dataset *out) {
    *out = (struct dataset){.place = arena_string(a, place)};
    if (out->place == NULL) {
        return fail_memory(ctx);
    }
    struct builder b = {.ctx = ctx, .arena = a, .place = out->place, .arrays = arrays, .spec = spec};
    TRY(plan_inputs(&b, out));
    const struct tensor *y = find_labels(&b);
    if (y != NULL) {
        TRY(read_labels(&b, &y, out));
    }
    for (int k = 0; k < out->input_count; k++) {
        out->hash = hash_tensor(out->inputs[k].source, out->hash);
    }
    out->hash = y != NULL ? hash_tensor(y, out->hash) : out->hash;
    out->hash = spec->preprocess != NULL ? hash_preprocess(spec->preprocess, out->hash) : out->hash;
    warn_unused(&b, y);
    return PARE_OK;
}

static enum pare_status read_arrays(struct context *ctx, struct arena *a, const char *path,
                                    const struct dataset_spec *spec, struct tensor_set *arrays) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    bool is_npy = map.size >= 6 && memcmp(map.data, "\x93NUMPY", 6) == 0;
    bool is_zip = map.size >= 2 && memcmp(map.data, "PK", 2) == 0;
    file_unmap(&map);
    if (is_zip) {
        return npz_read(ctx, a, path, arrays);
    }
    if (!is_npy) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is neither .npz nor .npy", path);
    }
    if (spec->input_count != 1) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%s: holds one array, but the model has %d inputs; give an .npz with an array named like each",
                    path, spec->input_count);
    }
    struct named_tensor *item = ARENA_NEW(a, struct named_tensor);
    char *name = arena_string(a, "x");
    if (item == NULL || name == NULL) {
        return fail_memory(ctx);
    }
    item->name = name;
    *arrays = (struct tensor_set){.count = 1, .items = item};
    return npy_read(ctx, a, path, &item->tensor);
}

enum pare_status dataset_read(struct context *ctx, struct arena *a, const char *path, const struct dataset_spec *spec,
                              struct dataset *out) {
    struct tensor_set arrays = {0};
    TRY(read_arrays(ctx, a, path, spec, &arrays));
    return dataset_from_arrays(ctx, a, path, &arrays, spec, out);
}

bool dataset_same_inputs(const struct dataset *a, const struct dataset *b) {
    bool same = a->input_count == b->input_count && a->count == b->count;
    for (int k = 0; same && k < a->input_count; k++) {
        const struct tensor *x = a->inputs[k].source, *y = b->inputs[k].source;
        same =
            x->type == y->type && tensor_bytes(x) == tensor_bytes(y) && memcmp(x->data, y->data, tensor_bytes(x)) == 0;
    }
    return same;
}

enum pare_status dataset_new_sample(struct context *ctx, struct arena *a, const struct dataset *d,
                                    struct tensor **inputs) {
    *inputs = ARENA_ARRAY(a, (size_t)d->input_count, struct tensor);
    if (*inputs == NULL) {
        return fail_memory(ctx);
    }
    for (int k = 0; k < d->input_count; k++) {
        TRY(tensor_new(ctx, a, d->inputs[k].type, &d->inputs[k].shape, &(*inputs)[k]));
    }
    return PARE_OK;
}

static size_t position(const struct dataset *d, size_t i) {
    return d->indices != NULL ? d->indices[i] : i;
}

void dataset_load(const struct dataset *d, size_t i, struct tensor *inputs) {
    for (int k = 0; k < d->input_count; k++) {
        sample_deliver(&d->inputs[k], position(d, i), &inputs[k]);
    }
}

int64_t dataset_label(const struct dataset *d, size_t i) {
    return d->labels[position(d, i)];
}
