/* Private to src/graph: the elements of constants in the text form. */
#ifndef PARE_GRAPH_TEXT_DATA_H
#define PARE_GRAPH_TEXT_DATA_H

#include "graph/text_lexer.h"
#include "tensor/tensor.h"

/* Constants of one text may take this many bytes together. */
#define TEXT_MAX_BYTES ((size_t)1 << 28)

/* Reads `data` of the grammar into a new tensor in `a`; *budget is what is left of TEXT_MAX_BYTES. */
enum pare_status text_parse_data(struct lexer *l, struct arena *a, enum dtype type, const struct shape *shape,
                                 size_t *budget, struct tensor *out);

#endif
