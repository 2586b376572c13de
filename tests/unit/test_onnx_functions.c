/* Model-local functions, and subgraphs: what becomes of them on import, and that subgraphs come back after writing. */
#include "graph/op.h"
#include "onnx_trial.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODEL_FUNCTION = 25 };
enum { FUNCTION_NAME = 1, FUNCTION_INPUT = 4, FUNCTION_OUTPUT, FUNCTION_NODE = 7, FUNCTION_OPSET = 9, FUNCTION_DOMAIN };
enum { ATTRIBUTE_REF = 21 };

static message function_head(const char *name, const char *inputs, const char *outputs) {
    message f = new_message(), opset = new_message();
    put_text(&f, FUNCTION_NAME, name);
    put_names(&f, FUNCTION_INPUT, inputs);
    put_names(&f, FUNCTION_OUTPUT, outputs);
    put_int(&opset, 2, 18);
    put_message(&f, FUNCTION_OPSET, opset);
    put_text(&f, FUNCTION_DOMAIN, "local");
    return f;
}

static message call_of(const char *function, const char *name, const char *input, const char *output) {
    message n = node_head(function, name, input, output);
    put_text(&n, NODE_DOMAIN, "local");
    return n;
}

/* out = LeakyRelu(Relu(in)), alpha as the call says. */
static message leaky_function(void) {
    message f = function_head("Leaky", "in", "out"), relu = node_head("Relu", "r", "in", "mid");
    message leaky = node_head("LeakyRelu", "l", "mid", "out"), alpha = new_message();
    put_text(&alpha, ATTRIBUTE_NAME, "alpha");
    put_text(&alpha, ATTRIBUTE_REF, "slope");
    put_int(&alpha, ATTRIBUTE_TYPE, 1);
    put_message(&leaky, NODE_ATTRIBUTE, alpha);
    put_message(&f, FUNCTION_NODE, relu);
    put_message(&f, FUNCTION_NODE, leaky);
    return f;
}

START_TEST(test_calls_become_nodes) {
    message g = graph_head(), first = call_of("Leaky", "a", "x", "h"), second = call_of("Leaky", "b", "h", "y");
    put_message(&first, NODE_ATTRIBUTE, float_attribute("slope", 0.25F));
    put_message(&g, GRAPH_NODE, first);
    put_message(&g, GRAPH_NODE, second);
    message m = model_of(18, g);
    put_message(&m, MODEL_FUNCTION, leaky_function());
    struct graph *graph = must_parse(m);
    ck_assert_int_eq(graph->node_count, 4);
    const struct node *leaky = graph_find(graph, "h")->producer;
    ck_assert(node_is(leaky, "LeakyRelu"));
    ck_assert_float_eq(node_float(leaky, "alpha"), 0.25F);
    ck_assert_str_eq(leaky->inputs[0]->name, "h/mid");
    ck_assert_float_eq(node_float(graph_find(graph, "y")->producer, "alpha"),
                       0.01F); /* nobody gives one: the default */
    graph_free(graph);
}
END_TEST

START_TEST(test_functions_call_functions) {
    message g = graph_head(), outer = function_head("Outer", "a", "b");
    put_message(&outer, FUNCTION_NODE, call_of("Leaky", "inner", "a", "b"));
    put_message(&g, GRAPH_NODE, call_of("Outer", "node", "x", "y"));
    message m = model_of(18, g);
    put_message(&m, MODEL_FUNCTION, leaky_function());
    put_message(&m, MODEL_FUNCTION, outer);
    struct graph *graph = must_parse(m);
    ck_assert_int_eq(graph->node_count, 2);
    graph_free(graph);
}
END_TEST

START_TEST(test_bad_functions) {
    message g = graph_head(), circle = function_head("Circle", "a", "b");
    put_message(&circle, FUNCTION_NODE, call_of("Circle", "again", "a", "b"));
    put_message(&g, GRAPH_NODE, call_of("Circle", "node", "x", "y"));
    message m = model_of(18, g);
    put_message(&m, MODEL_FUNCTION, circle);
    must_refuse(m, PARE_ERROR_INPUT, "function Circle", "by itself");
    message h = graph_head();
    put_message(&h, GRAPH_NODE, call_of("Leaky", "node", "x", "y"));
    message other = model_of(17, h);
    put_message(&other, MODEL_FUNCTION, leaky_function());
    must_refuse(other, PARE_ERROR_UNSUPPORTED, "function Leaky", "opset 18");
}
END_TEST

/* Each function calls the next one ten times: more nodes than any machine holds. */
START_TEST(test_explosion) {
    message g = graph_head();
    put_message(&g, GRAPH_NODE, call_of("F0", "node", "x", "y"));
    message m = model_of(18, g);
    for (int i = 0; i < 14; i++) {
        char name[16], next[16];
        (void)snprintf(name, sizeof name, "F%d", i);
        (void)snprintf(next, sizeof next, "F%d", i + 1);
        message f = function_head(name, "a", "b");
        for (int k = 0; k < 10; k++) {
            char out[16];
            (void)snprintf(out, sizeof out, k == 9 ? "b" : "t%d", k);
            put_message(&f, FUNCTION_NODE, call_of(next, out, "a", out));
        }
        put_message(&m, MODEL_FUNCTION, f);
    }
    must_refuse(m, PARE_ERROR_INPUT, "its functions", "");
}
END_TEST

/* A branch that reads x of the graph around it, through an operator of its own or directly. */
static message branch_of(const char *op) {
    message b = new_message(), a = new_message();
    put_text(&b, GRAPH_NAME, "branch");
    if (op != NULL) {
        put_node(&b, op, "inner", "x", "inside");
    }
    put_message(&b, GRAPH_OUTPUT, value_info(op != NULL ? "inside" : "x", DTYPE_FLOAT, NULL, -1));
    put_text(&a, ATTRIBUTE_NAME, op != NULL ? "then_branch" : "else_branch");
    put_message(&a, ATTRIBUTE_G, b);
    put_int(&a, ATTRIBUTE_TYPE, 5);
    return a;
}

START_TEST(test_subgraphs_come_back) {
    message g = graph_head(), n = node_head("If", "choice", "c", "y");
    put_message(&g, GRAPH_INPUT, value_info("c", DTYPE_BOOL, NULL, 0));
    put_message(&n, NODE_ATTRIBUTE, branch_of("Relu"));
    put_message(&n, NODE_ATTRIBUTE, branch_of(NULL));
    put_message(&g, GRAPH_NODE, n);
    struct graph *graph = must_parse(model_of(18, g)), *again = NULL;
    const struct graph *yes = node_attr(graph->first, "then_branch")->graph;
    ck_assert_ptr_eq(yes->first->inputs[0], graph_find(graph, "x"));
    ck_assert(node_is(node_attr(graph->first, "else_branch")->graph->first, "Identity"));
    ck_assert_int_eq(graph_find(graph, "y")->rank, 4);
    struct buffer bytes;
    buffer_init(&bytes);
    ck_assert_int_eq(onnx_write(&ctx, graph, NULL, &bytes), PARE_OK);
    enum pare_status status = onnx_parse(&ctx, "again", bytes.data, bytes.size, NULL, &again);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
    char *first = text_of(graph), *second = text_of(again);
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
    buffer_free(&bytes);
    graph_free(graph);
    graph_free(again);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("functions");
    tcase_add_test(tests, test_calls_become_nodes);
    tcase_add_test(tests, test_functions_call_functions);
    tcase_add_test(tests, test_bad_functions);
    tcase_add_test(tests, test_explosion);
    tcase_add_test(tests, test_subgraphs_come_back);
    return run_case(tests, "onnx functions");
}
