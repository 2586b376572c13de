/* The way from a model to a graph: what is taken, made up, sorted, and refused. */
#include "graph/op.h"
#include "onnx_trial.h"

#include <stdio.h>

static const float ones[] = {1, 1, 1};

static message relu_model(int opset) {
    message g = graph_head();
    put_node(&g, "Relu", "act", "x", "y");
    return model_of(opset, g);
}

START_TEST(test_shapes_and_names) {
    struct graph *g = must_parse(relu_model(13));
    const struct value *x = graph_find(g, "x"), *y = graph_find(g, "y");
    ck_assert_str_eq(g->name, "g");
    ck_assert_int_eq(g->input_count, 1);
    ck_assert_ptr_eq(g->inputs[0], x);
    ck_assert_ptr_eq(g->outputs[0], y);
    ck_assert_str_eq(g->first->name, "act");
    ck_assert_int_eq(y->rank, 4);
    ck_assert_int_eq(y->dims[0].value, -1);
    ck_assert_str_eq(y->dims[0].symbol, "N");
    ck_assert_int_eq(y->dims[3].value, 4);
    graph_free(g);
}
END_TEST

START_TEST(test_opsets) {
    for (int opset = 1; opset <= 28; opset++) {
        graph_free(must_parse(relu_model(opset)));
    }
    must_refuse(relu_model(29), PARE_ERROR_UNSUPPORTED, "opset 29", "reads 1 to 28");
}
END_TEST

static message with_second_opset(const char *domain, int version) {
    message m = relu_model(13), import = new_message();
    put_text(&import, 1, domain);
    put_int(&import, 2, version);
    put_message(&m, MODEL_OPSET, import);
    return m;
}

START_TEST(test_two_opset_entries) {
    graph_free(must_parse(with_second_opset("", 13)));
    graph_free(must_parse(with_second_opset("ai.onnx", 13)));
    graph_free(must_parse(with_second_opset("com.microsoft", 1)));
    must_refuse(with_second_opset("", 12), PARE_ERROR_INPUT, "opset 13 and 12", "same domain");
}
END_TEST

START_TEST(test_input_with_initializer) {
    message g = graph_head();
    put_message(&g, GRAPH_INPUT, value_info("w", DTYPE_FLOAT, (const int64_t[]){3}, 1));
    put_message(&g, GRAPH_INITIALIZER, raw_tensor("w", DTYPE_FLOAT, (const int64_t[]){3, 1, 1}, 3, ones, sizeof ones));
    put_node(&g, "Add", "add", "x w", "y");
    struct graph *graph = must_parse(model_of(8, g));
    ck_assert_int_eq(graph->input_count, 1);
    ck_assert(value_is_constant(graph_find(graph, "w")));
    graph_free(graph);
}
END_TEST

START_TEST(test_unused_initializer_is_left_out) {
    message g = graph_head();
    put_message(&g, GRAPH_INITIALIZER, float_tensor("unused", ones, 3));
    put_node(&g, "Relu", "act", "x", "y");
    struct graph *graph = must_parse(model_of(13, g));
    ck_assert_ptr_null(graph_find(graph, "unused"));
    graph_free(graph);
}
END_TEST

START_TEST(test_nodes_are_sorted) {
    message g = graph_head();
    put_node(&g, "Relu", "third", "b", "y");
    put_node(&g, "Tanh", "second", "a", "b");
    put_node(&g, "Sigmoid", "first", "x", "a");
    struct graph *graph = must_parse(model_of(13, g));
    ck_assert_str_eq(graph->first->name, "first");
    ck_assert_str_eq(graph->last->name, "third");
    graph_free(graph);
}
END_TEST

START_TEST(test_names_are_made_up) {
    message g = graph_head();
    put_node(&g, "Relu", "", "x", "a");
    put_node(&g, "Relu", "twin", "a", "b");
    put_node(&g, "Relu", "twin", "b", "y");
    struct graph *graph = must_parse(model_of(13, g));
    ck_assert_str_eq(graph->first->name, "a");
    ck_assert_str_eq(graph->first->next->name, "twin");
    ck_assert_str_ne(graph->last->name, "twin");
    graph_free(graph);
}
END_TEST

START_TEST(test_cycle) {
    message g = graph_head();
    put_node(&g, "Add", "first", "x b", "a");
    put_node(&g, "Relu", "second", "a", "b");
    put_node(&g, "Relu", "third", "b", "y");
    must_refuse(model_of(13, g), PARE_ERROR_INPUT, "second: its input a", "no cycle");
}
END_TEST

START_TEST(test_broken_names) {
    message twice = graph_head(), unknown = graph_head(), lost = graph_head(), itself = graph_head();
    put_node(&twice, "Relu", "one", "x", "y");
    put_node(&twice, "Relu", "two", "x", "y");
    must_refuse(model_of(13, twice), PARE_ERROR_INPUT, "`y`", "twice");
    put_node(&unknown, "Relu", "one", "nothing", "y");
    must_refuse(model_of(13, unknown), PARE_ERROR_INPUT, "one (Relu)", "`nothing`");
    put_node(&lost, "Relu", "one", "x", "z");
    must_refuse(model_of(13, lost), PARE_ERROR_INPUT, "`y`", "no node");
    put_node(&itself, "Relu", "one", "x", "x");
    must_refuse(model_of(13, itself), PARE_ERROR_INPUT, "`x`", "twice");
}
END_TEST

START_TEST(test_empty_parts) {
    message none = new_message(), no_output = new_message(), inner = new_message();
    put_int(&none, MODEL_IR_VERSION, 8);
    must_refuse(none, PARE_ERROR_INPUT, "no graph", "ONNX");
    must_refuse(new_message(), PARE_ERROR_INPUT, "empty", "");
    put_text(&inner, GRAPH_NAME, "g");
    put_message(&no_output, MODEL_GRAPH, inner);
    must_refuse(no_output, PARE_ERROR_UNSUPPORTED, "opset 0", "");
    message bare = new_message();
    put_text(&bare, GRAPH_NAME, "g");
    must_refuse(model_of(13, bare), PARE_ERROR_INPUT, "no output", "");
}
END_TEST

START_TEST(test_arity_and_attributes) {
    message few = graph_head(), type = graph_head(), twice = graph_head(), nan = graph_head();
    put_node(&few, "Add", "sum", "x", "y");
    must_refuse(model_of(13, few), PARE_ERROR_INPUT, "sum (Add)", "1 inputs");
    message flatten = node_head("Flatten", "flat", "x", "y");
    put_message(&flatten, NODE_ATTRIBUTE, float_attribute("axis", 1));
    put_message(&type, GRAPH_NODE, flatten);
    must_refuse(model_of(13, type), PARE_ERROR_INPUT, "flat (Flatten)", "`axis` has the wrong type");
    message again = node_head("Flatten", "flat", "x", "y");
    put_message(&again, NODE_ATTRIBUTE, int_attribute("axis", 1));
    put_message(&again, NODE_ATTRIBUTE, int_attribute("axis", 2));
    put_message(&twice, GRAPH_NODE, again);
    must_refuse(model_of(13, twice), PARE_ERROR_INPUT, "flat (Flatten)", "twice");
    message leaky = node_head("LeakyRelu", "leak", "x", "y");
    put_message(&leaky, NODE_ATTRIBUTE, float_attribute("alpha", 0.0F / 0.0F));
    put_message(&nan, GRAPH_NODE, leaky);
    must_refuse(model_of(13, nan), PARE_ERROR_INPUT, "leak (LeakyRelu): attribute `alpha`", "not a number");
}
END_TEST

/* A subgraph attribute that holds an operator of strings. */
static message if_node(const char *name) {
    message n = node_head("If", name, "x", "a"), branch = new_message(), attribute = new_message();
    put_node(&branch, "StringSplit", "inner", "p", "s");
    put_message(&branch, GRAPH_OUTPUT, value_info("s", DTYPE_FLOAT, NULL, -1));
    put_text(&attribute, ATTRIBUTE_NAME, "then_branch");
    put_message(&attribute, ATTRIBUTE_G, branch);
    put_int(&attribute, ATTRIBUTE_TYPE, 5);
    put_message(&n, NODE_ATTRIBUTE, attribute);
    return n;
}

START_TEST(test_missing_operators_are_listed_at_once) {
    static const char *const words[] = {"StringSplit (inner)", "com.microsoft.PackedAttention (g)",
                                        "attribute `nonsense` of Relu (act)", "NotAnOperator (n1, n2, n3 and 2 more)"};
    message g = graph_head();
    put_message(&g, GRAPH_NODE, if_node("choice"));
    message foreign = node_head("PackedAttention", "g", "a", "b"), relu = node_head("Relu", "act", "b", "c");
    put_text(&foreign, NODE_DOMAIN, "com.microsoft");
    put_message(&relu, NODE_ATTRIBUTE, int_attribute("nonsense", 1));
    put_message(&g, GRAPH_NODE, foreign);
    put_message(&g, GRAPH_NODE, relu);
    const char *names[] = {"n1", "n2", "n3", "n4", "n5"}, *values[] = {"c", "d", "e", "f", "h", "y"};
    for (int i = 0; i < 5; i++) {
        put_node(&g, "NotAnOperator", names[i], values[i], values[i + 1]);
    }
    struct graph *graph = NULL;
    ck_assert_int_eq(try_parse(model_of(13, g), &graph), PARE_ERROR_UNSUPPORTED);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        ck_assert_msg(strstr(ctx.diag.message, words[i]) != NULL, "`%s` is not in: %s", words[i], ctx.diag.message);
    }
}
END_TEST

/* More kinds than a message holds: it stays whole, ends with a count and the way out. */
START_TEST(test_a_long_list_is_cut) {
    message g = graph_head();
    for (int i = 0; i < 2000; i++) {
        char op[32], out[32];
        (void)snprintf(op, sizeof op, "Operator%d", i);
        (void)snprintf(out, sizeof out, "value%d", i);
        put_node(&g, op, out, "x", out);
    }
    put_node(&g, "Relu", "act", "x", "y");
    must_refuse(model_of(13, g), PARE_ERROR_UNSUPPORTED, "further kinds", "cut the model before them");
}
END_TEST

START_TEST(test_operators_of_earlier_opsets) {
    message h = graph_head();
    put_node(&h, "Upsample", "up", "x x", "y");
    must_refuse(model_of(10, h), PARE_ERROR_UNSUPPORTED, "Upsample (up)", "");
}
END_TEST

static message pool_with_indices(const char *reader_input) {
    message g = graph_head(), pool = node_head("MaxPool", "pool", "x", "p indices");
    put_message(&pool, NODE_ATTRIBUTE, ints_attribute("kernel_shape", (const int64_t[]){2, 2}, 2));
    put_message(&g, GRAPH_NODE, pool);
    put_node(&g, "Relu", "reader", reader_input, "y");
    return model_of(12, g);
}

START_TEST(test_extra_outputs) {
    struct graph *g = must_parse(pool_with_indices("p"));
    ck_assert_int_eq(g->first->output_count, 1);
    ck_assert_ptr_null(graph_find(g, "indices"));
    graph_free(g);
    message h = graph_head();
    put_node(&h, "BatchNormalization", "norm", "x x x x x", "p mean");
    put_node(&h, "Relu", "reader", "mean", "y");
    must_refuse(model_of(12, h), PARE_ERROR_UNSUPPORTED, "output 2 of BatchNormalization (norm)", "");
}
END_TEST

START_TEST(test_declared_shapes) {
    message wrong = new_message(), stale = new_message();
    put_message(&wrong, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, (const int64_t[]){2, 3}, 2));
    put_message(&wrong, GRAPH_OUTPUT, value_info("y", DTYPE_INT64, NULL, -1));
    put_node(&wrong, "Relu", "act", "x", "y");
    must_refuse(model_of(13, wrong), PARE_ERROR_INPUT, "`y`", "int64");
    put_message(&stale, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, (const int64_t[]){2, 3}, 2));
    put_message(&stale, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, (const int64_t[]){1, 3}, 2));
    put_node(&stale, "Relu", "act", "x", "y");
    struct graph *g = must_parse(model_of(13, stale));
    ck_assert_int_eq(graph_find(g, "y")->dims[0].value, 2);
    graph_free(g);
}
END_TEST

START_TEST(test_values_of_other_kinds) {
    message g = graph_head(), info = new_message(), type = new_message(), sequence = new_message();
    put_message(&type, 4, sequence);
    put_text(&info, 1, "list");
    put_message(&info, 2, type);
    put_message(&g, GRAPH_INPUT, info);
    put_message(&g, GRAPH_INPUT, value_info("text", DTYPE_STRING, NULL, -1));
    put_node(&g, "Concat", "join", "list", "joined");
    put_node(&g, "Relu", "act", "x", "y");
    must_refuse(model_of(13, g), PARE_ERROR_UNSUPPORTED, "values that are no tensors, at Concat (list)",
                "STRING, at an end of the graph (text)");
}
END_TEST

START_TEST(test_half_models_are_widened) {
    message g = new_message(), cast = node_head("Cast", "cast", "x", "h");
    put_message(&g, GRAPH_INPUT, value_info("x", DTYPE_FLOAT16, (const int64_t[]){-1, 3}, 2));
    put_message(&g, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT16, NULL, -1));
    put_message(&cast, NODE_ATTRIBUTE, int_attribute("to", DTYPE_BFLOAT16));
    put_message(&g, GRAPH_NODE, cast);
    put_node(&g, "Relu", "act", "h", "y");
    struct graph *graph = must_parse(model_of(13, g));
    ck_assert_int_eq(graph_find(graph, "x")->type, DTYPE_FLOAT);
    const struct node *back = graph_find(graph, "h")->producer, *there = back->inputs[0]->producer;
    ck_assert_int_eq(graph_find(graph, "h")->type, DTYPE_FLOAT); /* but rounded on the way */
    ck_assert(node_is(back, "Cast") && node_is(there, "Cast") && there->inputs[0]->is_input);
    ck_assert_int_eq(there->outputs[0]->type, DTYPE_BFLOAT16);
    ck_assert_int_eq(graph_find(graph, "y")->type, DTYPE_FLOAT);
    graph_free(graph);
}
END_TEST

/* Like an input in half precision, like what was cast to it, and like a float32. */
START_TEST(test_cast_like_half) {
    message g = new_message();
    put_message(&g, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, (const int64_t[]){3}, 1));
    put_message(&g, GRAPH_INPUT, value_info("like", DTYPE_FLOAT16, NULL, -1));
    put_message(&g, GRAPH_OUTPUT, value_info("c", DTYPE_FLOAT, NULL, -1));
    put_node(&g, "CastLike", "first", "x like", "a");
    put_node(&g, "CastLike", "second", "x a", "b");
    put_node(&g, "CastLike", "third", "b x", "c");
    struct graph *graph = must_parse(model_of(15, g));
    for (int i = 0; i < 2; i++) {
        const struct node *back = graph_find(graph, i == 0 ? "a" : "b")->producer;
        ck_assert(node_is(back, "Cast") && back->outputs[0]->type == DTYPE_FLOAT);
        ck_assert_int_eq(back->inputs[0]->type, DTYPE_FLOAT16);
    }
    ck_assert(node_is(graph->outputs[0]->producer, "CastLike"));
    graph_free(graph);
}
END_TEST

/* The batch is the input's, whatever an exporter called it at the output. */
START_TEST(test_symbols_come_from_inputs) {
    message g = new_message(), input = value_info("x", DTYPE_FLOAT, (const int64_t[]){-1, 3}, 2);
    put_message(&g, GRAPH_INPUT, input);
    put_message(&g, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, (const int64_t[]){-2, 3}, 2));
    put_node(&g, "Relu", "act", "x", "y");
    struct graph *graph = must_parse(model_of(13, g));
    const struct value *x = graph->inputs[0], *y = graph->outputs[0];
    ck_assert_ptr_nonnull(x->dims[0].symbol);
    ck_assert_ptr_eq(y->dims[0].symbol, x->dims[0].symbol);
    graph_free(graph);
}
END_TEST

START_TEST(test_metadata) {
    message m = relu_model(13);
    put_message(&m, MODEL_METADATA, pair("author", "someone"));
    struct graph *g = must_parse(m);
    ck_assert_int_eq(g->metadata_count, 1);
    ck_assert_str_eq(g->metadata[0].key, "author");
    ck_assert_str_eq(g->metadata[0].text, "someone");
    graph_free(g);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("import");
    tcase_add_test(tests, test_shapes_and_names);
    tcase_add_test(tests, test_opsets);
    tcase_add_test(tests, test_two_opset_entries);
    tcase_add_test(tests, test_input_with_initializer);
    tcase_add_test(tests, test_unused_initializer_is_left_out);
    tcase_add_test(tests, test_nodes_are_sorted);
    tcase_add_test(tests, test_names_are_made_up);
    tcase_add_test(tests, test_cycle);
    tcase_add_test(tests, test_broken_names);
    tcase_add_test(tests, test_empty_parts);
    tcase_add_test(tests, test_arity_and_attributes);
    tcase_add_test(tests, test_missing_operators_are_listed_at_once);
    tcase_add_test(tests, test_a_long_list_is_cut);
    tcase_add_test(tests, test_operators_of_earlier_opsets);
    tcase_add_test(tests, test_extra_outputs);
    tcase_add_test(tests, test_declared_shapes);
    tcase_add_test(tests, test_values_of_other_kinds);
    tcase_add_test(tests, test_half_models_are_widened);
    tcase_add_test(tests, test_cast_like_half);
    tcase_add_test(tests, test_symbols_come_from_inputs);
    tcase_add_test(tests, test_metadata);
    return run_case(tests, "onnx import");
}
