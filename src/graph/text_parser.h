/* Private to src/graph: the parts of the parser of the text form. */
#ifndef PARE_GRAPH_TEXT_PARSER_H
#define PARE_GRAPH_TEXT_PARSER_H

#include "graph/graph.h"
#include "graph/text_lexer.h"

struct parser {
    struct lexer lexer;
    struct arena scratch; /* tokens and lists of the running statement */
    size_t budget;        /* bytes that constants may still take */
};

/* What stands in a text about one value. */
struct declaration {
    const char *at, *name;
    enum dtype type;
    int rank;
    struct dim dims[TENSOR_MAX_RANK];
    struct format *format;
};

/* Rules `declared` and `type` of the grammar; the second fills type, rank and dims of *d. */
enum pare_status text_parse_declared(struct parser *p, struct graph *g, struct declaration *d);
enum pare_status text_parse_type(struct parser *p, struct graph *g, struct declaration *d);
/* A new value as declared; its name must be new. */
enum pare_status text_add_declared(struct parser *p, struct graph *g, const struct declaration *d, struct value **out);
/* Rule `data`, for a tensor of the declared type. */
enum pare_status text_parse_tensor(struct parser *p, struct graph *g, const struct declaration *d, struct tensor *out);
/* The attributes of a node in braces, or nothing. */
enum pare_status text_parse_attrs(struct parser *p, struct node *n);
/* A subgraph of `parent`. */
enum pare_status text_parse_graph(struct parser *p, struct graph *parent, struct graph **out);

#endif
