/* Edits keep uses, producers, names and order consistent; copies and sorting. */
#include "graph/graph.h"
#include "graph/op.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;
static uint32_t state;

static void setup(void) {
    context_init(&ctx);
    state = 1;
}

static int pick(int count) {
    state = state * 1664525U + 1013904223U;
    return (int)((state >> 8) % (uint32_t)count);
}

static void ok(enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
}

static struct graph *parse(const char *text) {
    struct graph *g = NULL;
    ok(graph_parse(&ctx, text, &g));
    return g;
}

static char *print(const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    ok(graph_print(&ctx, g, &b));
    write_u8(&b, 0);
    return (char *)b.data; /* heap memory of the buffer */
}

/* Counts the places that hold `v`, by a walk over the whole graph. */
static int count_places(const struct graph *g, const struct value *v) {
    int places = 0;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        for (int i = 0; i < n->input_count; i++) {
            places += n->inputs[i] == v;
        }
    }
    for (int i = 0; i < g->output_count; i++) {
        places += g->outputs[i] == v;
    }
    return places;
}

static void assert_consistent(const struct graph *g) {
    ok(graph_verify(&ctx, g));
    for (int i = 0; i < g->value_count; i++) {
        ck_assert_int_eq(g->values[i]->use_count, count_places(g, g->values[i]));
        ck_assert_ptr_eq(graph_find(g, g->values[i]->name), g->values[i]);
    }
}

static struct node *random_node(const struct graph *g) {
    struct node *n = g->first;
    for (int i = g->node_count == 0 ? 0 : pick(g->node_count); i > 0; i--) {
        n = n->next;
    }
    return n;
}

/* A value that exists before `n` (NULL: the end). */
static struct value *random_source(const struct graph *g, const struct node *n) {
    for (;;) {
        struct value *v = g->values[pick(g->value_count)];
        bool before = v->producer == NULL;
        for (const struct node *m = n == NULL ? g->last : n->previous; m != NULL && !before; m = m->previous) {
            before = v->producer == m;
        }
        if (before) {
            return v;
        }
    }
}

static void add_random_node(struct graph *g) {
    struct node *before = pick(3) == 0 ? random_node(g) : NULL;
    struct value *inputs[3];
    struct value *output = NULL;
    int count = 1 + pick(3);
    for (int i = 0; i < count; i++) {
        inputs[i] = random_source(g, before);
    }
    ok(graph_add_value(&ctx, g, "taken", "v", &output));
    ok(graph_add_node(&ctx, g, op_find("Concat"), "node", inputs, count, &output, 1, before, NULL));
}

static void change_random_input(struct graph *g) {
    struct node *n = random_node(g);
    if (n == NULL) {
        return;
    }
    if (pick(3) == 0 && node_is(n, "Concat") && n->input_count < 6) {
        ok(node_append_input(&ctx, n, random_source(g, n)));
    } else {
        ok(node_set_input(&ctx, n, pick(n->input_count), random_source(g, n)));
    }
}

static void replace_random_value(struct graph *g) {
    struct node *n = random_node(g);
    if (n == NULL) {
        return;
    }
    struct value *from = n->outputs[0];
    bool was_output = value_is_output(from);
    char name[64];
    snprintf(name, sizeof name, "%s", from->name);
    ok(graph_replace(&ctx, g, from, random_source(g, n)));
    ck_assert_int_eq(from->use_count, 0);
    ck_assert(!was_output || value_is_output(graph_find(g, name)));
}

static void remove_unused(struct graph *g) {
    struct node *n = random_node(g);
    if (n != NULL && n->outputs[0]->use_count == 0) {
        graph_remove_node(g, n);
    }
    struct value *v = g->values[pick(g->value_count)];
    if (v->use_count == 0 && v->constant != NULL) {
        graph_remove_value(g, v);
    }
}

static void add_random_constant(struct graph *g) {
    struct tensor t;
    struct value *v = NULL;
    struct shape shape = {.rank = 1, .dim = {2}};
    ok(tensor_new(&ctx, g->arena, DTYPE_FLOAT, &shape, &t));
    ok(graph_add_constant(&ctx, g, pick(2) == 0 ? NULL : "c", &t, &v));
}

static void edit_at_random(struct graph *g) {
    switch (pick(8)) {
    case 0:
    case 1:
    case 2:
        add_random_node(g);
        break;
    case 3:
        change_random_input(g);
        break;
    case 4:
        replace_random_value(g);
        break;
    case 5:
        add_random_constant(g);
        break;
    case 6:
        if (g->output_count < 5 && g->last != NULL && !value_is_output(g->last->outputs[0])) {
            ok(graph_add_output(&ctx, g, g->last->outputs[0]));
        }
        break;
    default:
        remove_unused(g);
        break;
    }
}

START_TEST(random_edits) {
    struct graph *g = parse("graph g { input x: float32[2] input y: float32[2] a = Relu(x) output a }");
    state = (uint32_t)_i + 1;
    for (int round = 0; round < 400; round++) {
        edit_at_random(g);
        assert_consistent(g);
    }
    ck_assert_int_gt(g->node_count, 20);
    struct graph *copy = NULL;
    ok(graph_clone(&ctx, g, _i % 2 == 0, &copy));
    assert_consistent(copy);
    char *a = print(g);
    char *b = print(copy);
    ck_assert_str_eq(a, b);
    ok(graph_sort(&ctx, copy)); /* already sorted: stays */
    char *c = print(copy);
    ck_assert_str_eq(b, c);
    free(a);
    free(b);
    free(c);
    graph_free(copy);
    graph_free(g);
}
END_TEST

START_TEST(clone_owns_its_constants) {
    struct graph *g = parse("graph g { const c: float32[2] = [1, 2] const d: float32[1] q(4,[3],s,0) = [1] "
                            "input n: int64[1] y = ConstantOfShape(n) {value=float32[1] [7]} output y }");
    struct graph *deep = NULL;
    struct graph *shallow = NULL;
    ok(graph_clone(&ctx, g, false, &deep));
    ok(graph_clone(&ctx, g, true, &shallow));
    ck_assert_ptr_ne(graph_find(deep, "c")->constant->data, graph_find(g, "c")->constant->data);
    ck_assert_ptr_eq(graph_find(shallow, "c")->constant->data, graph_find(g, "c")->constant->data);
    graph_free(shallow);
    graph_free(g);
    ck_assert_double_eq(tensor_get_double(graph_find(deep, "c")->constant, 1), 2);
    ck_assert_int_eq(graph_find(deep, "d")->format->channel_frac[0], 3);
    ck_assert_double_eq(tensor_get_double(node_attr(deep->first, "value")->tensor, 0), 7);
    assert_consistent(deep);
    graph_free(deep);
}
END_TEST

START_TEST(replaced_output_keeps_its_name) {
    struct graph *g = parse("graph g { input x: float32[2] a = Relu(x) y = Identity(a) output y }");
    struct value *y = graph_find(g, "y");
    struct value *a = graph_find(g, "a");
    ok(graph_replace(&ctx, g, y, a));
    ck_assert_str_eq(a->name, "y");
    ck_assert_ptr_eq(g->outputs[0], a);
    graph_remove_node(g, y->producer);
    assert_consistent(g);
    ok(graph_replace(&ctx, g, a, g->inputs[0])); /* an input: an Identity stands between */
    ck_assert_str_eq(g->inputs[0]->name, "x");
    ck_assert_str_eq(g->outputs[0]->name, "y");
    ck_assert(node_is(g->outputs[0]->producer, "Identity"));
    assert_consistent(g);
    graph_free(g);
}
END_TEST

START_TEST(values_are_renamed) {
    struct graph *g = NULL;
    ck_assert_int_eq(
        graph_parse(&ctx, "graph g {\n  input x: float32[2]\n  a = Relu(x)\n  b = Relu(a)\n  output b\n}\n", &g),
        PARE_OK);
    struct value *a = graph_find(g, "a");
    ck_assert_int_eq(value_rename(&ctx, a, "c"), PARE_OK);
    ck_assert_ptr_eq(graph_find(g, "c"), a);
    ck_assert_ptr_null(graph_find(g, "a"));
    ck_assert_int_eq(value_rename(&ctx, a, "c"), PARE_OK);
    ck_assert_str_eq(a->name, "c");
    ck_assert_int_eq(value_rename(&ctx, a, "b"), PARE_OK); /* taken: one derived from it */
    ck_assert_str_ne(a->name, "b");
    ck_assert_ptr_eq(graph_find(g, a->name), a);
    ck_assert_int_eq(graph_verify(&ctx, g), PARE_OK);
    graph_free(g);
}
END_TEST

START_TEST(names_are_made_unique) {
    struct graph *g = parse("graph g { input x a = Relu(x) output a }");
    struct value *v = NULL;
    struct value *w = NULL;
    struct node *n = NULL;
    ok(graph_add_value(&ctx, g, "a", NULL, &v));
    ok(graph_add_value(&ctx, g, "", NULL, &w));
    ck_assert_str_ne(v->name, "a");
    ck_assert_int_gt((int)strlen(w->name), 0);
    ok(graph_add_node(&ctx, g, op_find("Relu"), "Relu", &v, 1, &w, 1, NULL, &n));
    ck_assert_str_ne(n->name, "Relu");
    graph_free(g);
}
END_TEST

START_TEST(sorting_names_a_node_of_a_cycle) {
    struct graph *g = parse("graph g { input x a = Relu(x) as first b = Relu(a) as second output b }");
    ok(node_set_input(&ctx, g->first, 0, graph_find(g, "b")));
    ck_assert_int_eq(graph_verify(&ctx, g), PARE_ERROR_INTERNAL);
    context_clear(&ctx);
    ck_assert_int_eq(graph_sort(&ctx, g), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "second: its input a depends on its own output"));
    graph_free(g);
}
END_TEST

/* A chain that was built back to front, deep enough to overflow a stack that recursion would use. */
START_TEST(sorting_a_long_chain) {
    enum { LENGTH = GRAPH_MAX_NODES };
    struct graph *g = parse("graph g { input x: float32[1] }");
    struct value *source = g->inputs[0];
    for (int i = 0; i < LENGTH; i++) {
        struct value *v = NULL;
        ok(graph_add_value(&ctx, g, NULL, "v", &v));
        ok(graph_add_node(&ctx, g, op_find("Relu"), NULL, &source, 1, &v, 1, g->first, NULL));
        source = v;
    }
    ok(graph_add_output(&ctx, g, source));
    ck_assert_int_eq(graph_verify(&ctx, g), PARE_ERROR_INTERNAL);
    ok(graph_sort(&ctx, g));
    ok(graph_verify(&ctx, g));
    ok(graph_infer(&ctx, g));
    ck_assert_int_eq(source->dims[0].value, 1);
    graph_free(g);
}
END_TEST

/* One value with as many users as a graph may have: nothing may take time with their square. */
START_TEST(a_value_that_all_nodes_use) {
    struct graph *g = parse("graph g { input x: float32[1] input z: float32[1] }");
    struct value *x = g->inputs[0];
    enum pare_status status = PARE_OK;
    for (int i = 0; status == PARE_OK; i++) {
        struct value *v = NULL;
        ok(graph_add_value(&ctx, g, NULL, "v", &v));
        status = graph_add_node(&ctx, g, op_find("Relu"), NULL, &x, 1, &v, 1, NULL, NULL);
    }
    ck_assert_int_eq(status, PARE_ERROR_INPUT);
    ck_assert_int_eq(g->node_count, GRAPH_MAX_NODES);
    context_clear(&ctx);
    ok(graph_verify(&ctx, g));
    ok(graph_replace(&ctx, g, x, g->inputs[1]));
    ck_assert_int_eq(x->use_count, 0);
    ck_assert_int_eq(g->inputs[1]->use_count, GRAPH_MAX_NODES);
    ok(graph_infer(&ctx, g));
    while (g->last != NULL) {
        graph_remove_node(g, g->last);
    }
    ok(graph_verify(&ctx, g));
    graph_free(g);
}
END_TEST

START_TEST(verifier_sees_what_a_body_captures_too_early) {
    struct graph *g =
        parse("graph g { input c: bool[] input x: float32[2] a = Relu(x)"
              " y = If(c) {then_branch=graph t { p = Relu(x) output p }, else_branch=graph e { q = Relu(x)"
              " output q }} z = Relu(y) output z }");
    struct node *inner = g->first->next->attrs[0].graph->first;
    static const struct {
        const char *captured;
        enum pare_status status;
    } cases[] = {{"a", PARE_OK}, {"y", PARE_ERROR_INTERNAL}, {"z", PARE_ERROR_INTERNAL}, {"x", PARE_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ok(node_set_input(&ctx, inner, 0, graph_find(g, cases[i].captured)));
        ck_assert_int_eq(graph_verify(&ctx, g), cases[i].status);
        context_clear(&ctx);
    }
    graph_free(g);
}
END_TEST

START_TEST(verifier_sees_a_use_listed_twice) {
    struct graph *g = parse("graph g { input x a = Add(x, x) output a }");
    struct value *x = g->inputs[0];
    x->uses[1] = x->uses[0];
    ck_assert_int_eq(graph_verify(&ctx, g), PARE_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "x: its list of uses is not what the nodes say"));
    graph_free(g);
}
END_TEST

/* A source that stands too late moves in front of its user; the others keep their order. */
START_TEST(sorting_is_stable) {
    struct graph *g = parse("graph g { input x a = Relu(x) as a b = Tanh(x) as b c = Relu(x) as c d = Relu(x) as d "
                            "output b output c output d output a }");
    static const char *const order[] = {"d", "a", "b", "c"};
    ok(node_set_input(&ctx, g->first, 0, graph_find(g, "d")));
    ok(graph_sort(&ctx, g));
    int i = 0;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        ck_assert_str_eq(n->name, order[i++]);
    }
    assert_consistent(g);
    graph_free(g);
}
END_TEST

START_TEST(defaults_of_attributes) {
    struct graph *g = parse("graph g { input x w = Relu(x) y = Conv(x, w) z = Resize(y) {mode=\"linear\"} "
                            "s = Softmax(z) {axis=2} l = LeakyRelu(s) output l }");
    const struct node *conv = graph_find(g, "y")->producer;
    size_t count = 1;
    ck_assert_int_eq(node_int(conv, "group"), 1);
    ck_assert_str_eq(node_string(conv, "auto_pad"), "NOTSET");
    ck_assert_ptr_null(node_ints(conv, "strides", &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(node_attr(conv, "group"));
    ck_assert_str_eq(node_string(conv->next, "mode"), "linear");
    ck_assert_str_eq(node_string(conv->next, "nearest_mode"), "round_prefer_floor");
    ck_assert_int_eq(node_int(conv->next->next, "axis"), 2);
    ck_assert_float_eq(node_float(g->last, "alpha"), 0.01F);
    ck_assert_int_eq(node_int(conv, "no_such_attribute"), 0);
    ck_assert_str_eq(node_string(conv, "no_such_attribute"), "");
    graph_free(g);
}
END_TEST

START_TEST(attributes_are_copied_and_replaced) {
    struct graph *g = parse("graph g { input x y = Transpose(x) output y }");
    int64_t perm[2] = {1, 0};
    size_t count = 0;
    ok(node_set_ints(&ctx, g->first, "perm", perm, 2));
    perm[0] = 7;
    ck_assert_int_eq(node_ints(g->first, "perm", &count)[0], 1);
    ok(node_set_ints(&ctx, g->first, "perm", perm, 1));
    ck_assert_int_eq(node_ints(g->first, "perm", &count)[0], 7);
    ck_assert_uint_eq(count, 1);
    ok(graph_verify(&ctx, g));
    ok(node_set_int(&ctx, g->first, "axis", 1));
    ck_assert_int_eq(graph_verify(&ctx, g), PARE_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "Transpose has no attribute axis"));
    node_remove_attr(g->first, "axis");
    ok(graph_verify(&ctx, g));
    graph_free(g);
}
END_TEST

/* Every row is found by its name, rows are sorted, and every default can be read as its type. */
START_TEST(operator_table) {
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_table[i];
        ck_assert_ptr_eq(op_find(op->name), op);
        ck_assert_int_eq(op->id, i);
        struct node n = {.op = op};
        char attrs[512];
        snprintf(attrs, sizeof attrs, "%s", op->attrs);
        for (char *word = strtok(attrs, " "); word != NULL; word = strtok(NULL, " ")) {
            struct op_attr row;
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(word, ":"), word);
            ck_assert(op_attr_find(op, name, &row));
            if (row.type == ATTR_STRING && row.text != NULL) {
                ck_assert_msg(strlen(node_string(&n, name)) == row.length, "%s.%s", op->name, name);
            }
        }
    }
    ck_assert_ptr_null(op_find("Loops"));
    ck_assert_ptr_null(op_find(""));
}
END_TEST

START_TEST(questions) {
    struct graph *g = parse("graph g { input x: float32[N,3] const c: float32[1] = [2.5] const d: float32[2] = [1,2] "
                            "a = Relu(x) b = Add(a, c) output b }");
    struct shape shape;
    double scalar = 0;
    const struct value *x = graph_find(g, "x");
    ck_assert(!value_shape(x, -1, &shape));
    ck_assert(value_shape(x, 4, &shape));
    ck_assert_int_eq(shape.dim[0], 4);
    ck_assert(!value_shape(graph_find(g, "a"), 4, &shape));
    ck_assert(value_scalar(graph_find(g, "c"), &scalar));
    ck_assert_double_eq(scalar, 2.5);
    ck_assert(!value_scalar(graph_find(g, "d"), &scalar));
    ck_assert(!value_scalar(x, &scalar));
    ck_assert_ptr_eq(value_single_user(graph_find(g, "a")), g->last);
    ck_assert_ptr_null(value_single_user(graph_find(g, "b")));
    ck_assert(value_is_output(graph_find(g, "b")));
    ck_assert(!node_is(NULL, "Relu"));
    graph_free(g);
}
END_TEST

START_TEST(formats) {
    struct format f = {.bits = 8, .is_signed = true};
    ck_assert_int_eq(format_min(&f), -128);
    ck_assert_int_eq(format_max(&f), 127);
    f.is_signed = false;
    ck_assert_int_eq(format_min(&f), 0);
    ck_assert_int_eq(format_max(&f), 255);
    ck_assert_int_eq(format_storage(&f), DTYPE_UINT8);
    f.bits = 32;
    f.is_signed = true;
    ck_assert_int_eq(format_min(&f), INT32_MIN);
    ck_assert_int_eq(format_max(&f), INT32_MAX);
    f.bits = 0;
    ck_assert_int_eq(format_min(&f), 0);
    ck_assert_int_eq(format_max(&f), 0);
    f.bits = 9;
    ck_assert_int_eq(format_storage(&f), DTYPE_INT16);
    int fracs[2] = {1, 2};
    struct format g = f;
    ck_assert(format_equal(&f, &g));
    g.channel_frac = fracs;
    g.channels = 2;
    ck_assert(!format_equal(&f, &g));
    ck_assert_int_eq(format_frac(&g, 1), 2);
}
END_TEST

int main(void) {
    Suite *s = suite_create("graph/edit");
    TCase *t = tcase_create("edit");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, random_edits, 0, 20);
    tcase_add_test(t, clone_owns_its_constants);
    tcase_add_test(t, replaced_output_keeps_its_name);
    tcase_add_test(t, values_are_renamed);
    tcase_add_test(t, names_are_made_unique);
    tcase_add_test(t, sorting_names_a_node_of_a_cycle);
    tcase_add_test(t, sorting_a_long_chain);
    tcase_add_test(t, a_value_that_all_nodes_use);
    tcase_add_test(t, verifier_sees_what_a_body_captures_too_early);
    tcase_add_test(t, verifier_sees_a_use_listed_twice);
    tcase_add_test(t, sorting_is_stable);
    tcase_add_test(t, defaults_of_attributes);
    tcase_add_test(t, attributes_are_copied_and_replaced);
    tcase_add_test(t, operator_table);
    tcase_add_test(t, questions);
    tcase_add_test(t, formats);
    suite_add_tcase(s, t);
    return suite_main(s);
}
