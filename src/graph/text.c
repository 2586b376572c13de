/* Printing of the text form. Its grammar, with "..." for tokens and # for comments up to the end of a line:
 *
 *   graph     "graph" name "{" statement* "}"
 *   statement "metadata" string string                       key and text
 *           | "input" declared                               in the order of the graph's inputs
 *           | "const" declared "=" data
 *           | "value" declared                               one that nothing produces
 *           | result ("," result)* "=" operator "(" [ argument ("," argument)* ] ")" [ "as" name ] [ "origin" operator
 * ] [ "{" attribute ("," attribute)* "}" ] | "output" name                                  in the order of the graph's
 * outputs result    declared | "-"                                 "-": an omitted optional output argument  name | "-"
 * "-": an omitted optional input declared  name [ ":" type ] [ format ] type      ( element | "?" ) "[" [ dim (","
 * dim)* ] "]" | ( element | "?" ) "[" "..." "]" element   "float32", "int8", ...                         names of enum
 * dtype dim       integer | name | "?"                           known, symbolic, unknown; "[...]" is an unknown rank
 *   format    "q" "(" bits "," frac "," ( "s" | "u" ) ")"
 *           | "q" "(" bits "," "[" frac ("," frac)* "]" "," ( "s" | "u" ) "," axis ")"
 *   data      number                                         of a tensor of one element
 *           | "[" [ number ("," number)* ] "]"               all elements in row-major order
 *           | "splat" "(" number ")"
 *           | "random" "(" seed "," low "," high ")"         uniform in [low, high), the same on every machine
 *           | "hex" "(" string ")"                           the bytes in memory, little-endian
 *           | "elided" "(" hash ")"                          printed by graph_print_brief only: does not parse
 *   attribute name "=" value                                 of the type that the operator's row says
 *   value     number | string | "[" numbers "]" | type data | graph
 *
 * A name is bare where it is made of letters, digits, _ / and . and begins with a letter, _ or /, and is no keyword;
 * else a string "..." with the escapes \" \\ \n \xHH. Values are defined before they are used. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Constants with more elements are printed as splat, hex or elided. */
#define INLINE_ELEMENTS 64

struct printer {
    struct buffer *out;
    bool brief;
    int depth;
};

static void print_indent(const struct printer *p) {
    for (int i = 0; i < p->depth; i++) {
        write_bytes(p->out, "  ", 2);
    }
}

static void print_string(const struct printer *p, const char *s) {
    write_bytes(p->out, "\"", 1);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            write_format(p->out, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            write_format(p->out, "\\x%02x", c);
        } else {
            write_bytes(p->out, s, 1);
        }
    }
    write_bytes(p->out, "\"", 1);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/"

static bool is_bare(const char *name) {
    static const char *const keywords[] = {"metadata", "input",  "output", "const", "value",
                                           "as",       "origin", "q",      "inf",   "nan"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strcmp(name, keywords[i]) == 0) {
            return false;
        }
    }
    return strspn(name, LETTERS) > 0 && name[strspn(name, LETTERS ".0123456789")] == '\0';
}

static void print_name(const struct printer *p, const char *name) {
    if (is_bare(name)) {
        write_bytes(p->out, name, strlen(name));
    } else {
        print_string(p, name);
    }
}

static void print_type(const struct printer *p, enum dtype type, int rank, const struct dim *dims) {
    write_format(p->out, "%s[", type == DTYPE_NONE ? "?" : dtype_name(type));
    if (rank < 0) {
        write_format(p->out, "...");
    }
    for (int i = 0; i < rank; i++) {
        if (i > 0) {
            write_bytes(p->out, ",", 1);
        }
        if (dims[i].value >= 0) {
            write_format(p->out, "%" PRId64, dims[i].value);
        } else if (dims[i].symbol == NULL) {
            write_bytes(p->out, "?", 1);
        } else {
            print_name(p, dims[i].symbol);
        }
    }
    write_bytes(p->out, "]", 1);
}

static void print_format(const struct printer *p, const struct format *f) {
    char sign = f->is_signed ? 's' : 'u';
    if (f->channel_frac == NULL) {
        write_format(p->out, " q(%d,%d,%c)", f->bits, f->frac, sign);
        return;
    }
    write_format(p->out, " q(%d,[", f->bits);
    for (int i = 0; i < f->channels; i++) {
        write_format(p->out, i == 0 ? "%d" : ",%d", f->channel_frac[i]);
    }
    write_format(p->out, "],%c,%d)", sign, f->axis);
}

static void print_declared(const struct printer *p, const struct value *v) {
    print_name(p, v->name);
    if (v->type != DTYPE_NONE || v->rank >= 0) {
        write_bytes(p->out, ": ", 2);
        print_type(p, v->type, v->rank, v->dims);
    }
    if (v->format != NULL) {
        print_format(p, v->format);
    }
}

static void print_number(const struct printer *p, enum dtype type, const struct tensor *t, size_t i) {
    if (type == DTYPE_DOUBLE) {
        write_format(p->out, "%.17g", tensor_get_double(t, i));
    } else if (dtype_is_float(type)) {
        write_format(p->out, "%.9g", tensor_get_double(t, i));
    } else {
        write_format(p->out, "%" PRId64, tensor_get_int(t, i));
    }
}

/* Whether every element survives being printed as a number: no NaN, whose bits a number does not tell. */
static bool is_printable(const struct tensor *t) {
    size_t count = tensor_count(t);
    if (count > INLINE_ELEMENTS || t->type == DTYPE_UINT64) {
        return false;
    }
    for (size_t i = 0; dtype_is_float(t->type) && i < count; i++) {
        if (isnan(tensor_get_double(t, i))) {
            return false;
        }
    }
    return true;
}

static bool is_splat(const struct tensor *t) {
    size_t size = dtype_size(t->type);
    size_t count = tensor_count(t);
    const unsigned char *data = t->data;
    if (count < 2 || t->type == DTYPE_UINT64 || (dtype_is_float(t->type) && isnan(tensor_get_double(t, 0)))) {
        return false;
    }
    return memcmp(data, data + size, (count - 1) * size) == 0;
}

static void print_list(const struct printer *p, const struct tensor *t) {
    write_bytes(p->out, "[", 1);
    for (size_t i = 0; i < tensor_count(t); i++) {
        if (i > 0) {
            write_bytes(p->out, ", ", 2);
        }
        print_number(p, t->type, t, i);
    }
    write_bytes(p->out, "]", 1);
}

static void print_hex(const struct printer *p, const struct tensor *t) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *data = t->data;
    write_format(p->out, "hex(\"");
    for (size_t i = 0; i < tensor_bytes(t); i++) {
        char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
        write_bytes(p->out, pair, 2);
    }
    write_format(p->out, "\")");
}

static void print_data(const struct printer *p, const struct tensor *t) {
    if (is_splat(t)) {
        write_format(p->out, "splat(");
        print_number(p, t->type, t, 0);
        write_bytes(p->out, ")", 1);
    } else if (is_printable(t)) {
        print_list(p, t);
    } else if (p->brief) {
        write_format(p->out, "elided(%016" PRIx64 ")", hash_of(t->data, tensor_bytes(t), 0));
    } else {
        print_hex(p, t);
    }
}

static void print_ints(const struct printer *p, const struct attr *a) {
    for (size_t i = 0; i < a->count; i++) {
        write_format(p->out, i == 0 ? "%" PRId64 : ",%" PRId64, a->ints[i]);
    }
}

static void print_floats(const struct printer *p, const struct attr *a) {
    for (size_t i = 0; i < a->count; i++) {
        write_format(p->out, i == 0 ? "%.9g" : ",%.9g", (double)a->floats[i]);
    }
}

static void print_graph(const struct printer *p, const struct graph *g);

static void print_tensor(const struct printer *p, const struct tensor *t) {
    struct dim dims[TENSOR_MAX_RANK];
    for (int i = 0; i < t->shape.rank; i++) {
        dims[i] = (struct dim){.value = t->shape.dim[i]};
    }
    print_type(p, t->type, t->shape.rank, dims);
    write_bytes(p->out, " ", 1);
    print_data(p, t);
}

static void print_attr(const struct printer *p, const struct attr *a) {
    print_name(p, a->name);
    write_bytes(p->out, "=", 1);
    switch (a->type) {
    case ATTR_INT:
        write_format(p->out, "%" PRId64, a->i);
        break;
    case ATTR_FLOAT:
        write_format(p->out, "%.9g", (double)a->f);
        break;
    case ATTR_STRING:
    case ATTR_STRINGS:
        print_string(p, a->s);
        break;
    case ATTR_INTS:
    case ATTR_FLOATS:
        write_bytes(p->out, "[", 1);
        (a->type == ATTR_INTS ? print_ints : print_floats)(p, a);
        write_bytes(p->out, "]", 1);
        break;
    case ATTR_TENSOR:
        print_tensor(p, a->tensor);
        break;
    case ATTR_GRAPH:
        print_graph(p, a->graph);
        break;
    }
}

static void print_node(const struct printer *p, const struct node *n) {
    print_indent(p);
    for (int i = 0; i < n->output_count; i++) {
        write_format(p->out, i == 0 ? "" : ", ");
        if (n->outputs[i] == NULL) {
            write_bytes(p->out, "-", 1);
        } else {
            print_declared(p, n->outputs[i]);
        }
    }
    write_format(p->out, " = %s(", n->op->name);
    for (int i = 0; i < n->input_count; i++) {
        write_format(p->out, i == 0 ? "" : ", ");
        if (n->inputs[i] == NULL) {
            write_bytes(p->out, "-", 1);
        } else {
            print_name(p, n->inputs[i]->name);
        }
    }
    write_format(p->out, ") as ");
    print_name(p, n->name);
    if (n->origin != n->op) {
        write_format(p->out, " origin %s", n->origin->name);
    }
    for (int i = 0; i < n->attr_count; i++) {
        write_format(p->out, i == 0 ? " {" : ", ");
        print_attr(p, &n->attrs[i]);
    }
    write_format(p->out, n->attr_count > 0 ? "}\n" : "\n");
}

static void print_sources(const struct printer *p, const struct graph *g) {
    for (int i = 0; i < g->input_count; i++) {
        print_indent(p);
        write_format(p->out, "input ");
        print_declared(p, g->inputs[i]);
        write_bytes(p->out, "\n", 1);
    }
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        if (v->is_input || v->producer != NULL) {
            continue;
        }
        print_indent(p);
        write_format(p->out, v->constant != NULL ? "const " : "value ");
        print_declared(p, v);
        if (v->constant != NULL) {
            write_format(p->out, " = ");
            print_data(p, v->constant);
        }
        write_bytes(p->out, "\n", 1);
    }
}

static void print_metadata(const struct printer *p, const struct metadata *m) {
    print_indent(p);
    write_format(p->out, "metadata ");
    print_string(p, m->key);
    write_bytes(p->out, " ", 1);
    print_string(p, m->text);
    write_bytes(p->out, "\n", 1);
}

static void print_graph(const struct printer *p, const struct graph *g) {
    struct printer inner = {.out = p->out, .brief = p->brief, .depth = p->depth + 1};
    write_format(p->out, "graph ");
    print_name(p, g->name);
    write_format(p->out, " {\n");
    for (int i = 0; i < g->metadata_count; i++) {
        print_metadata(&inner, &g->metadata[i]);
    }
    print_sources(&inner, g);
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        print_node(&inner, n);
    }
    for (int i = 0; i < g->output_count; i++) {
        print_indent(&inner);
        write_format(p->out, "output ");
        print_name(p, g->outputs[i]->name);
        write_bytes(p->out, "\n", 1);
    }
    print_indent(p);
    write_bytes(p->out, "}", 1);
}

static enum pare_status print_whole(struct context *ctx, const struct graph *g, bool brief, struct buffer *out) {
    struct printer p = {.out = out, .brief = brief};
    print_graph(&p, g);
    write_bytes(out, "\n", 1);
    return out->failed ? fail_memory(ctx) : PARE_OK;
}

enum pare_status graph_print(struct context *ctx, const struct graph *g, struct buffer *out) {
    return print_whole(ctx, g, false, out);
}

enum pare_status graph_print_brief(struct context *ctx, const struct graph *g, struct buffer *out) {
    return print_whole(ctx, g, true, out);
}

enum pare_status graph_hash(struct context *ctx, const struct graph *g, uint64_t seed, uint64_t *hash) {
    struct buffer text;
    buffer_init(&text);
    enum pare_status status = graph_print_brief(ctx, g, &text);
    *hash = hash_of(text.data, text.size, seed);
    buffer_free(&text);
    return status;
}
