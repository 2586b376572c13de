#include "operators_of.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NESTING_MAX 16

struct wire {
    const uint8_t *at, *end;
};

struct field {
    uint64_t number;
    struct wire bytes; /* of a length-delimited field, else empty */
};

static uint64_t read_varint(struct wire *w) {
    uint64_t v = 0;
    for (unsigned shift = 0; w->at < w->end && shift < 64; shift += 7) {
        uint8_t byte = *w->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return v;
}

static bool read_field(struct wire *w, struct field *f) {
    if (w->at >= w->end) {
        return false;
    }
    uint64_t key = read_varint(w), kind = key & 7;
    uint64_t size = kind == 0 ? 0 : kind == 1 ? 8 : kind == 5 ? 4 : read_varint(w);
    if (kind == 0) {
        read_varint(w);
    }
    if (size > (uint64_t)(w->end - w->at)) {
        return false;
    }
    f->number = key >> 3;
    f->bytes = (struct wire){w->at, w->at + (kind == 2 ? size : 0)};
    w->at += size;
    return true;
}

static void add_name(struct operators *out, struct wire w) {
    size_t size = (size_t)(w.end - w.at), length = size < OPERATOR_NAME_MAX - 1 ? size : OPERATOR_NAME_MAX - 1;
    char name[OPERATOR_NAME_MAX] = "";
    memcpy(name, w.at, length);
    for (int i = 0; i < out->count; i++) {
        if (strcmp(out->names[i], name) == 0) {
            return;
        }
    }
    if (out->count < OPERATORS_MAX) {
        memcpy(out->names[out->count++], name, sizeof name);
    }
}

static void read_node(struct wire node, struct operators *out, int nesting);

/* GraphProto.node is field 1. */
static void read_graph(struct wire graph, struct operators *out, int nesting) {
    struct field f;
    while (nesting < NESTING_MAX && read_field(&graph, &f)) {
        if (f.number == 1) {
            out->nodes += nesting == 0;
            read_node(f.bytes, out, nesting);
        }
    }
}

/* NodeProto: op_type is field 4, attribute field 5; AttributeProto.g is field 6. */
static void read_node(struct wire node, struct operators *out, int nesting) {
    struct field f, a;
    while (read_field(&node, &f)) {
        if (f.number == 4) {
            add_name(out, f.bytes);
        }
        while (f.number == 5 && read_field(&f.bytes, &a)) {
            if (a.number == 6) {
                read_graph(a.bytes, out, nesting + 1);
            }
        }
    }
}

/* ModelProto: graph is field 7, functions field 25; FunctionProto.node is field 7. */
void operators_of(const void *model, size_t size, struct operators *out) {
    struct wire w = {model, (const uint8_t *)model + size};
    struct field f, n;
    *out = (struct operators){.count = 0};
    while (read_field(&w, &f)) {
        if (f.number == 7) {
            read_graph(f.bytes, out, 0);
        }
        while (f.number == 25 && read_field(&f.bytes, &n)) {
            if (n.number == 7) {
                read_node(n.bytes, out, 1);
            }
        }
    }
}
