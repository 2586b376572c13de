#include "report/inspection.h"

#include "report/layer_table.h"

#include <string.h>

static uint64_t total_parameters(const struct inspection *i) {
    uint64_t sum = 0;
    for (size_t k = 0; k < i->layer_count; k++) {
        sum += i->layers[k].parameters;
    }
    return sum;
}

static uint64_t total_macs(const struct inspection *i) {
    uint64_t sum = 0;
    for (size_t k = 0; k < i->layer_count; k++) {
        sum += i->layers[k].layer.macs;
    }
    return sum;
}

static uint64_t bits_of(const struct tensor_report *t) {
    return t->count * (uint64_t)t->format.bits;
}

static uint64_t total_parameter_bits(const struct inspection *i) {
    uint64_t sum = 0;
    for (size_t k = 0; k < i->layer_count; k++) {
        const struct layer_report *l = &i->layers[k].layer;
        sum += l->is_float ? 32 * i->layers[k].parameters : bits_of(&l->weight) + bits_of(&l->bias);
    }
    return sum;
}

static bool any_macs_open(const struct inspection *i) {
    for (size_t k = 0; k < i->layer_count; k++) {
        if (i->layers[k].macs_open) {
            return true;
        }
    }
    return false;
}

static const char *open_name(const struct dim *d) {
    return d->symbol != NULL ? d->symbol : "?";
}

/* "[N,64,8,8]" */
static void print_shape(struct buffer *out, const struct inspected_shape *s) {
    write_format(out, s->rank < 0 ? "?" : "[");
    for (int i = 0; i < s->rank; i++) {
        write_format(out, i > 0 ? "," : "");
        if (s->dims[i].value >= 0) {
            write_format(out, "%lld", (long long)s->dims[i].value);
        } else {
            write_format(out, "%s", open_name(&s->dims[i]));
        }
    }
    write_format(out, s->rank < 0 ? "" : "]");
}

void inspected_shape_cell(struct table *t, const struct inspected_shape *s) {
    struct buffer text;
    buffer_init(&text);
    print_shape(&text, s);
    write_u8(&text, 0);
    t->failed = t->failed || text.failed;
    table_cell(t, "%s", text.failed ? "" : (const char *)text.data);
    buffer_free(&text);
}

static void print_port(const struct inspected_port *p, const char *title, struct arena *arena, struct buffer *out) {
    write_format(out, "%s %s: %s ", title, p->name, p->type);
    print_shape(out, &p->shape);
    const char *notation = p->codes.count > 0 ? format_notation(arena, &p->codes.format) : NULL;
    if (notation != NULL && p->tail != NULL) {
        write_format(out, ", %s in float of the last integers: %llu codes %s", p->tail,
                     (unsigned long long)p->codes.count, notation);
    } else if (notation != NULL) {
        write_format(out, ", codes %s", notation);
    }
    write_format(out, "\n");
}

static void print_ports(const struct inspected_port *ports, size_t count, const char *title, struct arena *arena,
                        struct buffer *out) {
    for (size_t k = 0; k < count; k++) {
        print_port(&ports[k], title, arena, out);
    }
}

enum pare_status inspected_ports_text(struct context *ctx, const struct inspection *i, struct buffer *out) {
    struct arena arena;
    arena_init(&arena);
    print_ports(i->inputs, i->input_count, "input ", &arena, out);
    print_ports(i->outputs, i->output_count, "output", &arena, out);
    arena_free(&arena);
    return out->failed ? fail_memory(ctx) : PARE_OK;
}

static void fill_table(struct table *t, const struct inspection *i) {
    table_column(t, "layer", false);
    table_column(t, "op", false);
    table_column(t, "output shape", false);
    table_column(t, "parameters", true);
    table_column(t, "MACs", true);
    if (i->quantized) {
        layer_table_columns(t);
    }
    for (size_t k = 0; k < i->layer_count; k++) {
        const struct inspected_layer *l = &i->layers[k];
        table_cell(t, "%s", l->layer.name);
        table_cell(t, "%s", l->layer.op);
        inspected_shape_cell(t, &l->output_shape);
        table_cell(t, "%s", l->parameters > 0 ? grouped_number(t->arena, l->parameters) : "");
        table_cell(t, "%s", l->macs_open ? "open" : l->layer.macs > 0 ? grouped_number(t->arena, l->layer.macs) : "");
        if (i->quantized) {
            layer_table_cells(t, &l->layer);
        }
    }
}

enum pare_status inspected_layers_text(struct context *ctx, const struct inspection *i, struct buffer *out) {
    struct arena arena;
    arena_init(&arena);
    struct table table;
    table_init(&table, &arena);
    fill_table(&table, i);
    table_print(&table, out);
    if (i->quantized) {
        layer_table_legend(out);
    }
    arena_free(&arena);
    return out->failed || table.failed ? fail_memory(ctx) : PARE_OK;
}

enum pare_status inspection_text(struct context *ctx, const struct inspection *i, struct buffer *out) {
    struct arena arena;
    arena_init(&arena);
    write_format(out, "%s: %s\n", i->file, i->kind);
    enum pare_status status = inspected_ports_text(ctx, i, out);
    write_format(out, "\n");
    if (status == PARE_OK) {
        status = inspected_layers_text(ctx, i, out);
    }
    write_format(out, "\n%zu layer%s, %s parameters (%s bits), %s multiply-accumulates per sample%s\n", i->layer_count,
                 i->layer_count == 1 ? "" : "s", grouped_number(&arena, total_parameters(i)),
                 grouped_number(&arena, total_parameter_bits(i)), grouped_number(&arena, total_macs(i)),
                 any_macs_open(i) ? ", and those that depend on an open dimension" : "");
    arena_free(&arena);
    return status == PARE_OK && out->failed ? fail_memory(ctx) : status;
}

/* Numbers, and the names of open dimensions; null where not even the rank is known. */
json_t *json_inspected_shape(struct json_builder *b, const struct inspected_shape *s) {
    if (s->rank < 0) {
        return json_null();
    }
    json_t *array = json_array();
    for (int i = 0; i < s->rank; i++) {
        const struct dim *d = &s->dims[i];
        json_add(b, array, d->value >= 0 ? json_count((uint64_t)d->value) : json_text(open_name(d)));
    }
    return array;
}

static json_t *json_ports(struct json_builder *b, const struct inspected_port *ports, size_t count) {
    json_t *array = json_array();
    for (size_t k = 0; k < count; k++) {
        json_t *port = json_object();
        json_put(b, port, "name", json_text(ports[k].name));
        json_put(b, port, "type", json_text(ports[k].type));
        json_put(b, port, "shape", json_inspected_shape(b, &ports[k].shape));
        json_put(b, port, "codes", json_tensor_report(b, &ports[k].codes, false));
        json_put(b, port, "tail", json_text(ports[k].tail));
        json_add(b, array, port);
    }
    return array;
}

json_t *json_inspected_layers(struct json_builder *b, const struct inspection *i) {
    json_t *array = json_array();
    for (size_t k = 0; k < i->layer_count; k++) {
        json_t *layer = json_layer(b, &i->layers[k].layer);
        if (i->layers[k].macs_open) {
            json_put(b, layer, "macs", json_null());
        }
        json_put(b, layer, "output_shape", json_inspected_shape(b, &i->layers[k].output_shape));
        json_put(b, layer, "parameters", json_count(i->layers[k].parameters));
        json_add(b, array, layer);
    }
    return array;
}

void json_put_ports(struct json_builder *b, json_t *object, const struct inspection *i) {
    json_put(b, object, "inputs", json_ports(b, i->inputs, i->input_count));
    json_put(b, object, "outputs", json_ports(b, i->outputs, i->output_count));
}

enum pare_status inspection_json(struct context *ctx, const struct inspection *i, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object(), *totals = json_object();
    json_put(&b, root, "file", json_text(i->file));
    json_put(&b, root, "kind", json_text(i->kind));
    json_put(&b, root, "hash", json_hash(i->hash));
    json_put_ports(&b, root, i);
    json_put(&b, root, "layers", json_inspected_layers(&b, i));
    json_put(&b, totals, "parameters", json_count(total_parameters(i)));
    json_put(&b, totals, "parameter_bits", json_count(total_parameter_bits(i)));
    json_put(&b, totals, "exact_bits", i->quantized ? json_count(i->exact_bits) : json_null());
    json_put(&b, totals, "macs", any_macs_open(i) ? json_null() : json_count(total_macs(i)));
    json_put(&b, root, "totals", totals);
    json_t *metadata = i->metadata != NULL ? json_loads(i->metadata, 0, NULL) : NULL;
    json_put(&b, root, "metadata", metadata != NULL ? metadata : json_null());
    return json_finish(ctx, &b, root, out);
}
