/* Attributes of nodes in the text form. */
#include "graph/op.h"
#include "graph/tables.h"
#include "graph/text_parser.h"

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
    TRY(text_parse_type(p, g, &d));
    return text_parse_tensor(p, g, &d, out->tensor);
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
    case ATTR_STRINGS:
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
        return text_parse_graph(p, g, &out->graph);
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

enum pare_status text_parse_attrs(struct parser *p, struct node *n) {
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
