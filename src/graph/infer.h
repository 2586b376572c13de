/* Private to src/graph: the shape functions of the operator table and what they share. */
#ifndef PARE_GRAPH_INFER_H
#define PARE_GRAPH_INFER_H

#include "graph/op.h"

#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) infer_function infer_##infer;
#include "graph/ops.def"
#undef OP

/* Integer tensors with more elements are not followed. */
#define INFER_MAX_ELEMENTS 256

/* Inference within the subgraphs of a node, which see the values around it as they are known by now. */
enum pare_status infer_subgraphs(struct context *ctx, const struct node *n);
/* What only one branch of an If tells about the type of an output holds for the other, too. */
void infer_branch_types(const struct node *n);

/* Input i, or NULL when it is omitted. */
const struct infer_value *infer_input(const struct infer_call *c, int i);
/* Known integer elements (Reshape's shape, Slice's starts, ...) of input i: true and a list in the arena when every one
 * is known; true and NULL with count 0 when the input is omitted; else false. */
bool infer_ints(const struct infer_call *c, int i, const int64_t **ints, int *count);
/* The one element of an integer input i; false when it is not known or there are several. */
bool infer_scalar(const struct infer_call *c, int i, int64_t *value);
/* The attribute axis as a dimension of input 0, whose rank is known. */
enum pare_status infer_axis(const struct infer_call *c, int *axis);
/* Elements of input i, of a constant or followed; false when they are not known to that extent. */
bool infer_elements(const struct infer_call *c, int i, const struct dim_value **elements, int *count);

struct dim dim_known(int64_t value);
struct dim dim_unknown(void);
bool dim_equal(const struct dim *a, const struct dim *b); /* certainly equal */
/* Brings what both say about one dimension together in *a; false on a contradiction. */
bool dim_unify(struct dim *a, const struct dim *b);
/* Product of dimensions [from, to): unknown unless all are known, or one symbolic is multiplied by ones. */
struct dim dim_product(const struct dim *dims, int from, int to);
struct dim_value element_of(const struct dim *d);
struct dim dim_of_element(const struct dim_value *e); /* unknown for negative ones */

/* An output (one that the node does not have is ignored) gets this type and, for rank >= 0, these dimensions;
 * `infer_set` means output 0. */
enum pare_status infer_set_output(struct infer_call *c, int output, enum dtype type, int rank, const struct dim *dims);
enum pare_status infer_set(struct infer_call *c, enum dtype type, int rank, const struct dim *dims);
/* The same for an output whose shape depends on data: unknown dimensions are found by the float kernel. */
enum pare_status infer_set_by_kernel(struct infer_call *c, int output, enum dtype type, int rank,
                                     const struct dim *dims);
enum pare_status infer_set_elements(struct infer_call *c, const struct dim_value *elements, int count);

/* "[N,3,32,32]", or "[...]" for an unknown rank; returns `text`. */
#define INFER_TEXT_MAX 256
char *infer_text(const struct infer_value *v, char *text, size_t size);
/* Fails with "node (Operator): ..." in front. */
enum pare_status infer_fail(const struct infer_call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "node (Operator) on [shape of input 0]: " in front of what a geometry function recorded. */
enum pare_status infer_fail_at(const struct infer_call *c);
/* Fails unless the rank of input i is unknown or in [low, high]. */
enum pare_status infer_check_rank(const struct infer_call *c, int i, int low, int high);
/* Fails unless inputs i and j, where present and known, have one type. */
enum pare_status infer_check_same_type(const struct infer_call *c, int i, int j);
/* Fails when input i certainly has other than one element. */
enum pare_status infer_check_single(const struct infer_call *c, int i);
/* Fails when input i, where present, is certainly no vector of that length. */
enum pare_status infer_check_vector(const struct infer_call *c, int i, const struct dim *length);
/* The element type that an attribute names, `otherwise` where it is not given. */
enum pare_status infer_attr_type(const struct infer_call *c, const char *name, enum dtype otherwise, enum dtype *type);
/* The sizes, -1 where unknown; the rank must be known. */
struct shape infer_shape(const struct infer_value *v);
/* Dimensions that two shapes broadcast to, as many as the longer has; false when they certainly do not. `out` may be
 * `a`. */
bool infer_broadcast_dims(const struct dim *a, int a_rank, const struct dim *b, int b_rank, struct dim *out);

#endif
