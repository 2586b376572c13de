/* Parsing of the text form; its grammar stands in text.c. */
#include "graph/op.h"
#include "graph/tables.h"
#include "graph/text_data.h"
#include "graph/text_parser.h"

static enum pare_status parse_source(struct parser *p, struct graph *g, bool is_input) {
    struct declaration d;
    struct value *v = NULL;
    TRY(lexer_advance(&p->lexer));
    TRY(text_parse_declared(p, g, &d));
    TRY(text_add_declared(p, g, &d, &v));
    return is_input ? graph_add_input(p->lexer.ctx, g, v) : PARE_OK;
}

static enum pare_status parse_constant(struct parser *p, struct graph *g) {
    struct declaration d;
    struct value *v = NULL;
    TRY(lexer_advance(&p->lexer));
    TRY(text_parse_declared(p, g, &d));
    TRY(lexer_expect_mark(&p->lexer, '='));
    struct tensor *t = ARENA_NEW(g->arena, struct tensor);
    if (t == NULL) {
        return fail_memory(p->lexer.ctx);
    }
    TRY(text_parse_tensor(p, g, &d, t));
    TRY(text_add_declared(p, g, &d, &v));
    v->constant = t;
    return PARE_OK;
}

/* A list of values that grows in the scratch arena. */
struct value_list {
    struct value **items;
    int count;
};

static enum pare_status list_append(struct parser *p, struct value_list *list, struct value *v) {
    struct value **items = list_grow(&p->scratch, list->items, list->count, sizeof(struct value *));
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
            TRY(text_parse_declared(p, g, &d));
            TRY(text_add_declared(p, g, &d, &v));
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
    return text_parse_attrs(p, n);
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

enum pare_status text_parse_graph(struct parser *p, struct graph *parent, struct graph **out) {
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
