#include "report/verification.h"

#include "report/table.h"

const char *executor_kind_name(enum executor_kind kind) {
    static const char *const names[EXECUTOR_COUNT] = {[EXECUTOR_REFERENCE] = "reference",
                                                      [EXECUTOR_HOST] = "host",
                                                      [EXECUTOR_STORED] = "stored",
                                                      [EXECUTOR_ONNX] = "model.onnx",
                                                      [EXECUTOR_RUNTIME] = "ONNX Runtime"};
    return names[kind];
}

static bool is_float(enum executor_kind kind) {
    return kind == EXECUTOR_ONNX || kind == EXECUTOR_RUNTIME;
}

/* A float runtime may round where float32 does not hold the sums. */
static bool is_failure(const struct verified_layer *layer, enum executor_kind kind) {
    return layer->verdicts[kind].different > 0 && (layer->certain || !is_float(kind));
}

size_t verification_failures(const struct verification *v) {
    size_t failures = 0;
    for (size_t i = 0; i < v->count; i++) {
        bool failed = false;
        for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
            failed = failed || is_failure(&v->layers[i], kind);
        }
        failures += failed;
    }
    return failures;
}

struct uncertain_differences verification_uncertain(const struct verification *v) {
    struct uncertain_differences u = {0};
    for (size_t i = 0; i < v->count; i++) {
        const struct verified_layer *layer = &v->layers[i];
        uint64_t most = 0;
        for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
            uint64_t different = is_failure(layer, kind) ? 0 : layer->verdicts[kind].different;
            most = different > most ? different : most;
        }
        u.first = u.first == NULL && most > 0 ? layer->name : u.first;
        u.layers += most > 0;
        u.codes += most;
    }
    return u;
}

static void verdict_cell(struct table *t, const struct verified_layer *layer, enum executor_kind kind) {
    const struct verdict *verdict = &layer->verdicts[kind];
    if (!verdict->compared) {
        table_cell(t, "-");
    } else if (verdict->different == 0) {
        table_cell(t, "equal");
    } else if (kind == EXECUTOR_STORED) {
        table_cell(t, "differs");
    } else {
        table_cell(t, "%llu differ%s", (unsigned long long)verdict->different,
                   is_failure(layer, kind) ? "" : ", not certain");
    }
}

static void fill_table(struct table *t, const struct verification *v) {
    table_column(t, "layer", false);
    table_column(t, "op", false);
    table_column(t, "codes", true);
    for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
        table_column(t, executor_kind_name(kind), false);
    }
    for (size_t i = 0; i < v->count; i++) {
        table_cell(t, "%s", v->layers[i].name);
        table_cell(t, "%s", v->layers[i].op);
        table_cell(t, "%s", grouped_number(t->arena, v->layers[i].codes));
        for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
            verdict_cell(t, &v->layers[i], kind);
        }
    }
}

/* The first layer that differs: those behind it only repeat it. */
static void print_first_difference(const struct verification *v, enum executor_kind kind, struct buffer *out) {
    for (size_t i = 0; i < v->count; i++) {
        const struct verified_layer *layer = &v->layers[i];
        const struct verdict *verdict = &layer->verdicts[kind];
        if (verdict->different == 0) {
            continue;
        }
        if (kind == EXECUTOR_STORED) {
            write_format(out, "first difference to the stored codes: %s\n", layer->name);
        } else {
            write_format(out, "first difference of %s: %s, sample %zu, element %u: %d, reference %d%s%s\n",
                         executor_kind_name(kind), layer->name, verdict->sample, (unsigned)verdict->index,
                         (int)verdict->code, (int)verdict->expected, layer->operands != NULL ? "; operands: " : "",
                         layer->operands != NULL ? layer->operands : "");
        }
        return;
    }
}

static void print_conclusion(const struct verification *v, struct buffer *out) {
    struct uncertain_differences u = verification_uncertain(v);
    write_format(out, "%s: %zu samples, %zu layers, ", v->folder, v->samples, v->count);
    if (verification_failures(v) > 0) {
        write_format(out, "NOT EQUAL\n");
    } else if (u.layers > 0) {
        write_format(out, "NOT EQUAL in float: %llu codes of %zu layers that are not certain, from %s on\n",
                     (unsigned long long)u.codes, u.layers, u.first);
    } else {
        write_format(out, "equal\n");
    }
}

enum pare_status verification_text(struct context *ctx, const struct verification *v, struct buffer *out) {
    struct arena arena;
    struct table table;
    arena_init(&arena);
    table_init(&table, &arena);
    fill_table(&table, v);
    table_print(&table, out);
    write_format(out, "\n");
    for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
        if (v->absent[kind] != NULL) {
            write_format(out, "%s: not compared: %s\n", executor_kind_name(kind), v->absent[kind]);
        }
        print_first_difference(v, kind, out);
    }
    print_conclusion(v, out);
    arena_free(&arena);
    return table.failed || out->failed ? fail_memory(ctx) : PARE_OK;
}

static json_t *json_verdict(struct json_builder *b, const struct verdict *verdict) {
    if (!verdict->compared) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "different", json_count(verdict->different));
    if (verdict->different > 0) {
        json_put(b, object, "code", json_integer(verdict->code));
        json_put(b, object, "element", json_count(verdict->index));
        json_put(b, object, "expected", json_integer(verdict->expected));
        json_put(b, object, "sample", json_count(verdict->sample));
    }
    return object;
}

static json_t *json_verified_layer(struct json_builder *b, const struct verified_layer *layer) {
    json_t *object = json_object();
    json_put(b, object, "certain", json_boolean(layer->certain));
    json_put(b, object, "codes", json_count(layer->codes));
    json_put(b, object, "name", json_text(layer->name));
    json_put(b, object, "op", json_text(layer->op));
    json_put(b, object, "operands", json_text(layer->operands));
    for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
        json_put(b, object, executor_kind_name(kind), json_verdict(b, &layer->verdicts[kind]));
    }
    return object;
}

enum pare_status verification_json(struct context *ctx, const struct verification *v, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object(), *layers = json_array(), *absent = json_object();
    for (size_t i = 0; i < v->count; i++) {
        json_add(&b, layers, json_verified_layer(&b, &v->layers[i]));
    }
    for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
        if (v->absent[kind] != NULL) {
            json_put(&b, absent, executor_kind_name(kind), json_text(v->absent[kind]));
        }
    }
    struct uncertain_differences u = verification_uncertain(v);
    json_put(&b, root, "different_not_certain", json_count(u.codes));
    json_put(&b, root, "equal", json_boolean(verification_failures(v) == 0 && u.layers == 0));
    json_put(&b, root, "layers", layers);
    json_put(&b, root, "not_compared", absent);
    json_put(&b, root, "samples", json_count(v->samples));
    return json_finish(ctx, &b, root, out);
}
