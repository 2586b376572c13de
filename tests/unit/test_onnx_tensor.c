/* Every encoding of a tensor gives the same elements, and wrong ones are refused with the tensor's name. */
#include "onnx_trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* y = Identity(w) for a tensor message called "w". */
static message model_with(message tensor) {
    message g = new_message();
    put_message(&g, GRAPH_OUTPUT, value_info("y", DTYPE_NONE, NULL, -1));
    put_message(&g, GRAPH_INITIALIZER, tensor);
    put_node(&g, "Identity", "copy", "w", "y");
    return model_of(25, g);
}

static message weight_of(const char *op, message tensor) {
    message g = graph_head();
    put_message(&g, GRAPH_INITIALIZER, tensor);
    put_node(&g, op, "node", "x w", "y");
    return model_of(25, g);
}

static void expect(message tensor, enum dtype type, const double *values, size_t count) {
    struct graph *g = must_parse(model_with(tensor));
    const struct tensor *t = graph_find(g, "w")->constant;
    ck_assert_int_eq(t->type, type);
    ck_assert_uint_eq(tensor_count(t), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_double_eq(tensor_get_double(t, i), values[i]);
    }
    graph_free(g);
}

static const int64_t three[] = {3};

START_TEST(test_raw) {
    const float f[] = {1.5F, -2, 0};
    const uint16_t half[] = {0x3e00, 0xc000, 0}, brain[] = {0x3fc0, 0xc000, 0};
    const int16_t i16[] = {-300, 7, 32767};
    const uint8_t truth[] = {0, 1, 255};
    expect(raw_tensor("w", DTYPE_FLOAT, three, 1, f, sizeof f), DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(raw_tensor("w", DTYPE_FLOAT16, three, 1, half, sizeof half), DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(raw_tensor("w", DTYPE_BFLOAT16, three, 1, brain, sizeof brain), DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(raw_tensor("w", DTYPE_INT16, three, 1, i16, sizeof i16), DTYPE_INT16, (double[]){-300, 7, 32767}, 3);
    expect(raw_tensor("w", DTYPE_BOOL, three, 1, truth, 3), DTYPE_BOOL, (double[]){0, 1, 1}, 3);
    expect(raw_tensor("w", DTYPE_INT8, NULL, 0, "\x80", 1), DTYPE_INT8, (double[]){-128}, 1);
}
END_TEST

START_TEST(test_raw_small) {
    expect(raw_tensor("w", DTYPE_INT4, three, 1, "\xf7\x08", 2), DTYPE_INT4, (double[]){7, -1, -8}, 3);
    expect(raw_tensor("w", DTYPE_UINT4, three, 1, "\xf7\x08", 2), DTYPE_UINT4, (double[]){7, 15, 8}, 3);
    const int64_t five[] = {5};
    expect(raw_tensor("w", DTYPE_INT2, five, 1, "\xe4\x02", 2), DTYPE_INT2, (double[]){0, 1, -2, -1, -2}, 5);
    expect(raw_tensor("w", DTYPE_UINT2, five, 1, "\xe4\x02", 2), DTYPE_UINT2, (double[]){0, 1, 2, 3, 2}, 5);
}
END_TEST

/* A packed list of varints. */
static message typed(int type, const int64_t *dims, uint32_t field, const int64_t *values, int count) {
    message m = tensor_head("w", type, dims, 1), list = new_message();
    for (int i = 0; i < count; i++) {
        put_varint(&list, (uint64_t)values[i]);
    }
    put_message(&m, field, list);
    return m;
}

START_TEST(test_typed_ints) {
    const int64_t v[] = {-3, 0, 100}, half[] = {0x3e00, 0xc000, 0}, packed[] = {0xf7, 0x08};
    const double expected[] = {-3, 0, 100};
    static const enum dtype in_int32[] = {DTYPE_INT8, DTYPE_INT16, DTYPE_INT32};
    for (size_t i = 0; i < 3; i++) {
        expect(typed(in_int32[i], three, TENSOR_INT32S, v, 3), in_int32[i], expected, 3);
    }
    expect(typed(DTYPE_INT64, three, TENSOR_INT64S, v, 3), DTYPE_INT64, expected, 3);
    expect(typed(DTYPE_UINT8, three, TENSOR_INT32S, (int64_t[]){255, 0, 1}, 3), DTYPE_UINT8, (double[]){255, 0, 1}, 3);
    expect(typed(DTYPE_UINT16, three, TENSOR_INT32S, (int64_t[]){65535, 0, 1}, 3), DTYPE_UINT16,
           (double[]){65535, 0, 1}, 3);
    expect(typed(DTYPE_UINT32, three, TENSOR_UINT64S, (int64_t[]){UINT32_MAX, 0, 1}, 3), DTYPE_UINT32,
           (double[]){UINT32_MAX, 0, 1}, 3);
    expect(typed(DTYPE_UINT64, three, TENSOR_UINT64S, (int64_t[]){7, 0, 1}, 3), DTYPE_UINT64, (double[]){7, 0, 1}, 3);
    expect(typed(DTYPE_BOOL, three, TENSOR_INT32S, (int64_t[]){1, 0, 1}, 3), DTYPE_BOOL, (double[]){1, 0, 1}, 3);
    expect(typed(DTYPE_FLOAT16, three, TENSOR_INT32S, half, 3), DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(typed(DTYPE_INT4, three, TENSOR_INT32S, packed, 2), DTYPE_INT4, (double[]){7, -1, -8}, 3);
}
END_TEST

START_TEST(test_typed_floats) {
    const float f[] = {1.5F, -2, 0};
    const double d[] = {1.5, -2, 1e300};
    message packed = tensor_head("w", DTYPE_FLOAT, three, 1), wide = tensor_head("w", DTYPE_DOUBLE, three, 1);
    message loose = tensor_head("w", DTYPE_FLOAT, three, 1);
    put_bytes(&packed, TENSOR_FLOATS, f, sizeof f);
    put_bytes(&wide, TENSOR_DOUBLES, d, sizeof d);
    for (int i = 0; i < 3; i++) {
        put_float(&loose, TENSOR_FLOATS, f[i]);
    }
    expect(packed, DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(loose, DTYPE_FLOAT, (double[]){1.5, -2, 0}, 3);
    expect(wide, DTYPE_DOUBLE, d, 3);
}
END_TEST

START_TEST(test_wrong_counts) {
    const float f[] = {1, 2, 3, 4};
    const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40}, negative[] = {-3};
    const int64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    must_refuse(model_with(raw_tensor("w", DTYPE_FLOAT, three, 1, f, sizeof f)), PARE_ERROR_INPUT, "`w`",
                "expected 12");
    must_refuse(model_with(raw_tensor("w", DTYPE_INT4, three, 1, "\x11", 1)), PARE_ERROR_INPUT, "`w`", "expected 2");
    must_refuse(model_with(typed(DTYPE_INT8, three, TENSOR_INT32S, many, 2)), PARE_ERROR_INPUT, "`w`", "expected 3");
    must_refuse(model_with(tensor_head("w", DTYPE_FLOAT, three, 1)), PARE_ERROR_INPUT, "`w`", "expected 12");
    must_refuse(model_with(tensor_head("w", DTYPE_FLOAT, huge, 2)), PARE_ERROR_INPUT, "`w`", "impossible");
    must_refuse(model_with(tensor_head("w", DTYPE_FLOAT, huge, 1)), PARE_ERROR_INPUT, "`w`", "expected");
    must_refuse(model_with(tensor_head("w", DTYPE_FLOAT, negative, 1)), PARE_ERROR_INPUT, "`w`", "impossible");
    must_refuse(model_with(tensor_head("w", DTYPE_FLOAT, many, 9)), PARE_ERROR_UNSUPPORTED, "rank 9", "w");
    must_refuse(model_with(tensor_head("w", 8, three, 1)), PARE_ERROR_UNSUPPORTED, "STRING", "w");
    must_refuse(model_with(tensor_head("w", 77, three, 1)), PARE_ERROR_UNSUPPORTED, "unknown", "w");
}
END_TEST

START_TEST(test_out_of_range) {
    const int64_t v[] = {0, 70000, 1}, wide[] = {0, INT64_C(1) << 32, 1};
    must_refuse(model_with(typed(DTYPE_UINT16, three, TENSOR_INT32S, v, 3)), PARE_ERROR_INPUT, "`w`", "70000");
    must_refuse(model_with(typed(DTYPE_UINT32, three, TENSOR_UINT64S, wide, 3)), PARE_ERROR_INPUT, "`w`", "element 1");
}
END_TEST

START_TEST(test_not_finite) {
    const float bad[] = {1, NAN, 2}, endless[] = {1, 2, -INFINITY};
    const uint16_t half[] = {0, 0x7c00, 0};
    must_refuse(model_with(float_tensor("w", bad, 3)), PARE_ERROR_INPUT, "`w`", "element 1 is not a number");
    must_refuse(weight_of("MatMul", float_tensor("w", endless, 3)), PARE_ERROR_INPUT, "`w`", "element 2 is infinite");
    must_refuse(weight_of("Conv", raw_tensor("w", DTYPE_FLOAT16, three, 1, half, 6)), PARE_ERROR_INPUT, "`w`",
                "infinite");
    graph_free(must_parse(weight_of("Add", float_tensor("w", endless + 2, 1)))); /* a mask */
}
END_TEST

START_TEST(test_infinite_bound) {
    const float endless = INFINITY;
    message g = graph_head();
    put_message(&g, GRAPH_INITIALIZER, raw_tensor("high", DTYPE_FLOAT, NULL, 0, &endless, sizeof endless));
    put_node(&g, "Clip", "clip", "x - high", "y");
    graph_free(must_parse(model_of(13, g)));
}
END_TEST

static void write_file(const char *path, const message *m) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(m->data, 1, m->size, file), m->size);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(test_tensor_file) {
    char path[] = "pare-test-XXXXXX";
    const float f[] = {1.5F, -2, 0};
    message m = float_tensor("input", f, 3);
    struct arena a;
    struct named_tensor t;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    arena_init(&a);
    write_file(path, &m);
    ck_assert_int_eq(onnx_read_tensor(&ctx, &a, path, &t), PARE_OK);
    ck_assert_str_eq(t.name, "input");
    ck_assert_int_eq(t.tensor.shape.rank, 1);
    ck_assert_float_eq(((const float *)t.tensor.data)[1], -2);
    m.size -= 3;
    write_file(path, &m);
    ck_assert_int_eq(onnx_read_tensor(&ctx, &a, path, &t), PARE_ERROR_INPUT);
    ck_assert_msg(strncmp(ctx.diag.message, path, strlen(path)) == 0, "%s", ctx.diag.message);
    buffer_free(&m);
    arena_free(&a);
    unlink(path);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("tensor");
    tcase_add_test(tests, test_raw);
    tcase_add_test(tests, test_raw_small);
    tcase_add_test(tests, test_typed_ints);
    tcase_add_test(tests, test_typed_floats);
    tcase_add_test(tests, test_wrong_counts);
    tcase_add_test(tests, test_out_of_range);
    tcase_add_test(tests, test_not_finite);
    tcase_add_test(tests, test_infinite_bound);
    tcase_add_test(tests, test_tensor_file);
    return run_case(tests, "onnx tensors");
}
