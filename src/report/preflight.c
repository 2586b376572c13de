#include "report/preflight.h"

#include "report/table.h"

#define PLACES_SHOWN 5
#define FLOAT_BYTES 4

struct totals {
    uint64_t parameters, macs;
    size_t integers, cut, floats, unknown;
    bool macs_open;
};

static struct totals sum(const struct preflight *p) {
    struct totals t = {0};
    for (size_t k = 0; k < p->model->layer_count; k++) {
        const struct inspected_layer *l = &p->model->layers[k];
        char fate = p->outlooks[k].becomes[0];
        t.parameters += l->parameters;
        t.macs += l->layer.macs;
        t.macs_open = t.macs_open || l->macs_open;
        t.integers += fate == 'i' || fate == 'b';
        t.cut += fate == 'c';
        t.floats += fate == 'f';
        t.unknown += fate == 'u';
    }
    return t;
}

/* ---- text ---- */

static const char *number_or_blank(struct arena *a, uint64_t n) {
    return n > 0 ? grouped_number(a, n) : "";
}

static void fill_row(struct table *t, const struct inspected_layer *l, const struct layer_outlook *o) {
    table_cell(t, "%s", l->layer.name);
    table_cell(t, "%s", l->layer.op);
    inspected_shape_cell(t, &l->output_shape);
    table_cell(t, "%s", number_or_blank(t->arena, l->parameters));
    table_cell(t, "%s", l->macs_open ? "open" : number_or_blank(t->arena, l->layer.macs));
    table_cell(t, "%s", number_or_blank(t->arena, FLOAT_BYTES * l->parameters));
    table_cell(t, "%s",
               l->layer.output.count > 0 ? grouped_number(t->arena, FLOAT_BYTES * l->layer.output.count) : "open");
    table_cell(t, "%s", o->becomes);
}

static enum pare_status layers_text(struct context *ctx, const struct preflight *p, struct arena *a,
                                    struct buffer *out) {
    struct table t;
    table_init(&t, a);
    table_column(&t, "layer", false);
    table_column(&t, "op", false);
    table_column(&t, "output shape", false);
    table_column(&t, "parameters", true);
    table_column(&t, "MACs", true);
    table_column(&t, "weight bytes", true);
    table_column(&t, "output bytes", true);
    table_column(&t, "becomes", false);
    for (size_t k = 0; k < p->model->layer_count; k++) {
        fill_row(&t, &p->model->layers[k], &p->outlooks[k]);
    }
    table_print(&t, out);
    return out->failed || t.failed ? fail_memory(ctx) : PARE_OK;
}

static void totals_text(const struct preflight *p, struct arena *a, struct buffer *out) {
    struct totals t = sum(p);
    size_t count = p->model->layer_count;
    write_format(out,
                 "\n%zu layer%s: %zu in integers, %zu cut off, %zu in float, %zu unknown; %s parameters, %s bytes in "
                 "float32, %s in 8 bits; %s multiply-accumulates per sample%s\n",
                 count, count == 1 ? "" : "s", t.integers, t.cut, t.floats, t.unknown, grouped_number(a, t.parameters),
                 grouped_number(a, FLOAT_BYTES * t.parameters), grouped_number(a, t.parameters),
                 grouped_number(a, t.macs), t.macs_open ? ", and those that depend on an open dimension" : "");
}

static void finding_text(const struct finding *f, struct buffer *out) {
    write_format(out, "  %s: %s", finding_kind_name(f->kind), f->what);
    for (int i = 0; i < f->named && i < PLACES_SHOWN; i++) {
        write_format(out, "%s%s", i == 0 ? " (" : ", ", f->places[i]);
    }
    if (f->named > PLACES_SHOWN) {
        write_format(out, " and %d more", f->count - PLACES_SHOWN);
    }
    write_format(out, "%s%s%s\n", f->named > 0 ? ")" : "", f->way_out != NULL ? "; " : "",
                 f->way_out != NULL ? f->way_out : "");
}

static void findings_text(const struct findings *f, bool blocking, const char *title, struct buffer *out) {
    bool titled = false;
    for (const struct finding *item = f->first; item != NULL; item = item->next) {
        if (item->blocks == blocking) {
            write_format(out, "%s%s%s", titled ? "" : "\n", titled ? "" : title, titled ? "" : ":\n");
            finding_text(item, out);
            titled = true;
        }
    }
}

/* Whether it runs in float at least. */
static bool only_floats_block(const struct findings *f) {
    const struct finding *item = f->first;
    while (item != NULL && (!item->blocks || item->kind == FINDING_FLOAT)) {
        item = item->next;
    }
    return item == NULL;
}

static const char *verdict_text(const struct preflight *p) {
    return p->verdict[0] == 'f'             ? "fine: pare takes it as it is"
           : p->verdict[0] == 'r'           ? "it works, with the remarks above"
           : only_floats_block(p->findings) ? "it cannot be quantised: see what stands in the way"
                                            : "it cannot be used: see what stands in the way";
}

static void verdict_line(const struct preflight *p, struct buffer *out) {
    size_t floats = sum(p).floats;
    write_format(out, "\n%s", verdict_text(p));
    if (floats > 0 && p->verdict[0] == 'r') {
        write_format(out, "; no .pare file: %zu layer%s in float", floats, floats == 1 ? " stays" : "s stay");
    }
    write_format(out, "\n");
}

enum pare_status preflight_text(struct context *ctx, const struct preflight *p, struct buffer *out) {
    struct arena a;
    arena_init(&a);
    write_format(out, "%s: %s, opset %lld%s%s\n", p->model->file, p->model->kind, (long long)p->opset,
                 p->producer[0] != '\0' ? ", by " : "", p->producer);
    enum pare_status status = inspected_ports_text(ctx, p->model, out);
    if (status == PARE_OK && p->model->layer_count > 0) {
        write_format(out, "\n");
        status = layers_text(ctx, p, &a, out);
        totals_text(p, &a, out);
    }
    findings_text(p->findings, true, "In the way", out);
    findings_text(p->findings, false, "Remarks", out);
    if (p->findings->count > FINDINGS_MAX) {
        write_format(out, "  and %d further kinds of trouble\n", p->findings->count - FINDINGS_MAX);
    }
    verdict_line(p, out);
    arena_free(&a);
    return status == PARE_OK && out->failed ? fail_memory(ctx) : status;
}

/* ---- JSON ---- */

static json_t *json_finding(struct json_builder *b, const struct finding *f) {
    json_t *object = json_object(), *places = json_array();
    for (int i = 0; i < f->named; i++) {
        json_add(b, places, json_text(f->places[i]));
    }
    json_put(b, object, "kind", json_text(finding_kind_name(f->kind)));
    json_put(b, object, "blocks", json_boolean(f->blocks));
    json_put(b, object, "what", json_text(f->what));
    json_put(b, object, "way_out", json_text(f->way_out));
    json_put(b, object, "count", json_integer(f->count));
    json_put(b, object, "places", places);
    return object;
}

static json_t *json_layer_outlook(struct json_builder *b, const struct inspected_layer *l,
                                  const struct layer_outlook *o) {
    json_t *object = json_object();
    json_put(b, object, "name", json_text(l->layer.name));
    json_put(b, object, "op", json_text(l->layer.op));
    json_put(b, object, "output_shape", json_inspected_shape(b, &l->output_shape));
    json_put(b, object, "parameters", json_count(l->parameters));
    json_put(b, object, "macs", l->macs_open ? json_null() : json_count(l->layer.macs));
    json_put(b, object, "weight_bytes", json_count(FLOAT_BYTES * l->parameters));
    json_put(b, object, "output_bytes",
             l->layer.output.count > 0 ? json_count(FLOAT_BYTES * l->layer.output.count) : json_null());
    json_put(b, object, "becomes", json_text(o->becomes));
    json_put(b, object, "why", json_text(o->why));
    return object;
}

static json_t *json_totals(struct json_builder *b, const struct preflight *p) {
    struct totals t = sum(p);
    json_t *object = json_object();
    json_put(b, object, "parameters", json_count(t.parameters));
    json_put(b, object, "macs", t.macs_open ? json_null() : json_count(t.macs));
    json_put(b, object, "integers", json_count(t.integers));
    json_put(b, object, "cut", json_count(t.cut));
    json_put(b, object, "float", json_count(t.floats));
    json_put(b, object, "unknown", json_count(t.unknown));
    return object;
}

enum pare_status preflight_json(struct context *ctx, const struct preflight *p, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object(), *findings = json_array(), *layers = json_array();
    for (const struct finding *f = p->findings->first; f != NULL; f = f->next) {
        json_add(&b, findings, json_finding(&b, f));
    }
    for (size_t k = 0; k < p->model->layer_count; k++) {
        json_add(&b, layers, json_layer_outlook(&b, &p->model->layers[k], &p->outlooks[k]));
    }
    json_put(&b, root, "file", json_text(p->model->file));
    json_put(&b, root, "kind", json_text(p->model->kind));
    json_put(&b, root, "opset", json_integer(p->opset));
    json_put(&b, root, "producer", json_text(p->producer));
    json_put(&b, root, "verdict", json_text(p->verdict));
    json_put(&b, root, "findings", findings);
    json_put_ports(&b, root, p->model);
    json_put(&b, root, "layers", layers);
    json_put(&b, root, "totals", json_totals(&b, p));
    return json_finish(ctx, &b, root, out);
}
