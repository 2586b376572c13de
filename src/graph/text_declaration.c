/* Names, types, formats and elements of values in the text form. */
#include "graph/tables.h"
#include "graph/text_data.h"
#include "graph/text_parser.h"

#include <string.h>

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

enum pare_status text_parse_type(struct parser *p, struct graph *g, struct declaration *d) {
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

enum pare_status text_parse_declared(struct parser *p, struct graph *g, struct declaration *d) {
    struct lexer *l = &p->lexer;
    bool has_type = false;
    bool has_format = false;
    *d = (struct declaration){.at = l->token.at, .rank = -1};
    TRY(lexer_expect_name(l, &d->name));
    TRY(lexer_accept_mark(l, ':', &has_type));
    if (has_type) {
        TRY(text_parse_type(p, g, d));
    }
    TRY(lexer_accept_word(l, "q", &has_format));
    return has_format ? parse_format(p, g, &d->format) : PARE_OK;
}

enum pare_status text_add_declared(struct parser *p, struct graph *g, const struct declaration *d, struct value **out) {
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

/* A tensor whose type was read into `d`. */
enum pare_status text_parse_tensor(struct parser *p, struct graph *g, const struct declaration *d, struct tensor *out) {
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
