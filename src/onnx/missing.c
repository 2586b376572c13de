#include "onnx/missing.h"

#include <stdarg.h>
#include <stdio.h>

#define WHAT_MAX 160
#define NAME_SHOWN 64
#define LIST_MAX (DIAG_MESSAGE_MAX - 640) /* room for the place and the way out */

enum pare_status missing_operator(struct context *ctx, struct findings *f, const char *node, const char *name) {
    static const struct finding kind = {
        .kind = FINDING_OPERATOR, .blocks = true, .way_out = "replace it in the exporter, or cut the model before it"};
    return findings_add(ctx, f, &kind, node, "%.140s", name);
}

enum pare_status missing_attribute(struct context *ctx, struct findings *f, const char *node, const char *attribute,
                                   const char *op_type) {
    static const struct finding kind = {
        .kind = FINDING_ATTRIBUTE, .blocks = true, .way_out = "export the operator without it, or for another opset"};
    return findings_add(ctx, f, &kind, node, "attribute `%.64s` of %.64s", attribute, op_type);
}

enum pare_status missing_add(struct context *ctx, struct findings *f, const char *node, const char *what, ...) {
    static const struct finding kind = {
        .kind = FINDING_FORM, .blocks = true, .way_out = "change it in the exporter, or cut the model before it"};
    char text[WHAT_MAX];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    return findings_add(ctx, f, &kind, node, "%s", text);
}

static void write_item(struct buffer *b, const struct finding *item) {
    write_format(b, "%s (", item->what);
    for (int i = 0; i < item->named && i < MISSING_NODES_NAMED; i++) {
        write_format(b, "%s%.*s", i == 0 ? "" : ", ", NAME_SHOWN, item->places[i]);
    }
    if (item->count > MISSING_NODES_NAMED) {
        write_format(b, " and %d more", item->count - MISSING_NODES_NAMED);
    }
    write_format(b, ")");
}

void missing_write(const struct findings *f, struct buffer *out) {
    int written = 0;
    for (const struct finding *item = f->first; item != NULL && out->size < LIST_MAX; item = item->next) {
        write_format(out, "%s", written++ == 0 ? "" : "; ");
        write_item(out, item);
    }
    if (written < f->count) {
        write_format(out, "; and %d further kinds", f->count - written);
    }
}

enum pare_status missing_report(struct context *ctx, const struct findings *f) {
    struct buffer list;
    buffer_init(&list);
    missing_write(f, &list);
    write_u8(&list, 0);
    enum pare_status status =
        list.failed ? fail_memory(ctx)
                    : fail(ctx, PARE_ERROR_UNSUPPORTED,
                           "not supported: %s; replace these in the exporter, or cut the model before them",
                           (const char *)list.data);
    buffer_free(&list);
    return status;
}
