/* Input made to hurt: refused with a message that names the place, in bounded time, stack and memory. */
#include "onnx_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small model with something of everything. */
static message whole_model(void) {
    static const float values[] = {1, 2, 3};
    message g = graph_head(), flatten = node_head("Softmax", "soft", "b", "c");
    put_message(&flatten, NODE_ATTRIBUTE, int_attribute("axis", 1));
    put_message(&g, GRAPH_INITIALIZER,
                raw_tensor("w", DTYPE_FLOAT, (const int64_t[]){3, 1, 1}, 3, values, sizeof values));
    put_node(&g, "Mul", "scale", "x w", "a");
    put_node(&g, "Relu", "act", "a", "b");
    put_message(&g, GRAPH_NODE, flatten);
    put_node(&g, "Identity", "", "c", "y");
    return model_of(11, g);
}

START_TEST(test_cut_short_anywhere) {
    message whole = whole_model();
    for (size_t size = 0; size < whole.size; size++) {
        struct graph *g = NULL;
        context_clear(&ctx);
        enum pare_status status = onnx_parse(&ctx, "test.onnx", whole.data, size, NULL, &g);
        ck_assert_msg(status == PARE_ERROR_INPUT || status == PARE_ERROR_UNSUPPORTED, "%zu bytes: %d", size, status);
        ck_assert_msg(strncmp(ctx.diag.message, "test.onnx: ", 11) == 0, "%s", ctx.diag.message);
    }
    buffer_free(&whole);
}
END_TEST

static uint32_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

START_TEST(test_random_bytes) {
    uint64_t state = 1;
    for (int trial = 0; trial < 2000; trial++) {
        message m = new_message();
        for (size_t size = 1 + next_random(&state) % 300; m.size < size;) {
            write_u8(&m, (uint8_t)next_random(&state));
        }
        struct graph *g = NULL;
        ck_assert_int_ne(try_parse(m, &g), PARE_OK);
        ck_assert_ptr_null(g);
    }
}
END_TEST

/* Any changed byte gives a graph or an error, never a crash; the sanitizer build looks closer. */
START_TEST(test_changed_bytes) {
    uint64_t state = 2;
    int refused = 0;
    for (int trial = 0; trial < 4000; trial++) {
        struct graph *g = NULL;
        message m = whole_model();
        m.data[next_random(&state) % m.size] = (uint8_t)next_random(&state);
        if (try_parse(m, &g) == PARE_OK) {
            graph_free(g);
        } else {
            ck_assert_int_ne(ctx.diag.code, PARE_ERROR_INTERNAL);
            refused++;
        }
    }
    ck_assert_int_gt(refused, 400);
}
END_TEST

/* Graphs in attributes of nodes in graphs. */
START_TEST(test_deep_nesting) {
    message inner = new_message();
    for (int depth = 0; depth < 5000; depth++) {
        message attribute = new_message(), node = new_message(), graph = new_message();
        put_message(&attribute, ATTRIBUTE_G, inner);
        put_message(&node, NODE_ATTRIBUTE, attribute);
        put_message(&graph, GRAPH_NODE, node);
        inner = graph;
    }
    must_refuse(model_of(13, inner), PARE_ERROR_INPUT, "nested deeper than 100", "byte");
}
END_TEST

/* Empty nodes are two bytes in the file and a hundred in memory. */
START_TEST(test_memory_amplification) {
    message g = new_message();
    for (int i = 0; i < 4 << 20; i++) {
        put_bytes(&g, GRAPH_NODE, "", 0);
    }
    must_refuse(model_of(13, g), PARE_ERROR_INPUT, "far more memory", "byte");
}
END_TEST

/* protobuf would merge repeated singular messages: quadratic when they are many. */
START_TEST(test_singular_message_twice) {
    message m = whole_model();
    put_bytes(&m, MODEL_GRAPH, "", 0);
    must_refuse(m, PARE_ERROR_INPUT, "graph is given twice", "byte");
}
END_TEST

/* Large weights are read where they lie. The reader marks their places with a field of its own, which files must not
 * use to point elsewhere. */
enum { NOTE = (1 << 29) - 1, LARGE = 2048 };

static message large_model(bool with_note) {
    static float values[LARGE];
    int64_t dims[] = {LARGE};
    uint64_t note[] = {0, sizeof values};
    for (int i = 0; i < LARGE; i++) {
        values[i] = (float)i;
    }
    message g = graph_head(), w = tensor_head("w", DTYPE_FLOAT, dims, 1);
    if (with_note) {
        put_bytes(&w, NOTE, note, sizeof note);
    } else {
        put_bytes(&w, TENSOR_RAW, values, sizeof values);
    }
    put_message(&g, GRAPH_INITIALIZER, w);
    put_node(&g, "Add", "add", "w w", "y");
    return model_of(13, g);
}

START_TEST(test_large_weights) {
    message m = large_model(false);
    struct graph *g = NULL;
    for (int round = 0; round < 2; round++) { /* the bytes are still there after the first time */
        ck_assert_msg(onnx_parse(&ctx, "large", m.data, m.size, NULL, &g) == PARE_OK, "%s", ctx.diag.message);
        const struct value *w = graph_find(g, "w");
        for (size_t i = 0; i < LARGE; i++) {
            ck_assert(tensor_get_double(w->constant, i) == (double)i);
        }
        graph_free(g);
    }
    buffer_free(&m);
    must_refuse(large_model(true), PARE_ERROR_INPUT, "tensor `w`", "0 bytes");
}
END_TEST

START_TEST(test_bad_wire) {
    static const char *const bytes[] = {"\x0b\x0c", "\x02\x00", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                                        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        message m = new_message();
        write_bytes(&m, bytes[i], strlen(bytes[i]));
        must_refuse(m, PARE_ERROR_INPUT, "damaged or cut short", "byte");
    }
}
END_TEST

START_TEST(test_recognise) {
    message whole = whole_model();
    ck_assert(onnx_recognise(whole.data, whole.size));
    ck_assert(onnx_recognise(whole.data, whole.size / 2));
    ck_assert(!onnx_recognise("PK\3\4 an archive", 16));
    ck_assert(!onnx_recognise("\x93NUMPY\1\0", 8));
    ck_assert(!onnx_recognise("", 0));
    buffer_free(&whole);
}
END_TEST

/* ---- external data ---- */

static message external_tensor(const char *location, const char *offset, const char *length) {
    message t = tensor_head("w", DTYPE_FLOAT, (const int64_t[]){3}, 1);
    put_message(&t, TENSOR_EXTERNAL, pair("location", location));
    if (offset != NULL) {
        put_message(&t, TENSOR_EXTERNAL, pair("offset", offset));
    }
    if (length != NULL) {
        put_message(&t, TENSOR_EXTERNAL, pair("length", length));
    }
    put_int(&t, TENSOR_LOCATION, 1);
    return t;
}

static message external_model(const char *location, const char *offset, const char *length) {
    message g = new_message();
    put_message(&g, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, NULL, -1));
    put_message(&g, GRAPH_INITIALIZER, external_tensor(location, offset, length));
    put_node(&g, "Identity", "copy", "w", "y");
    return model_of(13, g);
}

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* Each test with files runs in a folder of its own: model/ with the model, store/ beside it. */
static char folder[] = "pare-test-XXXXXX";

static void folder_setup(void) {
    static const float values[] = {9, 1, 2, 3};
    ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "pare-test-XXXXXX")));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("model", 0700), 0);
    ck_assert_int_eq(mkdir("store", 0700), 0);
    write_file("store/blob", values, sizeof values);
    write_file("model/near.data", values, sizeof values);
}

static void folder_teardown(void) {
    static const char *const files[] = {"model/m.onnx", "model/near.data", "model/linked.data", "model/link.onnx",
                                        "store/blob",   "store/m.onnx",    "store/data"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)unlink(files[i]);
    }
    (void)rmdir("model");
    (void)rmdir("store");
    ck_assert_int_eq(chdir(".."), 0);
    (void)rmdir(folder);
}

static enum pare_status read_model(const char *path, message m, struct graph **g) {
    write_file(path, m.data, m.size);
    buffer_free(&m);
    context_clear(&ctx);
    *g = NULL;
    return onnx_read(&ctx, path, g);
}

static void must_read(const char *path, message m) {
    struct graph *g = NULL;
    ck_assert_msg(read_model(path, m, &g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_double_eq(tensor_get_double(graph_find(g, "w")->constant, 2), 3);
    graph_free(g);
}

static void must_not_read(message m, const char *first, const char *second) {
    struct graph *g = NULL;
    ck_assert_int_eq(read_model("model/m.onnx", m, &g), PARE_ERROR_INPUT);
    ck_assert_msg(strncmp(ctx.diag.message, "model/m.onnx: tensor `w`: ", 26) == 0, "%s", ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, first) != NULL, "`%s` is not in: %s", first, ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, second) != NULL, "`%s` is not in: %s", second, ctx.diag.message);
}

START_TEST(test_external_data) {
    must_read("model/m.onnx", external_model("near.data", "4", "12"));
    must_read("model/m.onnx", external_model("near.data", "4", NULL));
    must_read("model/m.onnx", external_model("./near.data", "4", NULL));
}
END_TEST

static uint64_t hash_with(const float values[4]) {
    struct graph *g = NULL;
    struct onnx_source source = {.hashed = true};
    write_file("model/near.data", values, 4 * sizeof *values);
    ck_assert_msg(onnx_read_from(&ctx, "model/m.onnx", &source, &g) == PARE_OK, "%s", ctx.diag.message);
    graph_free(g);
    return source.hash;
}

/* The weights belong to what the hash of a model names, the rest of their file does not. */
START_TEST(test_external_data_are_hashed) {
    must_read("model/m.onnx", external_model("near.data", "4", "12"));
    uint64_t hash = hash_with((float[]){9, 1, 2, 3});
    ck_assert_uint_eq(hash_with((float[]){9, 1, 2, 3}), hash);
    ck_assert_uint_eq(hash_with((float[]){8, 1, 2, 3}), hash);
    ck_assert_uint_ne(hash_with((float[]){9, 1, 2, 4}), hash);
}
END_TEST

START_TEST(test_external_data_that_leaves) {
    must_not_read(external_model("../store/blob", "4", "12"), "`../store/blob`", "outside of the model's folder");
    must_not_read(external_model("a/../../store/blob", "4", NULL), "outside of the model's folder", "");
    must_not_read(external_model("..", NULL, NULL), "outside of the model's folder", "");
    must_not_read(external_model("/etc/hostname", NULL, NULL), "outside of the model's folder", "");
    must_not_read(external_model("", NULL, NULL), "names no file", "");
}
END_TEST

START_TEST(test_external_data_that_is_wrong) {
    must_not_read(external_model("gone.data", NULL, NULL), "`gone.data` is missing", "`model`");
    must_not_read(external_model("near.data", "8", NULL), "beyond the end of `near.data`", "16 bytes");
    must_not_read(external_model("near.data", "18446744073709551615", NULL), "beyond the end", "");
    must_not_read(external_model("near.data", "18446744073709551616", NULL), "no size", "");
    must_not_read(external_model("near.data", "-4", NULL), "offset `-4`", "no size");
    must_not_read(external_model("near.data", "4", "8"), "8 bytes", "expected 12");
    must_not_read(external_model(".", NULL, NULL), "directory", "");
}
END_TEST

/* A cache that links each file to a store of its own. */
START_TEST(test_external_data_in_a_linked_cache) {
    message m = external_model("linked.data", "4", NULL);
    ck_assert_int_eq(symlink("../store/blob", "model/linked.data"), 0);
    must_read("model/m.onnx", external_model("linked.data", "4", NULL));
    write_file("store/m.onnx", m.data, m.size);
    buffer_free(&m);
    ck_assert_int_eq(symlink("../store/m.onnx", "model/link.onnx"), 0);
    must_read("model/link.onnx", external_model("linked.data", "4", NULL));
    ck_assert_int_eq(rename("store/blob", "store/data"), 0); /* beside the file that the link leads to */
    must_read("model/link.onnx", external_model("data", "4", NULL));
}
END_TEST

START_TEST(test_external_data_without_folder) {
    must_refuse(external_model("near.data", "4", NULL), PARE_ERROR_INPUT, "`near.data`", "did not come from a file");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("hostile"), *files = tcase_create("external data");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, test_cut_short_anywhere);
    tcase_add_test(tests, test_random_bytes);
    tcase_add_test(tests, test_changed_bytes);
    tcase_add_test(tests, test_deep_nesting);
    tcase_add_test(tests, test_memory_amplification);
    tcase_add_test(tests, test_singular_message_twice);
    tcase_add_test(tests, test_large_weights);
    tcase_add_test(tests, test_bad_wire);
    tcase_add_test(tests, test_recognise);
    tcase_add_checked_fixture(files, folder_setup, folder_teardown);
    tcase_add_test(files, test_external_data);
    tcase_add_test(files, test_external_data_are_hashed);
    tcase_add_test(files, test_external_data_that_leaves);
    tcase_add_test(files, test_external_data_that_is_wrong);
    tcase_add_test(files, test_external_data_in_a_linked_cache);
    tcase_add_test(files, test_external_data_without_folder);
    int failed = run_case(tests, "onnx hostile input");
    return run_case(files, "onnx external data") || failed;
}
