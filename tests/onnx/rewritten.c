/* Random networks written as ONNX files and read again: the same integer program. With a folder, the files are left
 * there for other programs: rewritten [FOLDER] */
#include "onnx/onnx.h"
#include "program_equal.h"
#include "quant/exchange.h"
#include "random_scheme.h"

#define NETWORKS 200

static const char *folder;

static void leave_file(struct quantised *q, int number, const struct buffer *bytes) {
    char path[4096];
    if (folder == NULL) {
        return;
    }
    ck_assert_int_lt(snprintf(path, sizeof path, "%s/random_%03d.onnx", folder, number), sizeof path);
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f != NULL, "%s: cannot be written\n%s", path, q->m.text);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->size, f), bytes->size);
    ck_assert_int_eq(fclose(f), 0);
}

static struct graph *through_a_file(struct quantised *q, int number) {
    struct graph *rewritten = NULL, *read = NULL;
    struct buffer bytes;
    buffer_init(&bytes);
    assert_ok(&q->m, export_graph(&q->m.ctx, q->s, &rewritten));
    assert_ok(&q->m, onnx_write(&q->m.ctx, rewritten, NULL, &bytes));
    leave_file(q, number, &bytes);
    assert_ok(&q->m, onnx_parse(&q->m.ctx, "rewritten.onnx", bytes.data, bytes.size, NULL, &read));
    buffer_free(&bytes);
    graph_free(rewritten);
    return read;
}

START_TEST(files_hold_the_same_program) {
    struct quantised q;
    struct scheme *s = NULL;
    struct program *p = NULL;
    quantise(&q, (uint64_t)_i + 5000, NULL);
    struct graph *g = through_a_file(&q, _i);
    ck_assert(import_recognises(g));
    assert_ok(&q.m, import_graph(&q.m.ctx, &g, &s));
    assert_ok(&q.m, lower(&q.m.ctx, s, &p));
    assert_same_program(q.p, p);
    program_free(p);
    scheme_free(s);
    graph_free(g);
    release(&q);
}
END_TEST

int main(int argc, char **argv) {
    folder = argc > 1 ? argv[1] : NULL;
    Suite *s = suite_create("onnx/rewritten");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, files_hold_the_same_program, 0, NETWORKS);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
