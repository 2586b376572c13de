/* The whole pipeline over the shared networks: outputs stay, and nothing is left that should be gone. */
#include "base/file.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "passes/passes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expectation {
    const char *file;
    const char *gone; /* operators that must not remain, separated by spaces */
};

static const struct expectation expectations[] = {
    {"paper_seq_mnist.onnx", "BatchNormalization Transpose Identity MatMul Add"},
    {"paper_seq_cifar10.onnx", "BatchNormalization Identity MatMul Add"},
    {"paper_branched_fashion_mnist.onnx", "BatchNormalization Transpose Identity MatMul Add"},
    {"resnet20_cifar10.onnx", "Shape Gather Unsqueeze Concat BatchNormalization"},
    {"mlperf_tiny_resnet8.onnx", "BatchNormalization"},
    {"mlperf_tiny_dscnn_kws.onnx", "BatchNormalization"},
    {"tf2onnx_cifar10_small.onnx", "MatMul Add"},
    {"tf2onnx_cnn_fashion_mnist.onnx", "Transpose MatMul Add Mul"},
    {"torch18_resnet_2b_cifar10.onnx", "BatchNormalization"},
    {"torch16_convnet_avgpool_mnist.onnx", "Pad"},
    {"cntk_mnist8.onnx", "MatMul Add"},
    {"mnist.onnx", "Shape Concat"},
    {"mobilenet_v1_025_vww96.onnx", "BatchNormalization"},
    {"ppocr_cls.onnx", "BatchNormalization Shape Cast Slice Concat MatMul Clip Div"},
    {"cgan32.onnx", "BatchNormalization"},
    {"rul_cnn.onnx", "Dropout"},
    {"mnist_concat.onnx", ""},
};

static void count_warning(void *user, const char *message) {
    printf("  warning: %s\n", message);
    ++*(int *)user;
}

static int count_ops(const struct graph *g, const char *name) {
    int count = 0;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        count += strcmp(n->op->name, name) == 0;
    }
    return count;
}

static char *text_of(struct context *ctx, const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(graph_print(ctx, g, &b), PARE_OK);
    write_u8(&b, 0);
    ck_assert(!b.failed);
    return (char *)b.data;
}

static void check_gone(const struct graph *g, const char *names) {
    char list[256];
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok(list, " "); name != NULL; name = strtok(NULL, " ")) {
        ck_assert_msg(count_ops(g, name) == 0, "%d %s remain", count_ops(g, name), name);
    }
}

/* Transposes are left only right behind an input of the graph. */
static void check_transposes(const struct graph *g) {
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        ck_assert_msg(strcmp(n->op->name, "Transpose") != 0 || n->inputs[0]->is_input, "%s remains", n->name);
    }
}

START_TEST(test_model) {
    const struct expectation *e = &expectations[_i];
    char path[1024];
    struct context ctx;
    struct graph *g;
    int warnings = 0;
    context_init(&ctx);
    ctx.warn = count_warning;
    ctx.user = &warnings;
    snprintf(path, sizeof path, "%s/models/%s", PARE_SHARED, e->file);
    ck_assert_msg(onnx_read(&ctx, path, &g) == PARE_OK, "%s", ctx.diag.message);
    int before = g->node_count;
    warnings = 0;
    struct pass_options options = {.check_numerics = true, .seed = 1};
    ck_assert_msg(passes_run(&ctx, &g, &options) == PARE_OK, "%s", ctx.diag.message);
    char *once = text_of(&ctx, g);
    printf("%s: %d nodes, %d after\n", e->file, before, g->node_count);
    ck_assert_int_eq(warnings, 0);
    check_gone(g, e->gone);
    check_transposes(g);
    ck_assert_msg(passes_run(&ctx, &g, &options) == PARE_OK, "%s", ctx.diag.message);
    char *twice = text_of(&ctx, g);
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
    graph_free(g);
}
END_TEST

int main(void) {
    if (!file_is_directory(PARE_SHARED)) {
        printf("skipped: no ../shared\n");
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("passes over models");
    TCase *models = tcase_create("models");
    tcase_set_timeout(models, 0);
    tcase_add_loop_test(models, test_model, 0, (int)(sizeof expectations / sizeof expectations[0]));
    suite_add_tcase(suite, models);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
