/* An opened network of any kind, and what it looks like from outside. */
#ifndef PARE_API_NETWORK_H
#define PARE_API_NETWORK_H

#include "api/api.h"
#include "graph/graph.h"
#include "quant/scheme.h"

/* One input or output. */
struct port {
    const char *name;
    enum dtype type;
    int rank;
    struct dim dims[TENSOR_MAX_RANK];
};

struct pare_network {
    struct arena arena;
    enum pare_network_kind kind;
    const char *path;
    uint64_t hash;           /* of the file's content, and of the external data that belong to it */
    uint64_t file_bytes;     /* of both; 0 for a compact file */
    int opset;               /* of the file; 0 for a compact file */
    struct graph *graph;     /* as in the file; NULL for a compact file */
    struct graph *runnable;  /* what runs in float, where that is not `graph`; or NULL */
    struct program *program; /* what runs as integers; NULL for a float network */
    struct port *inputs, *outputs;
    int input_count, output_count;
    struct scheme *scheme;       /* of a rewritten ONNX: what the program was lowered from, with its graph */
    struct graph *lowered_graph; /* the same */
    struct graph **tails; /* per output: what finishes it in float behind the program, or NULL; NULL: none at all */
    const char *metadata; /* JSON text that pare left in the file, or NULL */
};

#define NETWORK_METADATA_KEY "pare" /* of an ONNX file's metadata_props */

/* Makes the integer program of a rewritten ONNX. Where the file uses what pare does not, it warns and the network stays
 * without a program: it runs operator by operator. */
enum pare_status network_lower(struct context *ctx, struct pare_network *n);
/* Whether some quantiser has been at work. */
bool graph_is_quantized(const struct graph *g);
void network_drop_program(struct pare_network *n);

struct open_options {
    const struct input_shape *shapes;
    bool graph_only; /* an ONNX file is not made a program of */
};

/* pare_network_open_with on the library's own context, whose message is left alone on success. */
enum pare_status network_open(struct context *ctx, const char *path, const struct open_options *how,
                              struct pare_network **out);
#define NO_COMPACT "quantize writes none where layers stay in float"

/* PARE_ERROR_INPUT for a folder that export wrote. */
enum pare_status check_exported_folder(struct context *ctx, const char *folder);
/* PARE_ERROR_INPUT where that, or a file, is given instead of the folder that quantize wrote. */
enum pare_status check_quantized_folder(struct context *ctx, const char *folder);
const char *network_kind_text(enum pare_network_kind kind);  /* "float ONNX", "rewritten ONNX", ".pare" */
const char *network_file_name(const struct pare_network *n); /* without its folders */
const struct port *network_input(const struct pare_network *n, const char *name); /* or NULL */
void port_of_value(const struct value *v, struct port *p);
void port_open_batch(struct port *p); /* a program is about one sample; from outside its first dimension is open */
/* "[N,3,32,32]", and "float32 [N,3,32,32]"; both return `text`. */
char *port_shape(const struct port *p, char *text, size_t size);
char *port_text(const struct port *p, char *text, size_t size);
/* "'a' float32 [N,3], 'b' int64 []": every input, for messages. */
char *network_inputs_text(const struct pare_network *n, char *text, size_t size);

#endif
