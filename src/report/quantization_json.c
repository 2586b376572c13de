/* report.json. */
#include "report/quantization.h"

#include <math.h>

static json_t *json_pair(struct json_builder *b, double search, double held_out) {
    json_t *object = json_object();
    json_put(b, object, "held_out", json_number(held_out));
    json_put(b, object, "search", json_number(search));
    return object;
}

/* Figures of a share of the samples mean nothing for sqnr. */
static json_t *json_share(const struct accuracy *a, double v) {
    return a->metric == METRIC_SQNR ? json_null() : json_number(v);
}

static json_t *json_interval(struct json_builder *b, const struct accuracy *a) {
    json_t *interval = json_array();
    json_add(b, interval, json_number(a->interval_points[0]));
    json_add(b, interval, json_number(a->interval_points[1]));
    return interval;
}

static json_t *json_accuracy(struct json_builder *b, const struct accuracy *a) {
    bool noise = a->metric == METRIC_SQNR;
    json_t *object = json_object(), *samples = json_object();
    json_put(b, samples, "held_out", json_count(a->held_out_samples));
    json_put(b, samples, "search", json_count(a->search_samples));
    json_put(b, object, "bound_held", isinf(a->max_drop) ? json_null() : json_boolean(a->bound_held));
    json_put(b, object, "bound_points", json_share(a, a->bound_points));
    json_put(b, object, "confidence", json_share(a, a->confidence));
    json_put(b, object, "confidence_interval_points", noise ? json_null() : json_interval(b, a));
    json_put(b, object, "discordant", noise ? json_null() : json_count(a->discordant));
    json_put(b, object, "divergence", json_pair(b, a->divergence_search, a->divergence_held_out));
    json_put(b, object, "drop_points", json_share(a, a->drop_points));
    json_put(b, object, "drop_relative", json_share(a, a->drop_relative));
    json_put(b, object, "error_points", json_share(a, a->error_points));
    json_put(b, object, "float", noise ? json_null() : json_pair(b, a->float_search, a->float_held_out));
    json_put(b, object, "metric", json_text(metric_name(a->metric)));
    json_put(b, object, "quantized", json_pair(b, a->quantized_search, a->quantized_held_out));
    json_put(b, object, "reason", json_text(a->reason));
    json_put(b, object, "samples", samples);
    return object;
}

/* Whether the limits of the search are kept; null where it had none. */
static json_t *json_kept(struct json_builder *b, const struct quantization *q) {
    json_t *limits = json_limits(b, &q->options->limits);
    bool none = json_object_size(limits) == 0;
    json_decref(limits);
    if (none || q->options->pick != NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "held", json_boolean(q->result->limits_reason == NULL));
    json_put(b, object, "reason", json_text(q->result->limits_reason));
    return object;
}

static json_t *json_cost(struct json_builder *b, const struct quantization *q) {
    const struct cost *c = &q->result->cost;
    bool compact = q->compact.name != NULL;
    json_t *object = json_object(), *paper = json_object();
    json_put(b, paper, "memory_bits", json_count(c->memory_bits));
    json_put(b, paper, "memory_bits_8bit", json_count(c->memory_bits_8bit));
    json_put(b, paper, "multiplication", json_count(c->multiplication));
    json_put(b, paper, "multiplication_8bit", json_count(c->multiplication_8bit));
    json_put(b, object, "paper", paper);
    json_put(b, object, "bit_operations", json_count(c->bit_operations));
    json_put(b, object, "bit_operations_8bit", json_count(c->bit_operations_8bit));
    json_put(b, object, "float_parameters", json_count(q->float_parameters));
    json_put(b, object, "limits", json_kept(b, q));
    json_put(b, object, "parameter_bits", json_count(c->parameter_bits));
    json_put(b, object, "parameter_bits_8bit", json_count(c->parameter_bits_8bit));
    json_put(b, object, "pare_bytes", compact ? json_count(c->pare_bytes) : json_null());
    json_put(b, object, "pare_bytes_8bit", compact ? json_known(c->pare_bytes_8bit) : json_null());
    json_put(b, object, "peak_activation_bytes", json_count(c->peak_activation_bytes));
    json_put(b, object, "peak_activation_bytes_8bit", json_known(c->peak_activation_bytes_8bit));
    return object;
}

static json_t *json_pareto(struct json_builder *b, const struct search_result *r) {
    json_t *array = json_array();
    for (size_t i = 0; i < r->pareto_count; i++) {
        const struct pareto_point *p = &r->pareto[i];
        json_t *point = json_object();
        json_put(b, point, "bit_operations", json_count(p->bit_operations));
        json_put(b, point, "chosen", json_boolean(p->chosen));
        json_put(b, point, "cost", json_number(p->cost));
        json_put(b, point, "drop_points", json_number(p->drop_points));
        json_put(b, point, "memory_bits", json_count(p->memory_bits));
        json_put(b, point, "multiplication", json_count(p->multiplication));
        json_put(b, point, "pare_bytes", json_known(p->pare_bytes));
        json_put(b, point, "peak_activation_bytes", json_count(p->peak_activation_bytes));
        json_put(b, point, "point", json_count(i + 1));
        json_add(b, array, point);
    }
    return array;
}

/* What `pick` was asked for. */
static json_t *json_picked(struct json_builder *b, const struct pick *p) {
    if (p == NULL) {
        return json_null();
    }
    json_t *object = json_limits(b, &p->limits);
    if (p->max_drop > 0) {
        json_put(b, object, "drop_max", json_drop(p->max_drop, p->max_drop_relative));
    }
    if (p->point > 0) {
        json_put(b, object, "point", json_count(p->point));
    }
    return object;
}

static json_t *json_search(struct json_builder *b, const struct quantization *q) {
    const struct search_result *r = q->result;
    json_t *object = json_object();
    json_put(b, object, "full_evaluations", json_count(r->full_evaluations));
    json_put(b, object, "pareto", json_pareto(b, r));
    json_put(b, object, "picked", json_picked(b, q->options->pick));
    json_put(b, object, "seconds", json_number(r->seconds));
    json_put(b, object, "stopped", json_text(search_end_name(r->end)));
    return object;
}

static json_t *json_interface(struct json_builder *b, const struct quantization *q) {
    json_t *object = json_object();
    json_put_ports(b, object, q->layers);
    return object;
}

static json_t *json_data(struct json_builder *b, const struct quantization *q) {
    json_t *object = json_object();
    json_put(b, object, "calibration", json_used_file(b, &q->calibration));
    json_put(b, object, "test", json_used_file(b, &q->test));
    json_put(b, object, "validation", json_used_file(b, &q->data));
    return object;
}

static json_t *json_written(struct json_builder *b, const struct written_file *f) {
    if (f->name == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "bytes", json_count(f->size));
    json_put(b, object, "file", json_text(f->name));
    json_put(b, object, "hash", json_hash(f->hash));
    return object;
}

static json_t *json_dropped(struct json_builder *b, const struct dropped_list *dropped) {
    json_t *array = json_array();
    for (size_t i = 0; i < dropped->count; i++) {
        const struct dropped_channels *d = &dropped->items[i];
        json_t *object = json_object();
        json_put(b, object, "channels", json_integer(d->channels));
        json_put(b, object, "dropped", json_integer(d->dropped));
        json_put(b, object, "name", json_text(d->name));
        json_add(b, array, object);
    }
    return array;
}

static json_t *json_outputs(struct json_builder *b, const struct quantization *q) {
    json_t *object = json_object();
    json_put(b, object, "onnx", json_written(b, &q->onnx));
    json_put(b, object, "pare", json_written(b, &q->compact));
    return object;
}

static json_t *json_versions(struct json_builder *b, const struct quantization *q) {
    json_t *object = json_object();
    json_put(b, object, "pare", json_text(q->version));
    json_put(b, object, "report", json_integer(1));
    return object;
}

enum pare_status quantization_json(struct context *ctx, const struct quantization *q, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object();
    json_put(&b, root, "accuracy", json_accuracy(&b, &q->result->accuracy));
    json_put(&b, root, "cost", json_cost(&b, q));
    json_put(&b, root, "data", json_data(&b, q));
    json_put(&b, root, "dropped_channels", json_dropped(&b, &q->result->dropped));
    json_put(&b, root, "interface", json_interface(&b, q));
    json_put(&b, root, "layers", json_inspected_layers(&b, q->layers));
    json_put(&b, root, "model", json_used_file(&b, &q->model));
    json_put(&b, root, "requantized", json_boolean(q->requantized));
    json_put(&b, root, "outputs", json_outputs(&b, q));
    json_put(&b, root, "search", json_search(&b, q));
    json_put(&b, root, "settings", json_settings(&b, q->options, q->preprocess));
    json_put(&b, root, "versions", json_versions(&b, q));
    return json_finish(ctx, &b, root, out);
}
