/* ONNX's own node tests: every case is read, run and compared, or refused.
 *
 *   node_cases [--verbose] FOLDER...
 *
 * A folder holds one folder per case (model.onnx, test_data_set_N/input_K.pb and output_K.pb). Prints, per operator,
 * how many cases passed, were refused by name, differ by intent, or went wrong; a wrong one fails the test. */
#include "base/file.h"
#include "float/float.h"
#include "onnx/onnx.h"
#include "operators_of.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tolerances of the suite's own runner. */
#define RELATIVE 1e-3
#define ABSOLUTE 1e-7

#define MAX_TENSORS 64
#define NEWEST 25
#define PATH_LENGTH 1024

/* ---- what a case may come to ---- */

enum outcome { PASSED, REFUSED, WRONG, DIFFERENT, OUTCOME_COUNT };

#define CORNERS                                                                                                        \
    "as in ONNX Runtime, PyTorch and the formula of the specification, the output's corners lie in its whole size, "   \
    "not in the size by a fractional scale"
#define CUT_OFF "the suite of ONNX 1.12 cuts numbers off to bfloat16, where ONNX rounds"
#define NOISE "the expected zeros hold rounding noise of float32, above the tolerance"
#define MISSHAPED "the data of the case do not have the declared shape"

static const struct {
    const char *name, *reason;
} known_differences[] = {
    {"test_cast_FLOAT_to_BFLOAT16", CUT_OFF},
    {"test_castlike_BFLOAT16_to_FLOAT", MISSHAPED},
    {"test_castlike_BFLOAT16_to_FLOAT_expanded", MISSHAPED},
    {"test_castlike_FLOAT_to_BFLOAT16", MISSHAPED},
    {"test_castlike_FLOAT_to_BFLOAT16_expanded", MISSHAPED},
    {"test_dft_inverse", NOISE},
    {"test_dft_inverse_opset19", NOISE},
    {"test_resize_downsample_scales_cubic_align_corners", CORNERS},
    {"test_resize_downsample_scales_linear_align_corners", CORNERS},
};

/* Why a case is meant to differ, or NULL. */
static const char *known_difference(const char *name) {
    for (size_t i = 0; i < sizeof known_differences / sizeof known_differences[0]; i++) {
        if (strcmp(known_differences[i].name, name) == 0) {
            return known_differences[i].reason;
        }
    }
    return NULL;
}

/* ---- one case ---- */

struct test_case {
    struct context ctx;
    struct arena arena;
    struct graph *graph;
    struct tensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
    char path[PATH_LENGTH], message[DIAG_MESSAGE_MAX + 256];
    int set;     /* of data */
    int written; /* whether it came back after writing */
};

static bool read_tensor(struct test_case *t, const char *kind, int index, struct tensor *out) {
    char path[PATH_LENGTH + 64];
    snprintf(path, sizeof path, "%s/test_data_set_%d/%s_%d.pb", t->path, t->set, kind, index);
    struct named_tensor tensor;
    if (onnx_read_tensor(&t->ctx, &t->arena, path, &tensor) != PARE_OK) {
        return false;
    }
    *out = tensor.tensor;
    return true;
}

/* Older suites hold bfloat16 as the uint16 with the same bits. */
static bool widen_bits(struct test_case *t, struct tensor *read) {
    struct tensor wide;
    if (tensor_new(&t->ctx, &t->arena, DTYPE_FLOAT, &read->shape, &wide) != PARE_OK) {
        return false;
    }
    for (size_t i = 0; i < tensor_count(read); i++) {
        ((float *)wide.data)[i] = bfloat16_to_float(((const uint16_t *)read->data)[i]);
    }
    *read = wide;
    return true;
}

/* Half precision is held as float32 by the graph: the data follow. */
static bool read_inputs(struct test_case *t) {
    for (int i = 0; i < t->graph->input_count && i < MAX_TENSORS; i++) {
        struct tensor read;
        if (!read_tensor(t, "input", i, &read)) {
            return false;
        }
        enum dtype type = t->graph->inputs[i]->type;
        if (type == DTYPE_FLOAT && read.type == DTYPE_UINT16 && !widen_bits(t, &read)) {
            return false;
        }
        bool follows = dtype_is_float(type) && dtype_is_float(read.type);
        if (tensor_convert(&t->ctx, &t->arena, &read, follows ? type : read.type, &t->inputs[i]) != PARE_OK) {
            return false;
        }
    }
    return true;
}

static bool is_close(double got, double expected) {
    if (isnan(expected) || isinf(expected)) {
        return isnan(expected) ? isnan(got) : got == expected;
    }
    return fabs(got - expected) <= ABSOLUTE + RELATIVE * fabs(expected);
}

static bool output_agrees(struct test_case *t, int index, const struct tensor *got, const struct tensor *expected) {
    char a[256], b[256];
    bool same_type = got->type == expected->type || (dtype_is_float(got->type) && dtype_is_float(expected->type));
    if (!same_type || !shape_equal(&got->shape, &expected->shape)) {
        snprintf(t->message, sizeof t->message, "output %d is %s %s, expected %s %s", index, dtype_name(got->type),
                 shape_text(&got->shape, a, sizeof a), dtype_name(expected->type),
                 shape_text(&expected->shape, b, sizeof b));
        return false;
    }
    for (size_t i = 0; i < tensor_count(expected); i++) {
        double x = tensor_get_double(got, i), y = tensor_get_double(expected, i);
        if (!is_close(x, y)) {
            snprintf(t->message, sizeof t->message, "output %d element %zu is %.9g, expected %.9g", index, i, x, y);
            return false;
        }
    }
    return true;
}

static bool outputs_agree(struct test_case *t) {
    bool agree = true;
    for (int i = 0; i < t->graph->output_count && i < MAX_TENSORS && agree; i++) {
        struct tensor expected;
        if (!read_tensor(t, "output", i, &expected)) {
            snprintf(t->message, sizeof t->message, "%s", t->ctx.diag.message);
            return false;
        }
        if (t->outputs[i].type == DTYPE_FLOAT && expected.type == DTYPE_UINT16 && !widen_bits(t, &expected)) {
            return false;
        }
        agree = output_agrees(t, i, &t->outputs[i], &expected);
    }
    return agree;
}

static enum outcome failed(struct test_case *t) {
    snprintf(t->message, sizeof t->message, "%s", t->ctx.diag.message);
    return t->ctx.diag.code == PARE_ERROR_UNSUPPORTED ? REFUSED : WRONG;
}

static enum outcome run_set(struct test_case *t) {
    if (!read_inputs(t) || float_run(&t->ctx, t->graph, t->inputs, t->outputs, NULL, NULL) != PARE_OK) {
        return failed(t);
    }
    bool agree = outputs_agree(t);
    for (int i = 0; i < t->graph->output_count; i++) {
        tensor_free(&t->outputs[i]);
    }
    return agree ? PASSED : WRONG;
}

/* Written at the newest opset and read again, the model must pass, too; what that opset cannot say is told by a
 * refusal. */
static enum outcome run_written(struct test_case *t) {
    struct onnx_write_options options = {.opset = NEWEST};
    struct buffer bytes;
    struct graph *again = NULL, *first = t->graph;
    buffer_init(&bytes);
    enum pare_status status = onnx_write(&t->ctx, first, &options, &bytes);
    enum outcome outcome = status == PARE_ERROR_USAGE || status == PARE_ERROR_UNSUPPORTED ? PASSED : WRONG;
    if (status == PARE_OK && onnx_parse(&t->ctx, "written", bytes.data, bytes.size, NULL, &again) == PARE_OK) {
        t->graph = again;
        t->set = 0;
        outcome = run_set(t);
        t->graph = first;
        t->written++;
    }
    if (outcome != PASSED && t->message[0] == '\0') {
        (void)failed(t);
    }
    graph_free(again);
    buffer_free(&bytes);
    return outcome;
}

static bool has_set(const struct test_case *t) {
    char path[PATH_LENGTH + 64];
    snprintf(path, sizeof path, "%s/test_data_set_%d", t->path, t->set);
    return file_is_directory(path);
}

static enum outcome run_case(struct test_case *t) {
    char path[PATH_LENGTH + 64];
    snprintf(path, sizeof path, "%s/model.onnx", t->path);
    enum outcome outcome = WRONG;
    if (onnx_read(&t->ctx, path, &t->graph) != PARE_OK) {
        return failed(t);
    }
    for (t->set = 0; has_set(t) && (t->set == 0 || outcome == PASSED); t->set++) {
        outcome = run_set(t);
    }
    return outcome == PASSED ? run_written(t) : outcome;
}

/* ---- the table ---- */

struct row {
    char op[OPERATOR_NAME_MAX];
    int counts[OUTCOME_COUNT];
};

#define ROWS_MAX 512

struct table {
    struct row rows[ROWS_MAX];
    int row_count, total[OUTCOME_COUNT], written;
};

static void count_case(struct table *table, const char *op, enum outcome outcome) {
    int i = 0;
    while (i < table->row_count && strcmp(table->rows[i].op, op) != 0) {
        i++;
    }
    if (i == ROWS_MAX) {
        i--;
    } else if (i == table->row_count) {
        table->row_count++;
        snprintf(table->rows[i].op, sizeof table->rows[i].op, "%s", op);
    }
    table->rows[i].counts[outcome]++;
    table->total[outcome]++;
}

/* Which of the model's operators a refusal names, or NULL. */
static const char *named_operator(const struct operators *operators, const char *message) {
    for (int i = 0; i < operators->count; i++) {
        if (strstr(message, operators->names[i]) != NULL) {
            return operators->names[i];
        }
    }
    return NULL;
}

/* A refusal that does not say what it refuses is wrong, too. */
static enum outcome judge(struct test_case *t, const char *name, const struct operators *operators, const char **op) {
    const char *named = NULL;
    enum outcome outcome = run_case(t);
    *op = operators->nodes == 1 ? operators->names[0] : "(several)";
    if (outcome == REFUSED) {
        named = named_operator(operators, t->message);
        *op = named == NULL ? *op : named;
        return named == NULL ? WRONG : REFUSED;
    }
    return outcome == WRONG && known_difference(name) != NULL ? DIFFERENT : outcome;
}

static void visit_case(struct table *table, const char *folder, const char *name, bool verbose) {
    static const char *const words[] = {"passed", "refused", "WRONG", "different"};
    struct test_case t = {0};
    struct operators operators;
    struct file_map file;
    char model[PATH_LENGTH + 64];
    const char *op = NULL;
    context_init(&t.ctx);
    arena_init(&t.arena);
    snprintf(t.path, sizeof t.path, "%s/%s", folder, name);
    snprintf(model, sizeof model, "%s/model.onnx", t.path);
    if (file_map(&t.ctx, model, &file) != PARE_OK) {
        return;
    }
    operators_of(file.data, file.size, &operators);
    file_unmap(&file);
    enum outcome outcome = judge(&t, name, &operators, &op);
    count_case(table, op, outcome);
    table->written += t.written;
    if (outcome == DIFFERENT) {
        printf("%s %s: %s; %s\n", words[outcome], name, t.message, known_difference(name));
    } else if (outcome == WRONG || verbose) {
        printf("%s %s: %s\n", words[outcome], name, t.message);
    }
    graph_free(t.graph);
    arena_free(&t.arena);
}

static int compare_rows(const void *a, const void *b) {
    return strcmp(((const struct row *)a)->op, ((const struct row *)b)->op);
}

static void print_table(const char *folder, struct table *table) {
    qsort(table->rows, (size_t)table->row_count, sizeof *table->rows, compare_rows);
    printf("%-28s %9s %9s %9s %9s\n", "operator", "passed", "refused", "different", "wrong");
    for (int i = 0; i < table->row_count; i++) {
        const struct row *r = &table->rows[i];
        printf("%-28s %9d %9d %9d %9d\n", r->op, r->counts[PASSED], r->counts[REFUSED], r->counts[DIFFERENT],
               r->counts[WRONG]);
    }
    printf("%s: %d passed (%d again after writing), %d refused, %d different by intent, %d wrong\n\n", folder,
           table->total[PASSED], table->written, table->total[REFUSED], table->total[DIFFERENT], table->total[WRONG]);
}

static bool visit_folder(const char *folder, bool verbose) {
    static struct table table;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    table = (struct table){.row_count = 0};
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            visit_case(&table, folder, entries[i]->d_name, verbose);
        }
        free(entries[i]);
    }
    free(entries);
    print_table(folder, &table);
    return table.total[WRONG] == 0 && table.total[PASSED] > 0;
}

int main(int argc, char **argv) {
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0, good = argc > 1 + verbose;
    if (!good) {
        fprintf(stderr, "usage: node_cases [--verbose] FOLDER...\n");
        return 2;
    }
    for (int i = 1 + verbose; i < argc; i++) {
        good = visit_folder(argv[i], verbose) && good;
    }
    return good ? 0 : 1;
}
