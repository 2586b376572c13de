/* Sources of a model that is not called "model". */
#include "api/export.h"

#include <string.h>

static bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether the model's name begins `text`: in its macros, its files, or its array. */
static bool has_name(const char *text, size_t size) {
    static const char *const words[] = {"MODEL_", "model.h", "model_data", "model_file"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (length <= size && memcmp(text, words[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static void write_name(struct buffer *out, const char *name, bool capitals) {
    for (; *name != 0; name++) {
        bool letter = *name >= 'a' && *name <= 'z';
        write_u8(out, (uint8_t)(capitals && letter ? *name - 'a' + 'A' : *name));
    }
}

static void write_renamed(struct buffer *out, const char *text, size_t size, const char *name) {
    for (size_t i = 0; i < size; i++) {
        if ((i == 0 || !in_word(text[i - 1])) && has_name(text + i, size - i)) {
            write_name(out, name, text[i] == 'M');
            i += strlen("model") - 1;
        } else {
            write_u8(out, (uint8_t)text[i]);
        }
    }
}

/* A copy in the arena, or NULL. A NUL follows the text. */
static char *renamed(struct arena *arena, const char *text, size_t *size, const char *name) {
    struct buffer out;
    buffer_init(&out);
    write_renamed(&out, text, *size, name);
    *size = out.size;
    write_u8(&out, 0);
    char *copy = out.failed ? NULL : arena_alloc(arena, out.size);
    if (copy != NULL) {
        memcpy(copy, out.data, out.size);
    }
    buffer_free(&out);
    return copy;
}

enum pare_status sources_rename(struct context *ctx, struct arena *arena, struct folder_file *files, size_t count,
                                const char *name) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(files[i].path);
        if (strchr(files[i].path, '/') != NULL) {
            continue; /* the runtime knows of no model */
        }
        files[i].path = renamed(arena, files[i].path, &length, name);
        files[i].data = renamed(arena, files[i].data, &files[i].size, name);
        if (files[i].path == NULL || files[i].data == NULL) {
            return fail_memory(ctx);
        }
    }
    return PARE_OK;
}
