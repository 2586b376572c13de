/* Operators cut off behind the integer program (a final Softmax, LogSoftmax or ArgMax), finished in float.
 *
 * The file's metadata notes them: "tail": [{"output": 0, "op": "Softmax", "name": "probabilities",
 * "shape": [1, 10], "attributes": {"axis": 1}}]. In memory each is a graph of one node. */
#ifndef PARE_API_TAIL_H
#define PARE_API_TAIL_H

#include "api/network.h"

#include <jansson.h>

/* Takes the tails from the network's metadata: fills n->tails and renames the output ports. */
enum pare_status tails_read(struct context *ctx, struct pare_network *n);
/* Takes them from what lowering cut off. */
enum pare_status tails_of_scheme(struct context *ctx, struct pare_network *n);
/* What tails_read reads, for output `index` that `node` was cut from; NULL when out of memory. */
json_t *tail_json(const struct node *node, int index);
void tails_free(struct pare_network *n);

/* Replaces the program's outputs in `out`, from `first` on and each stacked of `samples`, by what the cut operators
 * make of every sample. */
enum pare_status tails_apply(struct context *ctx, const struct pare_network *n, size_t samples,
                             struct pare_tensors *out, size_t first);

#endif
