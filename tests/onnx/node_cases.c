/* ONNX's own node tests: every case whose operators pare has is read, run and compared.
 *
 *   node_cases FOLDER [--verbose]
 *
 * FOLDER holds one folder per case (model.onnx, test_data_set_N/input_K.pb and output_K.pb). Prints, per operator, how
 * many cases passed, were refused by name, differ by intent, or went wrong; a wrong one fails the test. */
#include "base/file.h"
#include "float/float.h"
#include "onnx/onnx.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tolerances of the suite's own runner. */
#define RELATIVE 1e-3
#define ABSOLUTE 1e-7

#define MAX_TENSORS 64
#define NAME_MAX_LENGTH 64
#define PATH_LENGTH 1024

/* ---- operators of a model, read from the wire without the importer under test ---- */

struct wire {
    const uint8_t *at, *end;
};

struct field {
    uint64_t number;
    struct wire bytes; /* of a length-delimited field, else empty */
};

static uint64_t read_varint(struct wire *w) {
    uint64_t v = 0;
    for (unsigned shift = 0; w->at < w->end && shift < 64; shift += 7) {
        uint8_t byte = *w->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return v;
}

static bool read_field(struct wire *w, struct field *f) {
    if (w->at >= w->end) {
        return false;
    }
    uint64_t key = read_varint(w), kind = key & 7;
    uint64_t size = kind == 0 ? 0 : kind == 1 ? 8 : kind == 5 ? 4 : read_varint(w);
    if (kind == 0) {
        read_varint(w);
    }
    if (size > (uint64_t)(w->end - w->at)) {
        return false;
    }
    f->number = key >> 3;
    f->bytes = (struct wire){w->at, w->at + (kind == 2 ? size : 0)};
    w->at += size;
    return true;
}

static void copy_text(struct wire w, char *text) {
    size_t length = (size_t)(w.end - w.at) < NAME_MAX_LENGTH - 1 ? (size_t)(w.end - w.at) : NAME_MAX_LENGTH - 1;
    memcpy(text, w.at, length);
    text[length] = '\0';
}

/* NodeProto: op_type is field 4, domain field 7. */
static bool node_is_known(struct wire node, char *op) {
    char domain[NAME_MAX_LENGTH] = "";
    struct field f;
    op[0] = '\0';
    while (read_field(&node, &f)) {
        if (f.number == 4) {
            copy_text(f.bytes, op);
        } else if (f.number == 7) {
            copy_text(f.bytes, domain);
        }
    }
    return domain[0] == '\0' && (op_find(op) != NULL || strcmp(op, "Constant") == 0);
}

/* Whether pare has all operators of the model, and under which name to count the case. ModelProto.graph is field 7,
 * GraphProto.node field 1. */
static bool model_is_known(const struct file_map *file, char *op) {
    struct wire model = {file->data, (const uint8_t *)file->data + file->size};
    struct field f, g;
    int nodes = 0;
    while (read_field(&model, &f)) {
        while (f.number == 7 && read_field(&f.bytes, &g)) {
            if (g.number == 1 && !node_is_known(g.bytes, op)) {
                return false;
            }
            nodes += g.number == 1;
        }
    }
    if (nodes > 1) {
        strcpy(op, "(several)");
    }
    return nodes > 0;
}

/* ---- what a case may come to ---- */

enum outcome { PASSED, REFUSED, WRONG, DIFFERENT, OUTCOME_COUNT };

#define CORNERS                                                                                                        \
    "as ONNX Runtime does, the output's corners lie in its whole size, not in the size by a fractional scale"
#define WIDENED "half precision is widened to float32 on reading, so a cast to bfloat16 does not round"

static const struct {
    const char *name, *reason;
} known_differences[] = {
    {"test_cast_FLOAT_to_BFLOAT16", WIDENED},
    {"test_castlike_FLOAT_to_BFLOAT16_expanded", WIDENED},
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
};

static bool read_tensor(struct test_case *t, const char *kind, int index, struct tensor *out) {
    char path[PATH_LENGTH + 64];
    snprintf(path, sizeof path, "%s/test_data_set_0/%s_%d.pb", t->path, kind, index);
    struct named_tensor tensor;
    if (onnx_read_tensor(&t->ctx, &t->arena, path, &tensor) != PARE_OK) {
        return false;
    }
    *out = tensor.tensor;
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
        agree = output_agrees(t, i, &t->outputs[i], &expected);
    }
    return agree;
}

static enum outcome failed(struct test_case *t) {
    snprintf(t->message, sizeof t->message, "%s", t->ctx.diag.message);
    return t->ctx.diag.code == PARE_ERROR_UNSUPPORTED ? REFUSED : WRONG;
}

static enum outcome run_case(struct test_case *t) {
    char path[PATH_LENGTH + 64];
    snprintf(path, sizeof path, "%s/model.onnx", t->path);
    if (onnx_read(&t->ctx, path, &t->graph) != PARE_OK || !read_inputs(t) ||
        float_run(&t->ctx, t->graph, t->inputs, t->outputs, NULL, NULL) != PARE_OK) {
        return failed(t);
    }
    bool agree = outputs_agree(t);
    for (int i = 0; i < t->graph->output_count; i++) {
        tensor_free(&t->outputs[i]);
    }
    return agree ? PASSED : WRONG;
}

/* ---- the table ---- */

struct row {
    char op[NAME_MAX_LENGTH];
    int counts[OUTCOME_COUNT];
};

struct table {
    struct row rows[OP_COUNT + 2];
    int row_count, total[OUTCOME_COUNT], others;
};

static void count_case(struct table *table, const char *op, enum outcome outcome) {
    int i = 0;
    while (i < table->row_count && strcmp(table->rows[i].op, op) != 0) {
        i++;
    }
    if (i == table->row_count) {
        table->row_count++;
        snprintf(table->rows[i].op, sizeof table->rows[i].op, "%s", op);
    }
    table->rows[i].counts[outcome]++;
    table->total[outcome]++;
}

static void visit_case(struct table *table, const char *folder, const char *name, bool verbose) {
    static const char *const words[] = {"passed", "refused", "WRONG", "different"};
    struct test_case t = {0};
    char model[PATH_LENGTH + 64], op[NAME_MAX_LENGTH];
    struct file_map file;
    context_init(&t.ctx);
    arena_init(&t.arena);
    snprintf(t.path, sizeof t.path, "%s/%s", folder, name);
    snprintf(model, sizeof model, "%s/model.onnx", t.path);
    if (file_map(&t.ctx, model, &file) != PARE_OK) {
        return;
    }
    bool known = model_is_known(&file, op);
    file_unmap(&file);
    if (!known) {
        table->others++;
        return;
    }
    enum outcome outcome = run_case(&t);
    const char *reason = known_difference(name);
    outcome = outcome == WRONG && reason != NULL ? DIFFERENT : outcome;
    count_case(table, op, outcome);
    if (outcome == DIFFERENT) {
        printf("%s %s: %s; %s\n", words[outcome], name, t.message, reason);
    } else if (outcome == WRONG || verbose) {
        printf("%s %s: %s\n", words[outcome], name, t.message);
    }
    graph_free(t.graph);
    arena_free(&t.arena);
}

static int compare_rows(const void *a, const void *b) {
    return strcmp(((const struct row *)a)->op, ((const struct row *)b)->op);
}

static void print_table(struct table *table) {
    qsort(table->rows, (size_t)table->row_count, sizeof *table->rows, compare_rows);
    printf("%-20s %9s %9s %9s %9s\n", "operator", "passed", "refused", "different", "wrong");
    for (int i = 0; i < table->row_count; i++) {
        const struct row *r = &table->rows[i];
        printf("%-20s %9d %9d %9d %9d\n", r->op, r->counts[PASSED], r->counts[REFUSED], r->counts[DIFFERENT],
               r->counts[WRONG]);
    }
    printf("%d passed, %d refused, %d different by intent, %d wrong; %d cases with other operators left out\n",
           table->total[PASSED], table->total[REFUSED], table->total[DIFFERENT], table->total[WRONG], table->others);
}

int main(int argc, char **argv) {
    struct dirent **entries = NULL;
    struct table table = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: node_cases FOLDER [--verbose]\n");
        return 2;
    }
    int count = scandir(argv[1], &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            visit_case(&table, argv[1], entries[i]->d_name, argc > 2 && strcmp(argv[2], "--verbose") == 0);
        }
        free(entries[i]);
    }
    free(entries);
    print_table(&table);
    return table.total[WRONG] == 0 && table.total[PASSED] > 0 ? 0 : 1;
}
