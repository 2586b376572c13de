/* ONNX files to graphs and back. The only folder that sees protobuf. */
#ifndef PARE_ONNX_ONNX_H
#define PARE_ONNX_ONNX_H

#include "graph/graph.h"
#include "tensor/npy.h"

/* Reads a model: size and depth scan, unpack, external data (confined to the model's folder), opset
 * canonicalisation (1 to 28 to the IR's one meaning), Constant nodes to constants, calls of the model's own functions
 * to their nodes, subgraphs to attributes, optional outputs that nobody reads left out, shape inference. Types and
 * shapes from value_info of inputs and outputs are kept, where they do not contradict what is inferred (a wrong shape
 * gives a warning, a wrong type an error). float16 and bfloat16 are widened to float32, as weights and as types of
 * values. Every unsupported operator is listed, with node names, in one PARE_ERROR_UNSUPPORTED message. QuantizeLinear
 * and DequantizeLinear stay nodes, and formats that onnx_write left return to their values; constants that nobody reads
 * are left out. External data are named by a path below the model's folder (onnx/external.h); symbolic links are
 * followed.
 */
enum pare_status onnx_read(struct context *ctx, const char *path, struct graph **out);
/* What a file was. */
struct onnx_source {
    bool hashed;    /* given: whether the hash is wanted, which takes its time */
    uint64_t hash;  /* of its bytes, followed by the external data that were read (base/bytes.h) */
    uint64_t bytes; /* the same */
    int opset;
};
/* The same, and what the file was. */
enum pare_status onnx_read_from(struct context *ctx, const char *path, struct onnx_source *source, struct graph **out);
/* The same from memory; `folder` is where external data may lie, or NULL: none. `place` names the source in messages.
 */
enum pare_status onnx_parse(struct context *ctx, const char *place, const void *data, size_t size, const char *folder,
                            struct graph **out);

/* What stands in the way of a model. */
struct onnx_survey {
    struct findings findings;
    int64_t ir_version, opset; /* as the file says; 0: it does not */
    const char *producer;      /* "name version", or "" */
    /* As onnx_read gives it where no finding blocks; else with gaps, for its shapes; NULL where not even that could be
     * made. Free with graph_free. */
    struct graph *graph;
};

/* Reads a model and lists everything that is wrong or not supported at once, the content of weights included; `a` holds
 * the findings. Fails only where the file is no model at all, or the system is at its end. */
enum pare_status onnx_survey(struct context *ctx, struct arena *a, const char *path, struct onnx_survey *out);

#define ONNX_OPSET_WRITTEN 21 /* where nothing else is asked for */

struct onnx_write_options {
    int opset;             /* 7 to 25; 0: ONNX_OPSET_WRITTEN */
    size_t external_above; /* of onnx_write_file: a model of more bytes has its weights beside it; 0: 2 GiB - 1 */
};

/* Serialises at the given opset. Values with formats are NOT handled here: the graph is written as it is
 * (quant/export.c inserts QuantizeLinear/DequantizeLinear nodes first); constants of type int2/int4 are packed.
 * graph->metadata becomes metadata_props; formats of values become quantization_annotation (keys BITS, FRAC, SIGNED,
 * and AXIS where FRAC is a list). Constants that no node reads are left out. PARE_ERROR_USAGE for another opset,
 * PARE_ERROR_UNSUPPORTED listing everything that the opset has no words for, with nodes and the opset that has. */
enum pare_status onnx_write(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                            struct buffer *out);

/* The same into a file, never held as a whole. Above the limit of protobuf, 2 GiB, the constants go to PATH.data, which
 * is written first. *size becomes the bytes of both. */
enum pare_status onnx_write_file(struct context *ctx, const struct graph *g, const struct onnx_write_options *options,
                                 const char *path, uint64_t *size);

/* A TensorProto file (input_0.pb): its name, if any, and its tensor. */
enum pare_status onnx_read_tensor(struct context *ctx, struct arena *a, const char *path, struct named_tensor *out);

/* Whether the bytes look like an ONNX model: used to tell files apart. */
bool onnx_recognise(const void *data, size_t size);

#endif
