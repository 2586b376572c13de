/* IR to messages, which live in an arena and point into the graph. */
#ifndef PARE_ONNX_ENCODE_H
#define PARE_ONNX_ENCODE_H

#include "base/map.h"
#include "graph/graph.h"

#include "onnx.pb-c.h"

struct encoder {
    struct context *ctx;
    struct arena *arena;       /* lives until the message is packed */
    const struct graph *graph; /* the outermost */
    int opset;
    struct findings missing; /* what the opset has no words for */
    int needed;              /* the opset that would have them; 0: not known */
    struct map used;         /* the values that some node still reads, or the graph gives */
    bool microsoft, qonnx;   /* operators of these domains are there */
    struct value *empty;     /* encode_empty_floats's, or NULL */
};

#define WRITE_OPSET_MIN 7
#define WRITE_OPSET_MAX 25

/* Raw data, little-endian; (u)int4 and (u)int2 packed. `name` may be NULL. */
enum pare_status encode_tensor(struct encoder *e, const char *name, const struct tensor *t, Onnx__TensorProto **out);
/* A graph with its constants; those that no node reads any more are left out. In write.c. */
enum pare_status encode_graph(struct encoder *e, const struct graph *g, Onnx__GraphProto *p);
/* A constant without elements, for inputs that an opset requires and the node does not have; one per model. In write.c.
 */
enum pare_status encode_empty_floats(struct encoder *e, const struct value **out);
enum pare_status encode_attribute(struct encoder *e, const struct attr *a, Onnx__AttributeProto **out);
/* In write.c, with everything in it: subgraphs are graphs. */
enum pare_status encode_graph(struct encoder *e, const struct graph *g, Onnx__GraphProto *p);
enum pare_status encode_value_info(struct encoder *e, const struct value *v, Onnx__ValueInfoProto **out);
enum pare_status encode_pair(struct encoder *e, const char *key, const char *text, Onnx__StringStringEntryProto **out);

/* A zeroed message of the arena, set up by its init function; NULL when out of memory. */
#define ENCODE_NEW(e, type, init) ((type *)encode_new((e), sizeof(type), &(init)))
void *encode_new(struct encoder *e, size_t size, const ProtobufCMessageDescriptor *type);
/* protobuf-c's structures hold char pointers even where it only reads. */
char *encode_text(const char *text);

#endif
