/* Writes the small models and data that the transcripts use into a folder: everything from seeds, nothing is stored. */
#include "onnx_writer.h"
#include "small_network.h"

#include <math.h>

static void write_message(const char *name, message m) {
    small_write(name, m.data, m.size);
    buffer_free(&m);
}

/* ---- models that are fine ---- */

static const char two_inputs[] = "graph two_inputs {\n"
                                 "input left: float32[1,4] input right: float32[1,4]\n"
                                 "sum = Add(left, right) as add\n"
                                 "output sum }\n";

static const char open_shape[] = "graph open_shape {\n"
                                 "input image: float32[N,1,H,W]\n"
                                 "const w1: float32[4,1,3,3] = random(1,-0.6,0.6)\n"
                                 "const w2: float32[3,4] = random(2,-0.9,0.9)\n"
                                 "a = Conv(image, w1) as conv\n"
                                 "b = GlobalAveragePool(a) as mean\n"
                                 "c = Flatten(b) as flatten\n"
                                 "scores = Gemm(c, w2) as dense {transB=1}\n"
                                 "output scores }\n";

static const char float_middle[] = "graph float_middle {\n"
                                   "input x: float32[N,8]\n"
                                   "const w: float32[8,8] = random(1,-0.6,0.6)\n"
                                   "a = Gemm(x, w) as first\n"
                                   "b = Softmax(a) as attention\n"
                                   "y = Gemm(b, w) as second\n"
                                   "output y }\n";

static const char doubles[] = "graph doubles {\n"
                              "input x: float64[N,8]\n"
                              "const w: float64[8,8] = random(1,-0.6,0.6)\n"
                              "const far: float64[] = [-1e300]\n"
                              "a = Gemm(x, w) as first\n"
                              "b = Max(a, far) as floor\n"
                              "y = Relu(b) as relu\n"
                              "output y }\n";

static const char cast_bytes[] = "graph bytes {\n"
                                 "input image: uint8[N,1,8,8]\n"
                                 "const w: float32[64,3] = random(3,-0.9,0.9)\n"
                                 "a = Cast(image) as cast {to=1}\n"
                                 "b = Flatten(a) as flatten\n"
                                 "scores = Gemm(b, w) as dense\n"
                                 "output scores }\n";

static const char words[] = "graph words {\n"
                            "input ids: int64[N,4]\n"
                            "const table: float32[16,8] = random(1,-1,1)\n"
                            "const w: float32[8,3] = random(2,-0.9,0.9)\n"
                            "a = Gather(table, ids) as look_up\n"
                            "b = MatMul(a, w) as dense\n"
                            "y = Relu(b) as relu\n"
                            "output y }\n";

static const char compared[] = "graph compared {\n"
                               "input x: float32[N,8]\n"
                               "const w: float32[8,8] = random(1,-0.6,0.6) const zero: float32[] = [0]\n"
                               "a = Gemm(x, w) as first\n"
                               "b = Greater(a, zero) as greater\n"
                               "c = Where(b, a, x) as choose\n"
                               "y = Gemm(c, w) as second\n"
                               "output y }\n";

/* Dense layers on sequences, as exporters write them, around one with weights that stays in float. */
static const char sequence[] = "graph sequence {\n"
                               "input x: float32[N,8]\n"
                               "const s: int64[3] = [-1,2,4] const w: float32[4,6] = random(1,-0.6,0.6)\n"
                               "const b: float32[6] = random(2,-1,1) const scale: float32[6] = random(3,0.5,1.5)\n"
                               "const v: float32[6,3] = random(4,-0.6,0.6)\n"
                               "a = Reshape(x, s) as steps\n"
                               "c = MatMul(a, w) as dense\nd = Add(c, b) as bias\n"
                               "e = LayerNormalization(d, scale) as norm\n"
                               "y = MatMul(e, v) as head\n"
                               "output y }\n";

/* Exporters write this where code asks for the size of the batch. */
static const char reads_batch[] = "graph reads_batch {\n"
                                  "input x: float32[N,8]\n"
                                  "const w: float32[8,8] = random(1,-0.6,0.6)\n"
                                  "const first: int64[1] = [0] const four: int64[1] = [4]\n"
                                  "a = Gemm(x, w) as first_layer\n"
                                  "s = Shape(x) as count\nn = Gather(s, first) as pick_count\n"
                                  "m = Mul(n, four) as fourfold\nt = Concat(m, four) as target {axis=0}\n"
                                  "b = Concat(a, a) as twice {axis=1}\nc = Reshape(b, t) as rows\n"
                                  "y = Relu(c) as relu\n"
                                  "output y }\n";

static const char float_middle_axis[] = "graph float_middle_axis {\n"
                                        "input x: float32[N,8,4]\n"
                                        "a = HardSwish(x) as swish\n"
                                        "y = Softmax(a) as attention {axis=1}\n"
                                        "output y }\n";

/* Quantised by somebody else: zero points, and scales that are no powers of two. */
static const char foreign[] = "graph foreign {\n"
                              "input image: float32[N,1,8,8]\n"
                              "const s: float32[] = 0.0039 const z: uint8[] = 0 const t: float32[] = 0.021\n"
                              "const u: uint8[] = 128 const v: float32[] = 0.0047 const o: int8[] = 0\n"
                              "const w: int8[3,64] = random(5,-127,127)\n"
                              "a = QuantizeLinear(image, s, z) as q1\nb = DequantizeLinear(a, s, z) as d1\n"
                              "c = Flatten(b) as flatten\nd = DequantizeLinear(w, v, o) as d2\n"
                              "e = Gemm(c, d) as dense {transB=1}\n"
                              "f = QuantizeLinear(e, t, u) as q3\nscores = DequantizeLinear(f, t, u) as d3\n"
                              "output scores }\n";

static const char made_at_run_time[] = "graph made_at_run_time {\n"
                                       "input x: float32[N,64,64]\n"
                                       "const row: float32[1,64] = random(1,-1,1)\n"
                                       "const column: float32[64,1] = random(2,-1,1)\n"
                                       "table = Add(row, column) as outer\n"
                                       "y = Mul(x, table) as weigh\n"
                                       "output y }\n";

/* The small classifier for pixels from 0 to 255: without a scale it is right. */
static void write_raw_pixels(void) {
    static const char input[] = "a = Conv(image, ";
    static const char scaled[] = "const factor: float32[1] = [0.00392156862745098]\n"
                                 "pixels = Mul(image, factor) as times\na = Conv(pixels, ";
    const char *at = strstr(small_cnn, input);
    char text[sizeof small_cnn + sizeof scaled];
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - small_cnn), small_cnn, scaled, at + strlen(input));
    graph_free(small_model("raw_pixels.onnx", text));
}

/* ---- data ---- */

static void write_npy(const char *name, const struct tensor *t) {
    message bytes = new_message();
    small_must(npy_append(&small_context, &bytes, t));
    write_message(name, bytes);
}

static struct tensor counting(enum dtype type, int rank, const int64_t *dims) {
    struct tensor t = small_tensor(type, rank, dims);
    for (size_t i = 0; i < tensor_count(&t); i++) {
        tensor_set_double(&t, i, (double)i / 128);
    }
    return t;
}

static void write_data(const struct graph *g) {
    struct tensor images = small_images(512), labels = small_labels(g, &images);
    small_npz("val.npz", &images, &labels);
    small_npz("unlabelled.npz", &images, NULL);
    struct tensor few = small_images(16);
    small_npz("calib.npz", &few, NULL);
    struct tensor targets = small_tensor(DTYPE_FLOAT, 2, (int64_t[]){512, 2});
    for (size_t i = 0; i < tensor_count(&targets); i++) {
        ((float *)targets.data)[i] = (float)i / 100;
    }
    small_npz("targets.npz", &images, &targets);
    struct tensor wrong = small_tensor(DTYPE_INT64, 1, (int64_t[]){512});
    memcpy(wrong.data, labels.data, tensor_bytes(&labels));
    ((int64_t *)wrong.data)[5] = 3;
    small_npz("label_3_of_3.npz", &images, &wrong);
    for (size_t i = 0; i < 512; i++) {
        ((int64_t *)wrong.data)[i] = (((int64_t *)labels.data)[i] + 1) % SMALL_CLASSES;
    }
    small_npz("wrong_labels.npz", &images, &wrong);
    struct tensor empty = small_images(0);
    small_npz("empty.npz", &empty, NULL);
    struct tensor channels = small_tensor(DTYPE_UINT8, 4, (int64_t[]){4, 3, 8, 8});
    small_npz("three_channels.npz", &channels, NULL);
    struct tensor numbers = counting(DTYPE_FLOAT, 4, (int64_t[]){2, 1, 8, 8});
    write_npy("images.npy", &numbers);
    numbers = counting(DTYPE_DOUBLE, 4, (int64_t[]){2, 1, 8, 8});
    write_npy("doubles.npy", &numbers);
    numbers = counting(DTYPE_FLOAT, 2, (int64_t[]){3, 4});
    write_npy("rows.npy", &numbers);
    numbers = counting(DTYPE_FLOAT, 2, (int64_t[]){3, 5});
    write_npy("wide_rows.npy", &numbers);
    numbers = counting(DTYPE_INT64, 2, (int64_t[]){64, 4});
    write_npy("ids.npy", &numbers);
    numbers = counting(DTYPE_FLOAT, 2, (int64_t[]){64, 8});
    write_npy("rows_of_8.npy", &numbers);
}

static void write_folders(void) {
    static const float left[] = {1, 2, 3, 4}, right[] = {10, 20, 30, 40};
    int64_t dims[] = {1, 4};
    small_must(file_make_directory(&small_context, small_path("protos")));
    write_message("protos/input_0.pb", raw_tensor("left", DTYPE_FLOAT, dims, 2, left, sizeof left));
    write_message("protos/input_1.pb", raw_tensor("", DTYPE_FLOAT, dims, 2, right, sizeof right));
    small_must(file_make_directory(&small_context, small_path("no_protos")));
}

/* ---- what cannot be used ---- */

static void put_ports(message *graph) {
    int64_t dims[] = {-1, 4};
    put_text(graph, GRAPH_NAME, "broken");
    put_message(graph, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, dims, 2));
    put_message(graph, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, dims, 2));
}

static void write_cyclic(void) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Add", "first", "x b", "a"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "second", "a", "b"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "last", "b", "y"));
    put_ports(&g);
    write_message("cyclic.onnx", model_of(13, g));
}

static void write_unknown_operators(void) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Frobnicate", "first", "x", "a"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "second", "a", "b"));
    put_message(&g, GRAPH_NODE, node_head("Twiddle", "last", "b", "y"));
    put_ports(&g);
    write_message("unknown_operators.onnx", model_of(13, g));
}

static void write_with_weight(const char *name, message weight) {
    message g = new_message();
    put_message(&g, GRAPH_NODE, node_head("Add", "add", "x w", "y"));
    put_message(&g, GRAPH_INITIALIZER, weight);
    put_ports(&g);
    write_message(name, model_of(13, g));
}

static message external_weight(const char *location) {
    int64_t dims[] = {4};
    message t = tensor_head("w", DTYPE_FLOAT, dims, 1);
    put_message(&t, TENSOR_EXTERNAL, pair("location", location));
    put_int(&t, TENSOR_LOCATION, 1);
    return t;
}

static void write_random(const char *name, size_t size) {
    message m = new_message();
    for (size_t i = 0; i < size; i++) {
        write_u8(&m, (uint8_t)small_random());
    }
    write_message(name, m);
}

static void write_truncated(const char *name, const char *whole) {
    struct file_map map;
    small_must(file_map(&small_context, small_path(whole), &map));
    small_write(name, map.data, map.size / 2);
    file_unmap(&map);
}

/* One trouble of every kind, each in a node of its own. */
static void write_all_troubles(void) {
    message g = new_message();
    int64_t dims[] = {4};
    message text = tensor_head("words", DTYPE_STRING, dims, 1);
    put_message(&g, GRAPH_NODE, node_head("Frobnicate", "first", "x", "a"));
    message concat = node_head("Concat", "second", "x x", "b");
    put_message(&concat, NODE_ATTRIBUTE, int_attribute("colour", 1));
    put_message(&concat, NODE_ATTRIBUTE, int_attribute("axis", 1));
    put_message(&g, GRAPH_NODE, concat);
    put_message(&g, GRAPH_NODE, node_head("Relu", "third", "nothing", "c"));
    put_message(&g, GRAPH_NODE, node_head("Add", "fourth", "x w", "d"));
    put_message(&g, GRAPH_NODE, node_head("Add", "fifth", "d unequal", "e"));
    put_message(&g, GRAPH_NODE, node_head("Frobnicate", "last", "e words", "y"));
    put_message(&g, GRAPH_INITIALIZER, external_weight("gone.data"));
    put_message(&g, GRAPH_INITIALIZER, float_tensor("unequal", (float[]){1, NAN, 3}, 3));
    put_message(&g, GRAPH_INITIALIZER, text);
    put_ports(&g);
    write_message("all_troubles.onnx", model_of(99, g));
}

static void write_broken(void) {
    write_all_troubles();
    write_cyclic();
    write_unknown_operators();
    write_with_weight("nan_weight.onnx", float_tensor("w", (float[]){1, NAN, 3, 4}, 4));
    write_with_weight("missing_external.onnx", external_weight("gone.data"));
    write_with_weight("leaving_external.onnx", external_weight("../outside.data"));
    write_random("random.onnx", 1000);
    write_random("random.npz", 1000);
    write_truncated("truncated.onnx", "cnn.onnx");
    write_truncated("truncated.npz", "val.npz");
    small_write("empty.onnx", "", 0);
    small_write("short.pare", "PARE\1\0", 6);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: make_cli_inputs FOLDER\n");
        return 2;
    }
    small_begin(argv[1]);
    struct graph *g = small_model("cnn.onnx", small_cnn);
    write_data(g);
    graph_free(g);
    graph_free(small_model("two_inputs.onnx", two_inputs));
    graph_free(small_model("open_shape.onnx", open_shape));
    graph_free(small_model("float_middle.onnx", float_middle));
    graph_free(small_model("sequence.onnx", sequence));
    graph_free(small_model("reads_batch.onnx", reads_batch));
    graph_free(small_model("doubles.onnx", doubles));
    graph_free(small_model("bytes.onnx", cast_bytes));
    graph_free(small_model("words.onnx", words));
    graph_free(small_model("compared.onnx", compared));
    graph_free(small_model("made_at_run_time.onnx", made_at_run_time));
    graph_free(small_model("float_middle_axis.onnx", float_middle_axis));
    graph_free(small_model("foreign.onnx", foreign));
    write_raw_pixels();
    write_folders();
    write_broken();
    small_end();
    return 0;
}
