/* Parsing of the text form; its grammar stands in text.c. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"
#include "graph/text_data.h"
#include "graph/text_lexer.h"

#include <limits.h>
#include <string.h>

struct parser {
    struct lexer lexer;
    struct arena scratch; /* tokens and lists of the running statement */
    size_t budget;        /* bytes that constants may still take */
};

/* What stands in a text about one value. */
struct declaration {
    const char *at, *name; /* name NULL: omitted */
    enum dtype type;
    int rank;
    struct dim dims[TENSOR_MAX_RANK];
    struct format *format;
};

static enum pare_status parse_dim(struct parser *p, struct graph *g, struct dim *out) {
    struct lexer *l = &p->lexer;
    bool unknown = false;
    *out = (struct dim){.value = -1};
    TRY(lexer_accept_mark(l, '?', &unknown));
    if (unknown) {
        return PARE_OK;
    }
    if (l->token.kind == TOKEN_NUMBER) {
        return lexer_expect_int(l, 0, INT64_MAX, &out->value);
    }
    const char *name = NULL;
    TRY(lexer_expect_name(l, &name));
    out->symbol = graph_symbol(g, name);
    return out->symbol == NULL ? fail_memory(l->ctx) : PARE_OK;
}

static enum pare_status parse_dims(struct parser *p, struct graph *g, struct declaration *d) {
    struct lexer *l = &p->lexer;
    bool more = !lexer_at_mark(l, ']');
    bool unknown = false;
    TRY(lexer_accept_mark(l, '.', &unknown));
    d->rank = unknown ? -1 : 0;
    while (more && !unknown) {
        if (d->rank == TENSOR_MAX_RANK) {
            return lexer_fail(l, l->token.at, "more than %d dimensions", TENSOR_MAX_RANK);
        }
        TRY(parse_dim(p, g, &d->dims[d->rank++]));
        TRY(lexer_accept_mark(l, ',', &more));
    }
    return lexer_expect_mark(l, ']');
}

static enum pare_status parse_type(struct parser *p, struct graph *g, struct declaration *d) {
    struct lexer *l = &p->lexer;
    bool unknown = false;
    TRY(lexer_accept_mark(l, '?', &unknown));
    if (!unknown) {
        d->type = l->token.kind == TOKEN_NAME ? dtype_from_name(l->token.text) : DTYPE_NONE;
        if (d->type == DTYPE_NONE) {
            return lexer_fail_expected(l, "an element type such as float32");
        }
        TRY(lexer_advance(l));
    }
    TRY(lexer_expect_mark(l, '['));
    return parse_dims(p, g, d);
}

static enum pare_status parse_small(struct lexer *l, int low, int high, int *out) {
    int64_t v = 0;
    TRY(lexer_expect_int(l, low, high, &v));
    *out = (int)v;
    return PARE_OK;
}

static enum pare_status parse_fracs(struct parser *p, struct graph *g, struct format *f) {
    struct lexer *l = &p->lexer;
    bool more = true;
    while (more) {
        int frac = 0;
        TRY(parse_small(l, -4096, 4096, &frac));
        int *list = list_grow(g->arena, f->channel_frac, f->channels, sizeof *list);
        if (list == NULL) {
            return fail_memory(l->ctx);
        }
        f->channel_frac = list;
        f->channel_frac[f->channels++] = frac;
        TRY(lexer_accept_mark(l, ',', &more));
    }
    return lexer_expect_mark(l, ']');
}

static enum pare_status parse_format(struct parser *p, struct graph *g, struct format **out) {
    struct lexer *l = &p->lexer;
    struct format *f = ARENA_NEW(g->arena, struct format);
    bool per_channel = false;
    bool is_unsigned = false;
    if (f == NULL) {
        return fail_memory(l->ctx);
    }
    TRY(lexer_expect_mark(l, '('));
    TRY(parse_small(l, 0, 32, &f->bits));
    TRY(lexer_expect_mark(l, ','));
    TRY(lexer_accept_mark(l, '[', &per_channel));
    TRY(per_channel ? parse_fracs(p, g, f) : parse_small(l, -4096, 4096, &f->frac));
    TRY(lexer_expect_mark(l, ','));
    TRY(lexer_accept_word(l, "u", &is_unsigned));
    if (!is_unsigned) {
        TRY(lexer_expect_word(l, "s"));
    }
    f->is_signed = !is_unsigned;
    if (per_channel) {
        TRY(lexer_expect_mark(l, ','));
        TRY(parse_small(l, 0, TENSOR_MAX_RANK - 1, &f->axis));
    }
    *out = f;
    return lexer_expect_mark(l, ')');
}

static enum pare_status parse_declared(struct parser *p, struct graph *g, struct declaration *d) {
    struct lexer *l = &p->lexer;
    bool has_type = false;
    bool has_format = false;
    *d = (struct declaration){.at = l->token.at, .rank = -1};
    TRY(lexer_expect_name(l, &d->name));
    TRY(lexer_accept_mark(l, ':', &has_type));
    if (has_type) {
        TRY(parse_type(p, g, d));
    }
    TRY(lexer_accept_word(l, "q", &has_format));
    return has_format ? parse_format(p, g, &d->format) : PARE_OK;
}

static enum pare_status add_declared(struct parser *p, struct graph *g, const struct declaration *d,
                                     struct value **out) {
    if (graph_find(g, d->name) != NULL) {
        return lexer_fail(&p->lexer, d->at, "'%.60s' is defined twice", d->name);
    }
    struct value *v = NULL;
    TRY(graph_add_value(p->lexer.ctx, g, d->name, NULL, &v));
    v->type = d->type;
    v->rank = d->rank;
    memcpy(v->dims, d->dims, sizeof v->dims);
    v->format = d->format;
    *out = v;
    return PARE_OK;
}

static enum pare_status parse_source(struct parser *p, struct graph *g, bool is_input) {
    struct declaration d;
    struct value *v = NULL;
    TRY(lexer_advance(&p->lexer));
    TRY(parse_declared(p, g, &d));
    TRY(add_declared(p, g, &d, &v));
    return is_input ? graph_add_input(p->lexer.ctx, g, v) : PARE_OK;
}

/* A tensor whose type was read into `d`. */
static enum pare_status parse_tensor(struct parser *p, struct graph *g, const struct declaration *d,
                                     struct tensor *out) {
    struct shape shape = {.rank = d->rank};
    bool known = d->rank >= 0 && d->type != DTYPE_NONE;
    for (int i = 0; known && i < d->rank; i++) {
        shape.dim[i] = d->dims[i].value;
        known = shape.dim[i] >= 0;
    }
    if (!known) {
        return lexer_fail(&p->lexer, d->at, "a constant needs an element type and known dimensions");
    }
    return text_parse_data(&p->lexer, g->arena, d->type, &shape, &p->budget, out);
}

static enum pare_status parse_constant(struct parser *p, struct graph *g) {
    struct declaration d;
    struct value *v = NULL;
    TRY(lexer_advance(&p->lexer));
    TRY(parse_declared(p, g, &d));
    TRY(lexer_expect_mark(&p->lexer, '='));
    struct tensor *t = ARENA_NEW(g->arena, struct tensor);
    if (t == NULL) {
        return fail_memory(p->lexer.ctx);
    }
    TRY(parse_tensor(p, g, &d, t));
    TRY(add_declared(p, g, &d, &v));
    v->constant = t;
    return PARE_OK;
}

static enum pare_status parse_graph(struct parser *p, struct graph *parent, struct graph **out);

static enum pare_status parse_ints(struct parser *p, struct arena *a, struct attr *out) {
    bool more = !lexer_at_mark(&p->lexer, ']');
    while (more) {
        int64_t *list = list_grow(a, out->ints, (int)out->count, sizeof *list);
        if (list == NULL) {
            return fail_memory(p->lexer.ctx);
        }
        out->ints = list;
        TRY(lexer_expect_int(&p->lexer, INT64_MIN, INT64_MAX, &out->ints[out->count++]));
        TRY(lexer_accept_mark(&p->lexer, ',', &more));
    }
    return lexer_expect_mark(&p->lexer, ']');
}

static enum pare_status parse_floats(struct parser *p, struct arena *a, struct attr *out) {
    bool more = !lexer_at_mark(&p->lexer, ']');
    while (more) {
        double v = 0;
        float *list = list_grow(a, out->floats, (int)out->count, sizeof *list);
        if (list == NULL) {
            return fail_memory(p->lexer.ctx);
        }
        out->floats = list;
        TRY(lexer_expect_double(&p->lexer, &v));
        out->floats[out->count++] = (float)v;
        TRY(lexer_accept_mark(&p->lexer, ',', &more));
    }
    return lexer_expect_mark(&p->lexer, ']');
}

static enum pare_status parse_attr_tensor(struct parser *p, struct graph *g, struct attr *out) {
    struct declaration d = {.at = p->lexer.token.at};
    out->tensor = ARENA_NEW(g->arena, struct tensor);
    if (out->tensor == NULL) {
        return fail_memory(p->lexer.ctx);
    }
    TRY(parse_type(p, g, &d));
    return parse_tensor(p, g, &d, out->tensor);
}

static enum pare_status parse_attr_value(struct parser *p, struct graph *g, struct attr *out) {
    struct lexer *l = &p->lexer;
    double number = 0;
    switch (out->type) {
    case ATTR_INT:
        return lexer_expect_int(l, INT64_MIN, INT64_MAX, &out->i);
    case ATTR_FLOAT:
        TRY(lexer_expect_double(l, &number));
        out->f = (float)number;
        return PARE_OK;
    case ATTR_STRING:
        if (l->token.kind != TOKEN_STRING) {
            return lexer_fail_expected(l, "a string");
        }
        out->s = arena_string(g->arena, l->token.text);
        return out->s == NULL ? fail_memory(l->ctx) : lexer_advance(l);
    case ATTR_INTS:
        TRY(lexer_expect_mark(l, '['));
        return parse_ints(p, g->arena, out);
    case ATTR_FLOATS:
        TRY(lexer_expect_mark(l, '['));
        return parse_floats(p, g->arena, out);
    case ATTR_TENSOR:
        return parse_attr_tensor(p, g, out);
    case ATTR_GRAPH:
        return parse_graph(p, g, &out->graph);
    }
    return PARE_OK;
}

static enum pare_status parse_attr(struct parser *p, struct node *n) {
    struct lexer *l = &p->lexer;
    struct attr a = {0};
    struct op_attr row;
    const char *at = l->token.at;
    TRY(lexer_expect_name(l, &a.name));
    TRY(lexer_expect_mark(l, '='));
    bool known = op_attr_find(n->op, a.name, &row);
    a.type = lexer_at_word(l, "graph") ? ATTR_GRAPH : known ? row.type : ATTR_INT;
    if (!known && a.type != ATTR_GRAPH) {
        return lexer_fail(l, at, "%s has no attribute '%.60s'", n->op->name, a.name);
    }
    if (node_attr(n, a.name) != NULL) {
        return lexer_fail(l, at, "attribute '%.60s' is given twice", a.name);
    }
    a.name = arena_string(n->graph->arena, a.name);
    if (a.name == NULL) {
        return fail_memory(l->ctx);
    }
    TRY(parse_attr_value(p, n->graph, &a));
    return node_attach_attr(l->ctx, n, &a);
}

static enum pare_status parse_attrs(struct parser *p, struct node *n) {
    bool more = false;
    TRY(lexer_accept_mark(&p->lexer, '{', &more));
    if (!more) {
        return PARE_OK;
    }
    more = !lexer_at_mark(&p->lexer, '}');
    while (more) {
        TRY(parse_attr(p, n));
        TRY(lexer_accept_mark(&p->lexer, ',', &more));
    }
    return lexer_expect_mark(&p->lexer, '}');
}

/* A list of values that grows in the scratch arena. */
struct value_list {
    struct value **items;
    int count;
};

static enum pare_status list_append(struct parser *p, struct value_list *list, struct value *v) {
    struct value **items = list_grow(&p->scratch, list->items, list->count, sizeof *items);
    if (items == NULL) {
        return fail_memory(p->lexer.ctx);
    }
    list->items = items;
    list->items[list->count++] = v;
    return PARE_OK;
}

/* The results are added as values at once; a node that uses its own result is refused by the verifier. */
static enum pare_status parse_results(struct parser *p, struct graph *g, struct value_list *list) {
    bool more = true;
    while (more) {
        bool omitted = false;
        struct value *v = NULL;
        TRY(lexer_accept_mark(&p->lexer, '-', &omitted));
        if (!omitted) {
            struct declaration d;
            TRY(parse_declared(p, g, &d));
            TRY(add_declared(p, g, &d, &v));
        }
        TRY(list_append(p, list, v));
        TRY(lexer_accept_mark(&p->lexer, ',', &more));
    }
    return PARE_OK;
}

static struct value *find_visible(const struct graph *g, const char *name) {
    struct value *v = NULL;
    for (; g != NULL && v == NULL; g = g->parent) {
        v = graph_find(g, name);
    }
    return v;
}

static enum pare_status parse_arguments(struct parser *p, struct graph *g, struct value_list *list) {
    struct lexer *l = &p->lexer;
    TRY(lexer_expect_mark(l, '('));
    bool more = !lexer_at_mark(l, ')');
    while (more) {
        bool omitted = false;
        struct value *v = NULL;
        TRY(lexer_accept_mark(l, '-', &omitted));
        if (!omitted) {
            const char *at = l->token.at;
            const char *name = NULL;
            TRY(lexer_expect_name(l, &name));
            v = find_visible(g, name);
            if (v == NULL) {
                return lexer_fail(l, at, "'%.60s' is not defined above", name);
            }
        }
        TRY(list_append(p, list, v));
        TRY(lexer_accept_mark(l, ',', &more));
    }
    return lexer_expect_mark(l, ')');
}

static enum pare_status parse_operator(struct parser *p, const struct op **op) {
    struct lexer *l = &p->lexer;
    *op = l->token.kind == TOKEN_NAME ? op_find(l->token.text) : NULL;
    return *op != NULL ? lexer_advance(l) : lexer_fail_expected(l, "an operator");
}

static enum pare_status parse_node_name(struct parser *p, const struct graph *g, const char **name) {
    struct lexer *l = &p->lexer;
    bool given = false;
    *name = NULL;
    TRY(lexer_accept_word(l, "as", &given));
    if (!given) {
        return PARE_OK;
    }
    const char *at = l->token.at;
    TRY(lexer_expect_name(l, name));
    return name_table_find(&g->tables->nodes, *name) == NULL ? PARE_OK
                                                             : lexer_fail(l, at, "two nodes are named '%.60s'", *name);
}

static enum pare_status parse_node(struct parser *p, struct graph *g) {
    struct lexer *l = &p->lexer;
    struct value_list outputs = {0};
    struct value_list inputs = {0};
    const struct op *op = NULL;
    const char *name = NULL;
    struct node *n = NULL;
    bool has_origin = false;
    TRY(parse_results(p, g, &outputs));
    TRY(lexer_expect_mark(l, '='));
    TRY(parse_operator(p, &op));
    TRY(parse_arguments(p, g, &inputs));
    TRY(parse_node_name(p, g, &name));
    TRY(graph_add_node(l->ctx, g, op, name, inputs.items, inputs.count, outputs.items, outputs.count, NULL, &n));
    TRY(lexer_accept_word(l, "origin", &has_origin));
    if (has_origin) {
        TRY(parse_operator(p, &n->origin));
    }
    return parse_attrs(p, n);
}

static enum pare_status parse_output(struct parser *p, struct graph *g) {
    struct lexer *l = &p->lexer;
    TRY(lexer_advance(l));
    const char *at = l->token.at;
    const char *name = NULL;
    TRY(lexer_expect_name(l, &name));
    struct value *v = graph_find(g, name);
    return v != NULL ? graph_add_output(l->ctx, g, v) : lexer_fail(l, at, "'%.60s' is not defined above", name);
}

static enum pare_status parse_metadata(struct parser *p, struct graph *g) {
    struct lexer *l = &p->lexer;
    const char *texts[2];
    TRY(lexer_advance(l));
    for (int i = 0; i < 2; i++) {
        if (l->token.kind != TOKEN_STRING) {
            return lexer_fail_expected(l, "a string");
        }
        texts[i] = l->token.text;
        TRY(lexer_advance(l));
    }
    return graph_set_metadata(l->ctx, g, texts[0], texts[1]);
}

static enum pare_status parse_statement(struct parser *p, struct graph *g) {
    const struct lexer *l = &p->lexer;
    if (lexer_at_word(l, "metadata")) {
        return parse_metadata(p, g);
    }
    if (lexer_at_word(l, "input") || lexer_at_word(l, "value")) {
        return parse_source(p, g, lexer_at_word(l, "input"));
    }
    if (lexer_at_word(l, "const")) {
        return parse_constant(p, g);
    }
    return lexer_at_word(l, "output") ? parse_output(p, g) : parse_node(p, g);
}

static enum pare_status parse_body(struct parser *p, struct graph *g) {
    TRY(lexer_expect_mark(&p->lexer, '{'));
    while (!lexer_at_mark(&p->lexer, '}')) {
        TRY(parse_statement(p, g));
    }
    return lexer_advance(&p->lexer);
}

static enum pare_status parse_graph(struct parser *p, struct graph *parent, struct graph **out) {
    struct lexer *l = &p->lexer;
    const char *name = NULL;
    struct graph *g = NULL;
    if (graph_nesting(parent) + 1 >= GRAPH_MAX_NESTING) {
        return lexer_fail(l, l->token.at, "subgraphs are nested more than %d deep", GRAPH_MAX_NESTING);
    }
    TRY(lexer_expect_word(l, "graph"));
    TRY(lexer_expect_name(l, &name));
    TRY(graph_new_child(l->ctx, parent, name, &g));
    TRY(parse_body(p, g));
    *out = g;
    return PARE_OK;
}

static enum pare_status parse_outermost(struct parser *p, struct graph **out) {
    struct lexer *l = &p->lexer;
    const char *name = NULL;
    TRY(lexer_expect_word(l, "graph"));
    TRY(lexer_expect_name(l, &name));
    TRY(graph_new(l->ctx, name, out));
    TRY(parse_body(p, *out));
    return l->token.kind == TOKEN_END ? PARE_OK : lexer_fail_expected(l, "the end");
}

/* What the verifier finds wrong in a text is the text's fault. */
static enum pare_status verify_parsed(struct context *ctx, const struct graph *g) {
    enum pare_status status = graph_verify(ctx, g);
    if (status == PARE_ERROR_INTERNAL) {
        ctx->diag.code = PARE_ERROR_INPUT;
        status = PARE_ERROR_INPUT;
    }
    return status;
}

enum pare_status graph_parse(struct context *ctx, const char *text, struct graph **out) {
    struct parser p = {.budget = TEXT_MAX_BYTES};
    struct graph *g = NULL;
    arena_init(&p.scratch);
    enum pare_status status = lexer_init(&p.lexer, ctx, &p.scratch, text);
    if (status == PARE_OK) {
        status = parse_outermost(&p, &g);
    }
    if (status == PARE_OK) {
        status = verify_parsed(ctx, g);
    }
    arena_free(&p.scratch);
    if (status != PARE_OK) {
        graph_free(g);
        return status;
    }
    *out = g;
    return PARE_OK;
}
