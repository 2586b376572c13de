#include "report/memory_map.h"

#include "report/table.h"

static void fill_table(struct table *t, const struct memory_map *m) {
    table_column(t, "writer", false);
    table_column(t, "op", false);
    table_column(t, "bytes", true);
    table_column(t, "from", true);
    table_column(t, "last reader", false);
    table_column(t, "alive", true);
    table_column(t, "", false);
    for (size_t i = 0; i < m->count; i++) {
        const struct memory_row *row = &m->rows[i];
        table_cell(t, "%s", row->name);
        table_cell(t, "%s", row->op);
        table_cell(t, "%s", grouped_number(t->arena, row->size));
        table_cell(t, "%s", grouped_number(t->arena, row->offset));
        table_cell(t, "%s", row->last_reader != NULL ? row->last_reader : "(output)");
        table_cell(t, "%s", grouped_number(t->arena, row->alive));
        if (row->overwritten != NULL) {
            table_cell(t, "in place of %s%s", row->overwritten, row->alive == m->lower_bound ? ", peak" : "");
        } else {
            table_cell(t, "%s", row->alive == m->lower_bound ? "peak" : "");
        }
    }
}

enum pare_status memory_map_text(struct context *ctx, const struct memory_map *m, struct buffer *out) {
    struct arena arena;
    struct table table;
    arena_init(&arena);
    table_init(&table, &arena);
    fill_table(&table, m);
    write_format(out, "%s: activations of one sample\n\n", m->file);
    table_print(&table, out);
    write_format(
        out,
        "\nalive: bytes that are needed while the operator runs; their peak, %s bytes, is what any plan needs\n"
        "arena: %s bytes; the most that an operator reads and writes: %s bytes\n",
        grouped_number(&arena, m->lower_bound), grouped_number(&arena, m->arena),
        grouped_number(&arena, m->largest_pair));
    arena_free(&arena);
    return table.failed || out->failed ? fail_memory(ctx) : PARE_OK;
}

static json_t *json_row(struct json_builder *b, const struct memory_row *row) {
    json_t *object = json_object();
    json_put(b, object, "alive", json_count(row->alive));
    json_put(b, object, "last_reader", json_text(row->last_reader));
    json_put(b, object, "name", json_text(row->name));
    json_put(b, object, "offset", json_count(row->offset));
    json_put(b, object, "op", json_text(row->op));
    json_put(b, object, "overwritten", json_text(row->overwritten));
    json_put(b, object, "size", json_count(row->size));
    return object;
}

enum pare_status memory_map_json(struct context *ctx, const struct memory_map *m, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object(), *rows = json_array();
    for (size_t i = 0; i < m->count; i++) {
        json_add(&b, rows, json_row(&b, &m->rows[i]));
    }
    json_put(&b, root, "arena", json_count(m->arena));
    json_put(&b, root, "file", json_text(m->file));
    json_put(&b, root, "largest_pair", json_count(m->largest_pair));
    json_put(&b, root, "lower_bound", json_count(m->lower_bound));
    json_put(&b, root, "values", rows);
    return json_finish(ctx, &b, root, out);
}
