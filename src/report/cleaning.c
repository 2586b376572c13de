#include "report/cleaning.h"

#include "report/table.h"

static void file_row(struct table *t, const struct cleaned_file *f) {
    table_cell(t, "%s", f->name);
    table_cell(t, "%d", f->opset);
    table_cell(t, "%s", grouped_number(t->arena, (unsigned long long)f->nodes));
    table_cell(t, "%s", grouped_number(t->arena, f->bytes));
}

static bool print_files(const struct cleaning *c, struct arena *a, struct buffer *out) {
    struct table t;
    table_init(&t, a);
    table_column(&t, "file", false);
    table_column(&t, "opset", true);
    table_column(&t, "nodes", true);
    table_column(&t, "bytes", true);
    file_row(&t, &c->before);
    file_row(&t, &c->after);
    table_print(&t, out);
    return !t.failed;
}

static void print_passes(const struct cleaning *c, struct buffer *out) {
    bool any = false;
    write_format(out, "\nrewrites: ");
    for (size_t i = 0; i < c->pass_count; i++) {
        if (c->changes[i] > 0) {
            write_format(out, "%s%s (%d)", any ? ", " : "", c->passes[i], c->changes[i]);
            any = true;
        }
    }
    write_format(out, "%s\n", any ? "" : "none");
}

enum pare_status cleaning_text(struct context *ctx, const struct cleaning *c, struct buffer *out) {
    struct arena a;
    arena_init(&a);
    bool fine = print_files(c, &a, out);
    print_passes(c, out);
    if (c->samples > 0) {
        write_format(out, "outputs compared on made-up inputs and %zu given sample%s\n", c->samples,
                     c->samples == 1 ? "" : "s");
    } else {
        write_format(out, "outputs compared on made-up inputs\n");
    }
    if (c->growth != NULL) {
        write_format(out, "the file is larger than before: %s\n", c->growth);
    }
    arena_free(&a);
    return fine && !out->failed ? PARE_OK : fail_memory(ctx);
}

static json_t *json_file(struct json_builder *b, const struct cleaned_file *f) {
    json_t *object = json_object();
    json_put(b, object, "name", json_text(f->name));
    json_put(b, object, "opset", json_integer(f->opset));
    json_put(b, object, "nodes", json_integer(f->nodes));
    json_put(b, object, "bytes", json_count(f->bytes));
    return object;
}

enum pare_status cleaning_json(struct context *ctx, const struct cleaning *c, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object(), *passes = json_object();
    for (size_t i = 0; i < c->pass_count; i++) {
        json_put(&b, passes, c->passes[i], json_integer(c->changes[i]));
    }
    json_put(&b, root, "before", json_file(&b, &c->before));
    json_put(&b, root, "after", json_file(&b, &c->after));
    json_put(&b, root, "rewrites", passes);
    json_put(&b, root, "samples", json_count(c->samples));
    json_put(&b, root, "growth", json_text(c->growth));
    return json_finish(ctx, &b, root, out);
}
