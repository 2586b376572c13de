#include "tensor/npy.h"

#include "base/file.h"

#include <string.h>

/* The header of a .npy file is a Python dictionary literal such as
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * in ASCII or UTF-8, with its keys in any order
 * (numpy.lib.format, "Format Version 1.0" to "3.0"). */
struct npy_header {
    enum dtype type;
    bool big_endian, fortran_order;
    struct shape shape;
};

struct literal {
    struct context *ctx;
    const char *place;
    const char *text;
    size_t size, at;
};

static enum pare_status bad_header(const struct literal *l, const char *what) {
    return fail(l->ctx, PARE_ERROR_INPUT, "%s: the .npy header is broken at byte %zu: %s", l->place, l->at, what);
}

static char peek(struct literal *l) {
    while (l->at < l->size && strchr(" \t\r\n", l->text[l->at]) != NULL && l->text[l->at] != '\0') {
        l->at++;
    }
    if (l->at == l->size) {
        return '\0';
    }
    return l->text[l->at];
}

static bool accept(struct literal *l, char c) {
    if (c == '\0' || peek(l) != c) {
        return false;
    }
    l->at++;
    return true;
}

static bool accept_word(struct literal *l, const char *word) {
    size_t length = strlen(word);
    peek(l);
    if (length > l->size - l->at || memcmp(l->text + l->at, word, length) != 0) {
        return false;
    }
    l->at += length;
    return true;
}

/* A quoted string without escapes, which no key and no type description contains. */
static enum pare_status parse_string(struct literal *l, char *out, size_t size) {
    char quote = peek(l);
    if (quote != '\'' && quote != '"') {
        return bad_header(l, "expected a quoted string");
    }
    const char *start = l->text + l->at + 1;
    const char *end = memchr(start, quote, l->size - l->at - 1);
    if (end == NULL || (size_t)(end - start) >= size) {
        return bad_header(l, "a string without end, or too long");
    }
    size_t length = (size_t)(end - start);
    memcpy(out, start, length);
    out[length] = '\0';
    l->at += length + 2;
    return PARE_OK;
}

static enum pare_status parse_dimension(struct literal *l, int64_t *out) {
    char c = peek(l);
    if (c < '0' || c > '9') {
        return bad_header(l, "expected a dimension, an integer that is not negative");
    }
    int64_t v = 0;
    for (; l->at < l->size && l->text[l->at] >= '0' && l->text[l->at] <= '9'; l->at++) {
        int digit = l->text[l->at] - '0';
        if (v > (INT64_MAX - digit) / 10) {
            return bad_header(l, "a dimension above the range of 64 bits");
        }
        v = v * 10 + digit;
    }
    accept(l, 'L'); /* written by Python 2 */
    *out = v;
    return PARE_OK;
}

static enum pare_status parse_shape(struct literal *l, struct shape *shape) {
    *shape = (struct shape){0};
    if (!accept(l, '(')) {
        return bad_header(l, "expected a tuple of dimensions");
    }
    while (!accept(l, ')')) {
        if (shape->rank == TENSOR_MAX_RANK) {
            return bad_header(l, "more than 8 dimensions");
        }
        TRY(parse_dimension(l, &shape->dim[shape->rank]));
        shape->rank++;
        if (!accept(l, ',') && peek(l) != ')') {
            return bad_header(l, "expected , or ) in the shape");
        }
    }
    return PARE_OK;
}

/* "<f4": byte order, kind, bytes. */
static enum pare_status parse_type(struct literal *l, struct npy_header *h) {
    static const struct {
        const char *code;
        enum dtype type;
    } codes[] = {
        {"b1", DTYPE_BOOL},   {"i1", DTYPE_INT8},    {"i2", DTYPE_INT16},  {"i4", DTYPE_INT32},
        {"i8", DTYPE_INT64},  {"u1", DTYPE_UINT8},   {"u2", DTYPE_UINT16}, {"u4", DTYPE_UINT32},
        {"u8", DTYPE_UINT64}, {"f2", DTYPE_FLOAT16}, {"f4", DTYPE_FLOAT},  {"f8", DTYPE_DOUBLE},
    };
    if (peek(l) == '[') {
        return fail(l->ctx, PARE_ERROR_INPUT, "%s: a structured array; save each field as an array of its own",
                    l->place);
    }
    char text[32] = "";
    TRY(parse_string(l, text, sizeof text));
    const char *code = text[0] != '\0' && strchr("<>|=", text[0]) != NULL ? text + 1 : text;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(code, codes[i].code) == 0) {
            h->type = codes[i].type;
            h->big_endian = text[0] == '>';
            return PARE_OK;
        }
    }
    return fail(l->ctx, PARE_ERROR_INPUT,
                "%s: elements of NumPy type '%s'%s cannot be read; save bool, integers or floats of 16 to 64 bits",
                l->place, text, code[0] == 'O' ? " (pickled Python objects)" : "");
}

static enum pare_status parse_flag(struct literal *l, bool *out) {
    *out = accept_word(l, "True");
    return *out || accept_word(l, "False") ? PARE_OK : bad_header(l, "expected True or False");
}

static enum pare_status parse_entry(struct literal *l, struct npy_header *h, unsigned *seen) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[32] = "";
    TRY(parse_string(l, key, sizeof key));
    unsigned k = 0;
    while (k < 3 && strcmp(key, keys[k]) != 0) {
        k++;
    }
    if (k == 3 || (*seen & 1u << k) != 0) {
        return bad_header(l, "an unknown or repeated key");
    }
    *seen |= 1u << k;
    if (!accept(l, ':')) {
        return bad_header(l, "expected : after a key");
    }
    return k == 0 ? parse_type(l, h) : k == 1 ? parse_flag(l, &h->fortran_order) : parse_shape(l, &h->shape);
}

static enum pare_status parse_dictionary(struct literal *l, struct npy_header *h) {
    unsigned seen = 0;
    if (!accept(l, '{')) {
        return bad_header(l, "expected a dictionary");
    }
    while (!accept(l, '}')) {
        TRY(parse_entry(l, h, &seen));
        if (!accept(l, ',') && peek(l) != '}') {
            return bad_header(l, "expected , or } after an entry");
        }
    }
    if (seen != 7 || peek(l) != '\0' || l->at < l->size) {
        return bad_header(l, "expected 'descr', 'fortran_order' and 'shape', and nothing else");
    }
    return PARE_OK;
}

/* Leaves the reader at the first element. */
static enum pare_status parse_header(struct context *ctx, const char *place, struct reader *r, struct npy_header *h) {
    const uint8_t *magic = read_bytes(r, 6);
    if (magic == NULL || memcmp(magic, "\x93NUMPY", 6) != 0) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is no .npy data (it does not begin with NumPy's mark)", place);
    }
    unsigned major = read_u8(r);
    unsigned minor = read_u8(r);
    if (!r->failed && (major < 1 || major > 3 || minor != 0)) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: .npy format %u.%u; 1.0, 2.0 and 3.0 can be read", place, major, minor);
    }
    size_t size = major == 1 ? read_u16(r) : read_u32(r);
    const uint8_t *text = read_bytes(r, size);
    if (text == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: the .npy header is cut off", place);
    }
    struct literal l = {.ctx = ctx, .place = place, .text = (const char *)text, .size = size};
    return parse_dictionary(&l, h);
}

static bool host_is_big_endian(void) {
    const uint16_t one = 1;
    uint8_t first = 0;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void copy_element(uint8_t *to, const uint8_t *from, size_t size, bool swap) {
    for (size_t i = 0; i < size; i++) {
        to[i] = from[swap ? size - 1 - i : i];
    }
}

/* In Fortran order the first index runs fastest: walk the elements in C order, the last index fastest, with the
 * strides of the source. */
static void copy_fortran(struct tensor *out, const uint8_t *from, size_t size, bool swap) {
    const struct shape *s = &out->shape;
    size_t stride[TENSOR_MAX_RANK] = {0};
    int64_t index[TENSOR_MAX_RANK] = {0};
    size_t step = size;
    for (int d = 0; d < s->rank; d++) {
        stride[d] = step;
        step *= (size_t)s->dim[d];
    }
    size_t count = tensor_count(out);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        copy_element((uint8_t *)out->data + i * size, from + at, size, swap);
        for (int d = s->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < s->dim[d]) {
                break;
            }
            at -= stride[d] * (size_t)index[d];
            index[d] = 0;
        }
    }
}

static void copy_elements(struct tensor *out, const uint8_t *from, const struct npy_header *h) {
    size_t size = dtype_size(h->type);
    size_t count = tensor_count(out);
    bool swap = size > 1 && h->big_endian != host_is_big_endian();
    if (h->fortran_order && h->shape.rank > 1) {
        copy_fortran(out, from, size, swap);
    } else if (swap) {
        for (size_t i = 0; i < count; i++) {
            copy_element((uint8_t *)out->data + i * size, from + i * size, size, true);
        }
    } else if (count > 0) {
        memcpy(out->data, from, count * size);
    }
    for (size_t i = 0; h->type == DTYPE_BOOL && i < count; i++) {
        ((uint8_t *)out->data)[i] = ((uint8_t *)out->data)[i] != 0;
    }
}

enum pare_status npy_parse(struct context *ctx, struct arena *a, const char *place, const void *data, size_t size,
                           struct tensor *out) {
    struct reader r;
    struct npy_header h = {0};
    reader_init(&r, data, size);
    TRY(parse_header(ctx, place, &r, &h));
    size_t count = 0;
    size_t left = r.size - r.at;
    if (!shape_count(&h.shape, &count) || count * dtype_size(h.type) != left) {
        char text[256];
        return fail(ctx, PARE_ERROR_INPUT, "%s: the header promises %s of shape %s, but %zu bytes of data follow",
                    place, dtype_name(h.type), shape_text(&h.shape, text, sizeof text), left);
    }
    if (tensor_new(ctx, a, h.type, &h.shape, out) != PARE_OK) {
        return fail_at(ctx, "%s", place);
    }
    copy_elements(out, read_bytes(&r, left), &h);
    return PARE_OK;
}

enum pare_status npy_read(struct context *ctx, struct arena *a, const char *path, struct tensor *out) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    enum pare_status status = npy_parse(ctx, a, path, map.data, map.size, out);
    file_unmap(&map);
    return status;
}

/* Types that NumPy lacks are widened without loss: bfloat16 to float32, 2 and 4 bits to a byte. */
static const char *type_code(enum dtype type) {
    switch (type) {
    case DTYPE_BOOL:
        return "b1";
    case DTYPE_INT8:
    case DTYPE_INT4:
    case DTYPE_INT2:
        return "i1";
    case DTYPE_UINT8:
    case DTYPE_UINT4:
    case DTYPE_UINT2:
        return "u1";
    case DTYPE_INT16:
        return "i2";
    case DTYPE_UINT16:
        return "u2";
    case DTYPE_INT32:
        return "i4";
    case DTYPE_UINT32:
        return "u4";
    case DTYPE_INT64:
        return "i8";
    case DTYPE_UINT64:
        return "u8";
    case DTYPE_FLOAT16:
        return "f2";
    case DTYPE_FLOAT:
    case DTYPE_BFLOAT16:
        return "f4";
    case DTYPE_DOUBLE:
        return "f8";
    default:
        return NULL;
    }
}

/* Padded with spaces so that the elements begin at a multiple of 64 bytes. */
static void append_header(struct buffer *out, const char *code, const struct shape *s) {
    struct buffer text;
    buffer_init(&text);
    const char *order = code[1] == '1' ? "|" : host_is_big_endian() ? ">" : "<";
    write_format(&text, "{'descr': '%s%s', 'fortran_order': False, 'shape': (", order, code);
    for (int d = 0; d < s->rank; d++) {
        write_format(&text, d > 0 ? ", %lld" : "%lld", (long long)s->dim[d]);
    }
    write_format(&text, s->rank == 1 ? ",), }" : "), }");
    while (!text.failed && (10 + text.size + 1) % 64 != 0) {
        write_u8(&text, ' ');
    }
    write_u8(&text, '\n');
    write_bytes(out, "\x93NUMPY\x01\x00", 8);
    write_u16(out, (uint16_t)text.size); /* at most 8 dimensions of 20 characters */
    write_bytes(out, text.data, text.size);
    out->failed = out->failed || text.failed;
    buffer_free(&text);
}

enum pare_status npy_append(struct context *ctx, struct buffer *out, const struct tensor *t) {
    const char *code = type_code(t->type);
    if (code == NULL) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "a tensor of %s cannot be written as .npy", dtype_name(t->type));
    }
    append_header(out, code, &t->shape);
    if (t->type == DTYPE_BFLOAT16) {
        size_t count = tensor_count(t);
        for (size_t i = 0; i < count; i++) {
            float f = bfloat16_to_float(((const uint16_t *)t->data)[i]);
            write_bytes(out, &f, sizeof f);
        }
    } else {
        write_bytes(out, t->data, tensor_bytes(t));
    }
    return out->failed ? fail_memory(ctx) : PARE_OK;
}
