/* Forms of older opsets and what they become. That the numbers stay the same is checked by tests/onnx/check_export.py.
 */
#include "graph/op.h"
#include "onnx_trial.h"

#include <stdlib.h>

/* y = op(x) in an opset, with one optional attribute. */
static message unary(int opset, const char *op, const char *outputs, const message *attribute, size_t count) {
    message g = graph_head(), n = node_head(op, "node", "x", outputs);
    for (size_t i = 0; i < count; i++) {
        put_message(&n, NODE_ATTRIBUTE, attribute[i]);
    }
    put_message(&g, GRAPH_NODE, n);
    return model_of(opset, g);
}

static void expect_ints(const struct node *n, int input, const int64_t *values, size_t count) {
    ck_assert_int_lt(input, n->input_count);
    ck_assert(value_is_constant(n->inputs[input]));
    const struct tensor *t = n->inputs[input]->constant;
    ck_assert_int_eq(t->type, DTYPE_INT64);
    ck_assert_uint_eq(tensor_count(t), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(tensor_get_int(t, i), values[i]);
    }
}

START_TEST(test_clip) {
    struct graph *g = must_parse(unary(7, "Clip", "y", (message[]){float_attribute("max", 6)}, 1));
    double high = 0;
    ck_assert_int_eq(g->first->input_count, 3);
    ck_assert_int_eq(g->first->attr_count, 0);
    ck_assert_ptr_null(g->first->inputs[1]);
    ck_assert(value_scalar(g->first->inputs[2], &high));
    ck_assert_double_eq(high, 6);
    graph_free(g);
}
END_TEST

START_TEST(test_attributes_become_inputs) {
    const int64_t pads[] = {0, 0, 1, 2, 0, 0, 1, 2}, axes[] = {2, 3}, starts[] = {1}, ends[] = {3};
    struct graph *pad =
        must_parse(unary(9, "Pad", "y", (message[]){ints_attribute("pads", pads, 8), float_attribute("value", 2)}, 2));
    expect_ints(pad->first, 1, pads, 8);
    ck_assert_int_eq(graph_find(pad, "y")->dims[3].value, 8);
    graph_free(pad);
    struct graph *mean = must_parse(unary(13, "ReduceMean", "y", (message[]){ints_attribute("axes", axes, 2)}, 1));
    expect_ints(mean->first, 1, axes, 2);
    ck_assert_int_eq(graph_find(mean, "y")->dims[2].value, 1);
    graph_free(mean);
    struct graph *slice =
        must_parse(unary(9, "Slice", "y",
                         (message[]){ints_attribute("starts", starts, 1), ints_attribute("ends", ends, 1),
                                     ints_attribute("axes", axes, 1)},
                         3));
    expect_ints(slice->first, 3, axes, 1);
    ck_assert_int_eq(graph_find(slice, "y")->dims[2].value, 2);
    graph_free(slice);
}
END_TEST

START_TEST(test_split) {
    const int64_t parts[] = {1, 2};
    message attributes[] = {int_attribute("axis", 1), ints_attribute("split", parts, 2)};
    struct graph *g = must_parse(unary(11, "Split", "y z", attributes, 2));
    expect_ints(g->first, 1, parts, 2);
    ck_assert_int_eq(graph_find(g, "y")->dims[1].value, 1);
    graph_free(g);
    struct graph *equal = must_parse(unary(11, "Split", "y z", (message[]){int_attribute("axis", 2)}, 1));
    ck_assert_int_eq(node_int(equal->first, "num_outputs"), 2);
    ck_assert_int_eq(graph_find(equal, "y")->dims[2].value, 2);
    graph_free(equal);
}
END_TEST

static int count_nodes(const struct graph *g, const char *op) {
    int count = 0;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        count += node_is(n, op);
    }
    return count;
}

/* Before opset 13 the dimensions from `axis` on are normalised together. */
START_TEST(test_softmax) {
    struct graph *last = must_parse(unary(12, "Softmax", "y", (message[]){int_attribute("axis", 3)}, 1));
    ck_assert_int_eq(last->node_count, 1);
    ck_assert_int_eq(node_int(last->first, "axis"), 3);
    graph_free(last);
    struct graph *flat = must_parse(unary(12, "Softmax", "y", NULL, 0));
    ck_assert_int_eq(flat->node_count, 4);
    ck_assert_int_eq(count_nodes(flat, "Flatten"), 1);
    ck_assert_str_eq(graph_find(flat, "y")->producer->op->name, "Reshape");
    ck_assert_int_eq(graph_find(flat, "y")->rank, 4);
    graph_free(flat);
    struct graph *new = must_parse(unary(13, "Softmax", "y", (message[]){int_attribute("axis", 1)}, 1));
    ck_assert_int_eq(new->node_count, 1);
    ck_assert_int_eq(node_int(new->first, "axis"), 1);
    graph_free(new);
    must_refuse(unary(12, "Softmax", "y", (message[]){int_attribute("axis", 5)}, 1), PARE_ERROR_INPUT, "axis 5",
                "node");
}
END_TEST

static message upsample(int opset, const char *op, const float *scales) {
    message g = graph_head();
    put_message(&g, GRAPH_INITIALIZER, float_tensor("s", scales, 4));
    put_node(&g, op, "up", "x s", "y");
    return model_of(opset, g);
}

START_TEST(test_resize) {
    const float larger[] = {1, 1, 2, 3}, smaller[] = {1, 1, .5F, .5F}, both[] = {1, 1, .5F, 2};
    struct graph *up = must_parse(upsample(9, "Upsample", larger)), *down = must_parse(upsample(10, "Resize", smaller));
    ck_assert_str_eq(up->first->op->name, "Resize");
    ck_assert_str_eq(node_string(up->first, "coordinate_transformation_mode"), "asymmetric");
    ck_assert_str_eq(node_string(up->first, "nearest_mode"), "floor");
    ck_assert_int_eq(graph_find(up, "y")->dims[3].value, 12);
    ck_assert_str_eq(node_string(down->first, "nearest_mode"), "ceil");
    graph_free(up);
    graph_free(down);
    must_refuse(upsample(10, "Resize", both), PARE_ERROR_UNSUPPORTED, "grows and shrinks", "up");
}
END_TEST

static message batch_normalization(int opset, const char *attribute, int64_t value) {
    static const float ones[] = {1, 1, 1};
    static const char *const names[] = {"s", "b", "m", "v"};
    message g = graph_head(), n = node_head("BatchNormalization", "norm", "x s b m v", "y");
    put_message(&n, NODE_ATTRIBUTE, float_attribute("momentum", .9F));
    put_message(&n, NODE_ATTRIBUTE, int_attribute(attribute, value));
    for (int i = 0; i < 4; i++) {
        put_message(&g, GRAPH_INITIALIZER, float_tensor(names[i], ones, 3));
    }
    put_message(&g, GRAPH_NODE, n);
    return model_of(opset, g);
}

START_TEST(test_batch_normalization) {
    struct graph *g = must_parse(batch_normalization(8, "spatial", 1));
    ck_assert_int_eq(g->first->attr_count, 0);
    graph_free(g);
    graph_free(must_parse(batch_normalization(15, "training_mode", 0)));
    must_refuse(batch_normalization(8, "spatial", 0), PARE_ERROR_UNSUPPORTED, "spatial=0", "norm");
    must_refuse(batch_normalization(15, "training_mode", 1), PARE_ERROR_UNSUPPORTED, "training mode", "norm");
    must_refuse(batch_normalization(15, "spatial", 1), PARE_ERROR_UNSUPPORTED, "attribute `spatial`", "norm");
}
END_TEST

START_TEST(test_constants) {
    message g = graph_head(), scalar = node_head("Constant", "", "", "two"),
            list = node_head("Constant", "", "", "shape");
    put_message(&scalar, NODE_ATTRIBUTE, float_attribute("value_float", 2));
    put_message(&list, NODE_ATTRIBUTE, ints_attribute("value_ints", (const int64_t[]){-1, 48}, 2));
    put_message(&g, GRAPH_NODE, scalar);
    put_message(&g, GRAPH_NODE, list);
    put_node(&g, "Mul", "double", "x two", "a");
    put_node(&g, "Reshape", "flat", "a shape", "y");
    struct graph *graph = must_parse(model_of(13, g));
    double two = 0;
    ck_assert_int_eq(graph->node_count, 2);
    ck_assert(value_scalar(graph_find(graph, "two"), &two));
    ck_assert_double_eq(two, 2);
    expect_ints(graph->last, 1, (const int64_t[]){-1, 48}, 2);
    graph_free(graph);
}
END_TEST

START_TEST(test_strange_constants) {
    message sparse = graph_head(), text = graph_head(), bare = graph_head();
    message a = node_head("Constant", "c", "", "k"), attribute = new_message();
    put_text(&attribute, ATTRIBUTE_NAME, "sparse_value");
    put_message(&a, NODE_ATTRIBUTE, attribute);
    put_message(&sparse, GRAPH_NODE, a);
    put_node(&sparse, "Add", "add", "x k", "y");
    must_refuse(model_of(13, sparse), PARE_ERROR_UNSUPPORTED, "sparse constants (c)", "");
    message b = node_head("Constant", "c", "", "k"), string = new_message();
    put_text(&string, ATTRIBUTE_NAME, "value_string");
    put_text(&string, ATTRIBUTE_S, "hello");
    put_message(&b, NODE_ATTRIBUTE, string);
    put_message(&text, GRAPH_NODE, b);
    put_node(&text, "Add", "add", "x k", "y");
    must_refuse(model_of(13, text), PARE_ERROR_UNSUPPORTED, "STRING", "k");
    put_node(&bare, "Constant", "c", "", "k");
    must_refuse(model_of(13, bare), PARE_ERROR_INPUT, "c (Constant)", "one attribute");
}
END_TEST

START_TEST(test_dropout) {
    static const uint8_t yes = 1;
    struct graph *g = must_parse(unary(10, "Dropout", "y mask", (message[]){float_attribute("ratio", .5F)}, 1));
    double ratio = 0;
    ck_assert(value_scalar(g->first->inputs[1], &ratio));
    ck_assert_double_eq(ratio, .5);
    graph_free(g);
    message training = graph_head();
    put_message(&training, GRAPH_INITIALIZER, raw_tensor("t", DTYPE_BOOL, NULL, 0, &yes, 1));
    put_node(&training, "Dropout", "drop", "x - t", "y");
    must_refuse(model_of(13, training), PARE_ERROR_UNSUPPORTED, "training mode of Dropout", "drop");
}
END_TEST

/* Before opset 7 the second input is broadcast from an axis on. */
START_TEST(test_broadcast_from_an_axis) {
    const float three[] = {1, 2, 3};
    message g = graph_head(), sum = node_head("Add", "sum", "x bias", "y");
    put_message(&g, GRAPH_INITIALIZER, float_tensor("bias", three, 3));
    put_message(&sum, NODE_ATTRIBUTE, int_attribute("broadcast", 1));
    put_message(&sum, NODE_ATTRIBUTE, int_attribute("axis", 1));
    put_message(&g, GRAPH_NODE, sum);
    struct graph *graph = must_parse(model_of(6, g));
    const struct node *n = graph_find(graph, "y")->producer;
    ck_assert(node_is(n, "Add"));
    ck_assert(node_is(n->inputs[1]->producer, "Unsqueeze"));
    expect_ints(n->inputs[1]->producer, 1, (const int64_t[]){1, 2}, 2);
    ck_assert_int_eq(n->inputs[1]->rank, 3);
    graph_free(graph);
}
END_TEST

START_TEST(test_first_opsets) {
    const int64_t shape[] = {0, -1};
    struct graph *reshape = must_parse(unary(4, "Reshape", "y", (message[]){ints_attribute("shape", shape, 2)}, 1));
    expect_ints(reshape->first, 1, shape, 2);
    ck_assert_int_eq(graph_find(reshape, "y")->dims[1].value, 48);
    graph_free(reshape);
    struct graph *top = must_parse(unary(9, "TopK", "y i", (message[]){int_attribute("k", 2)}, 1));
    expect_ints(top->first, 1, (const int64_t[]){2}, 1);
    graph_free(top);
    struct graph *concat = must_parse(unary(3, "Concat", "y", NULL, 0));
    ck_assert_int_eq(node_int(concat->first, "axis"), 1);
    graph_free(concat);
    struct graph *abs =
        must_parse(unary(1, "Abs", "y", (message[]){ints_attribute("consumed_inputs", (const int64_t[]){0}, 1)}, 1));
    ck_assert_int_eq(abs->first->attr_count, 0);
    graph_free(abs);
}
END_TEST

static message string_attribute(const char *name, const char *text) {
    message m = new_message();
    put_text(&m, ATTRIBUTE_NAME, name);
    put_text(&m, ATTRIBUTE_S, text);
    put_int(&m, ATTRIBUTE_TYPE, 3);
    return m;
}

START_TEST(test_types_by_name) {
    struct graph *g = must_parse(unary(5, "Cast", "y", (message[]){string_attribute("to", "FLOAT16")}, 1));
    ck_assert_int_eq(graph_find(g, "y")->type, DTYPE_FLOAT); /* held as float32 */
    graph_free(g);
    must_refuse(unary(5, "Cast", "y", (message[]){string_attribute("to", "FLOATY")}, 1), PARE_ERROR_INPUT,
                "node (Cast)", "no type");
}
END_TEST

START_TEST(test_renamed) {
    message g = graph_head(), sample = node_head("GridSample", "s", "x grid", "y");
    put_message(&g, GRAPH_INPUT, value_info("grid", DTYPE_FLOAT, (const int64_t[]){-1, 2, 2, 2}, 4));
    put_message(&sample, NODE_ATTRIBUTE, string_attribute("mode", "bicubic"));
    put_message(&g, GRAPH_NODE, sample);
    struct graph *graph = must_parse(model_of(16, g));
    ck_assert_str_eq(node_string(graph->first, "mode"), "cubic");
    graph_free(graph);
    message h = graph_head();
    put_message(&h, GRAPH_INPUT, value_info("i", DTYPE_INT64, (const int64_t[]){-1, 3, 4, 4}, 4));
    put_node(&h, "Scatter", "s", "x i x", "y");
    struct graph *scatter = must_parse(model_of(10, h));
    ck_assert(node_is(scatter->first, "ScatterElements"));
    graph_free(scatter);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("convert");
    tcase_add_test(tests, test_broadcast_from_an_axis);
    tcase_add_test(tests, test_first_opsets);
    tcase_add_test(tests, test_types_by_name);
    tcase_add_test(tests, test_renamed);
    tcase_add_test(tests, test_clip);
    tcase_add_test(tests, test_attributes_become_inputs);
    tcase_add_test(tests, test_split);
    tcase_add_test(tests, test_softmax);
    tcase_add_test(tests, test_resize);
    tcase_add_test(tests, test_batch_normalization);
    tcase_add_test(tests, test_constants);
    tcase_add_test(tests, test_strange_constants);
    tcase_add_test(tests, test_dropout);
    return run_case(tests, "onnx opsets");
}
