#include "report/exported.h"

#include "report/table.h"

enum pare_status exported_text(struct context *ctx, const struct exported *e, struct buffer *out) {
    struct arena a;
    arena_init(&a);
    write_format(out, "%s: %s bytes", e->output, grouped_number(&a, e->model_bytes));
    write_format(out, "%s", e->is_folder ? " of flash for the model, beside the code" : "");
    if (e->is_compact) {
        write_format(out, "; arena: %s bytes of RAM", grouped_number(&a, e->arena_bytes));
    }
    write_format(out, "\n");
    if (e->is_folder) {
        write_format(out, "to check it: make -C %s check\n", e->output);
    }
    arena_free(&a);
    return out->failed ? fail_memory(ctx) : PARE_OK;
}

enum pare_status exported_json(struct context *ctx, const struct exported *e, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object();
    json_put(&b, root, "output", json_text(e->output));
    json_put(&b, root, "model_bytes", json_count(e->model_bytes));
    json_put(&b, root, "arena_bytes", e->is_compact ? json_count(e->arena_bytes) : json_null());
    return json_finish(ctx, &b, root, out);
}
