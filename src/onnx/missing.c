#include "onnx/missing.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KINDS_MAX 256 /* kept by name; more are only counted */
#define WHAT_MAX 160
#define NAME_SHOWN 64
#define LIST_MAX (DIAG_MESSAGE_MAX - 640) /* room for the place and the way out */

static struct missing_item *find(const struct missing *m, const char *what) {
    struct missing_item *item = m->first;
    while (item != NULL && strcmp(item->what, what) != 0) {
        item = item->next;
    }
    return item;
}

static struct missing_item *append(struct missing *m, const char *what) {
    struct missing_item *item = ARENA_NEW(m->arena, struct missing_item);
    if (item == NULL || (item->what = arena_string(m->arena, what)) == NULL) {
        return NULL;
    }
    *(m->last == NULL ? &m->first : &m->last->next) = item;
    m->last = item;
    m->count++;
    return item;
}

enum pare_status missing_add(struct context *ctx, struct missing *m, const char *node, const char *what, ...) {
    char text[WHAT_MAX];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    struct missing_item *item = find(m, text);
    if (item == NULL && m->count >= KINDS_MAX) {
        m->count++;
        return PARE_OK;
    }
    if (item == NULL && (item = append(m, text)) == NULL) {
        return fail_memory(ctx);
    }
    if (item->count < MISSING_NODES_NAMED) {
        item->nodes[item->count] = arena_string(m->arena, node);
        if (item->nodes[item->count] == NULL) {
            return fail_memory(ctx);
        }
    }
    item->count++;
    return PARE_OK;
}

static void write_item(struct buffer *b, const struct missing_item *item) {
    write_format(b, "%s (", item->what);
    for (int i = 0; i < item->count && i < MISSING_NODES_NAMED; i++) {
        write_format(b, "%s%.*s", i == 0 ? "" : ", ", NAME_SHOWN, item->nodes[i]);
    }
    if (item->count > MISSING_NODES_NAMED) {
        write_format(b, " and %d more", item->count - MISSING_NODES_NAMED);
    }
    write_format(b, ")");
}

enum pare_status missing_report(struct context *ctx, const struct missing *m) {
    struct buffer list;
    int written = 0;
    buffer_init(&list);
    for (const struct missing_item *item = m->first; item != NULL && list.size < LIST_MAX; item = item->next) {
        write_format(&list, "%s", written++ == 0 ? "" : "; ");
        write_item(&list, item);
    }
    if (written < m->count) {
        write_format(&list, "; and %d further kinds", m->count - written);
    }
    write_u8(&list, 0);
    enum pare_status status =
        list.failed ? fail_memory(ctx)
                    : fail(ctx, PARE_ERROR_UNSUPPORTED,
                           "not supported: %s; replace these in the exporter, or cut the model before them",
                           (const char *)list.data);
    buffer_free(&list);
    return status;
}
