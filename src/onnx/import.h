/* What the files of the import share. */
#ifndef PARE_ONNX_IMPORT_H
#define PARE_ONNX_IMPORT_H

#include "base/map.h"
#include "graph/graph.h"
#include "onnx/external.h"
#include "onnx/missing.h"

#include "onnx.pb-c.h"

/* Of a node's metadata_props: the operator that the user wrote, where a pass replaced it. */
#define ONNX_ORIGIN_KEY "pare.origin"

/* A value that its node no longer gives, for example MaxPool's Indices: allowed while nobody reads it. */
struct dropped {
    struct value *value;
    const char *node, *what; /* "output 2 of MaxPool" */
    struct dropped *next;
};

/* A Softmax in its meaning before opset 13, which depends on the rank of its input. */
struct flat_softmax {
    struct node *node;
    int64_t axis; /* as given: all dimensions from here on are normalised together */
    struct flat_softmax *next;
};

struct import {
    struct context *ctx;
    struct graph *graph;
    struct arena *scratch; /* lives as long as the import */
    struct external external;
    struct findings missing;
    bool survey; /* what is wrong is noted in `missing`, and the import goes on (see import_tolerate) */
    struct dropped *dropped;
    struct flat_softmax *softmaxes;
    struct map halves; /* values held as float32 that the file has in half precision, to a `const enum dtype` (inputs,
                        * constants, and what is cast) */
    int opset;         /* of the default domain */
};

/* The status, or, in a survey, PARE_OK for a fault of the model, which is noted with its message. */
enum pare_status import_tolerate(struct import *im, enum pare_status status, enum finding_kind kind);

/* Notes that the file has the value in float16 or bfloat16; other types are no news. */
enum pare_status import_note_half(struct import *im, const struct value *v, int32_t data_type);
/* DTYPE_FLOAT16 or DTYPE_BFLOAT16, as noted, or DTYPE_NONE. */
enum dtype import_half(const struct import *im, const struct value *v);

bool import_is_default_domain(const char *domain);
/* Turns a model into a graph in the IR's one meaning. */
enum pare_status import_model(struct import *im, const Onnx__ModelProto *model);

/* A subgraph of the graph that is being imported, whose values it sees; it must be given to a node. */
enum pare_status import_subgraph(struct import *im, const Onnx__GraphProto *proto, struct graph **out);
/* The value of that name in the graph that is being imported, or in one around it; NULL: none. */
struct value *import_find(const struct import *im, const char *name);

/* Attributes: `out` and what it points to live in im->scratch (tensors in the graph's arena). `*known` false: its kind
 * was added to im->missing. */
enum pare_status import_attribute(struct import *im, const char *node, const Onnx__AttributeProto *proto,
                                  struct attr *out, bool *known);

/* Type and shape of a graph input or output, or of an inner value. Kinds of value that pare does not have are added to
 * im->missing. */
enum pare_status import_type(struct import *im, const Onnx__GraphProto *graph, const Onnx__ValueInfoProto *proto,
                             struct value *v);

/* Formats that an earlier run of pare left in quantization_annotation (see onnx_write) become value->format;
 * annotations with other keys are ignored. PARE_ERROR_INPUT where one of pare's makes no sense. */
enum pare_status import_formats(struct import *im, const Onnx__GraphProto *proto);

/* With all nodes in place: sorts, checks constants, infers and takes over what the file says about shapes. */
enum pare_status import_finish(struct import *im, const Onnx__GraphProto *proto);

#endif
