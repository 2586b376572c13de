/* Every operator on random types, shapes (empty ones too), contents and attributes: a run succeeds, or fails with a
 * message that names the node, and the sanitizers stay silent. */
#include "float_trial.h"

#include "suite_main.h"

#include <stdio.h>

#define ROUNDS 400
#define MAX_INPUTS 5

static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_FLOAT, DTYPE_FLOAT, DTYPE_FLOAT, DTYPE_INT64,   DTYPE_INT64,
                                   DTYPE_INT8,  DTYPE_UINT4, DTYPE_BOOL,  DTYPE_INT32, DTYPE_FLOAT16, DTYPE_DOUBLE};
#define TYPE_COUNT ((int64_t)(sizeof types / sizeof types[0]))

static const char *const words[] = {"NOTSET",        "SAME_UPPER", "SAME_LOWER", "VALID",
                                    "constant",      "edge",       "reflect",    "wrap",
                                    "linear",        "nearest",    "cubic",      "floor",
                                    "align_corners", "half_pixel", "asymmetric", "not_smaller",
                                    "stretch",       "",           "not_larger", "round_prefer_ceil"};
#define WORD_COUNT ((int64_t)(sizeof words / sizeof words[0]))

/* Half of the runs are tidy: sensible attributes, and mostly one shape and float32, to get past shape inference; in
 * some of them all inputs but the first are vectors, one entry per channel, or all inputs are scalars. */
struct choice {
    bool tidy, vectors, scalars;
    struct shape common;
};

static void choose(struct trial *t, struct choice *c) {
    c->tidy = trial_integer(t, 0, 1) != 0;
    c->vectors = c->tidy && trial_integer(t, 0, 3) == 0;
    c->scalars = c->tidy && !c->vectors && trial_integer(t, 0, 7) == 0;
    c->common.rank = c->scalars ? 0 : (int)trial_integer(t, c->tidy ? 3 : 0, 5);
    for (int k = 0; k < c->common.rank; k++) {
        c->common.dim[k] = trial_integer(t, trial_integer(t, 0, 7) == 0 ? 0 : 1, 4);
    }
}

static void make_input(struct trial *t, int i, const struct choice *c) {
    struct shape s = c->common;
    bool is_list = i > 0 && !c->scalars && trial_integer(t, 0, 2) == 0;
    enum dtype type = c->tidy ? DTYPE_FLOAT : types[trial_integer(t, 0, TYPE_COUNT - 1)];
    if (c->vectors && i > 0) {
        s = (struct shape){1, {c->common.dim[1]}};
    } else if (is_list) {
        s = (struct shape){1, {trial_integer(t, 0, 5)}};
        type = trial_integer(t, 0, 1) ? DTYPE_INT64 : type;
    } else if (!c->tidy && trial_integer(t, 0, 3) == 0) {
        s.rank = (int)trial_integer(t, 0, 5);
        for (int k = 0; k < s.rank; k++) {
            s.dim[k] = trial_integer(t, 0, 4);
        }
    }
    struct tensor *x = trial_input(t, i, type, s.rank, s.dim);
    for (size_t k = 0; k < tensor_count(x); k++) {
        tensor_set_int(x, k, trial_integer(t, c->tidy ? 0 : -3, c->tidy ? 2 : 5));
    }
}

/* Operators on codes get past their checks with inputs of their own: x codes, s a scale, z a zero point, b int32, f
 * floats, all but x and f single. */
static const struct {
    const char *op, *inputs;
} on_codes[] = {{"ConvInteger", "xxzz"},
                {"MatMulInteger", "xxzz"},
                {"QGemm", "xszxszbsz"},
                {"QLinearAdd", "xszxszsz"},
                {"QLinearAveragePool", "xszsz"},
                {"QLinearConv", "xszxszszb"},
                {"QLinearGlobalAveragePool", "xszsz"},
                {"QLinearMatMul", "xszxszsz"},
                {"QLinearMul", "xszxszsz"},
                {"QLinearSoftmax", "xszsz"},
                {"Quant", "fsss"},
                {"Trunc", "fssss"}};

static const char *inputs_on_codes(const struct op *op) {
    for (size_t i = 0; i < sizeof on_codes / sizeof on_codes[0]; i++) {
        if (strcmp(on_codes[i].op, op->name) == 0) {
            return on_codes[i].inputs;
        }
    }
    return NULL;
}

static void make_code_input(struct trial *t, int i, char kind, const struct shape *common) {
    bool whole = kind == 'x' || kind == 'f';
    enum dtype type = kind == 'x' || kind == 'z' ? DTYPE_UINT8 : kind == 'b' ? DTYPE_INT32 : DTYPE_FLOAT;
    struct tensor *x =
        trial_input(t, i, type, whole ? common->rank : kind == 'b', whole ? common->dim : (int64_t[]){1});
    for (size_t k = 0; k < tensor_count(x); k++) {
        tensor_set_int(x, k, trial_integer(t, kind == 's', kind == 's' ? 3 : 200));
    }
}

static void set_ints(struct trial *t, const struct choice *c, const char *name) {
    int64_t ints[6];
    bool is_pads = strcmp(name, "pads") == 0;
    size_t count = (size_t)trial_integer(t, 0, 6);
    if (c->tidy && c->common.rank > 2) {
        count = (size_t)(c->common.rank - 2) * (is_pads ? 2 : 1);
    }
    for (size_t i = 0; i < 6; i++) {
        ints[i] = c->tidy ? trial_integer(t, is_pads ? 0 : 1, is_pads ? 1 : 2) : trial_integer(t, -1, 3);
    }
    trial_ints(t, name, ints, count);
}

static void set_attribute(struct trial *t, const struct choice *c, const char *name, const char *type) {
    if (strcmp(type, "is") == 0) {
        set_ints(t, c, name);
    } else if (strcmp(type, "f") == 0) {
        trial_float(t, name, trial_real(t));
    } else if (c->tidy && trial_integer(t, 0, 3) != 0) {
        return;
    } else if (strcmp(type, "i") == 0) {
        trial_int(t, name, trial_integer(t, -2, 8));
    } else if (strcmp(type, "s") == 0) {
        trial_string(t, name, words[trial_integer(t, 0, WORD_COUNT - 1)]);
    }
}

/* Each attribute of the row "name:type=default ..." with even chances. */
static void make_attributes(struct trial *t, const struct choice *c, const char *row) {
    char name[64], type[16];
    int used = 0;
    while (sscanf(row, " %63[^:]:%15[a-z]%n", name, type, &used) == 2) {
        if (trial_integer(t, 0, 1) != 0) {
            set_attribute(t, c, name, type);
        }
        row += used;
        row += strcspn(row, " ");
    }
}

static bool run_once(const struct op *op, uint64_t seed) {
    struct trial t = {.seed = seed};
    struct choice choice;
    int most = op->in_max < MAX_INPUTS ? op->in_max : MAX_INPUTS;
    int inputs = (int)trial_integer(&t, op->in_min, most > op->in_min ? most : op->in_min);
    int outputs = op->out_max > 2 ? 2 : op->out_max;
    outputs = outputs < op->out_min ? op->out_min : outputs;
    trial_start(&t, op->name, inputs, outputs, trial_bits(&t));
    choose(&t, &choice);
    const char *kinds = choice.tidy ? inputs_on_codes(op) : NULL;
    choice.common.rank = kinds != NULL ? (int)trial_integer(&t, 2, 4) : choice.common.rank;
    for (int i = 0; kinds != NULL && i < choice.common.rank; i++) {
        choice.common.dim[i] = trial_integer(&t, 1, 2);
    }
    for (int i = 0; i < inputs; i++) {
        bool required = i < op->in_min || op->in_max == OP_VARIADIC;
        if (kinds != NULL) {
            make_code_input(&t, i, kinds[i], &choice.common);
        } else if (required || trial_integer(&t, 0, 2) != 0) {
            make_input(&t, i, &choice);
        }
    }
    make_attributes(&t, &choice, op->attrs);
    enum pare_status status = trial_try(&t);
    bool is_usual = status == PARE_OK || status == PARE_ERROR_INPUT || status == PARE_ERROR_UNSUPPORTED;
    bool is_named = status == PARE_OK || strncmp(t.ctx.diag.message, "node", 4) == 0;
    ck_assert_msg(is_usual && is_named, "%s, seed %llu: status %d, %s", op->name, (unsigned long long)seed, (int)status,
                  t.ctx.diag.message);
    for (size_t i = 0; status == PARE_OK && i < tensor_count(&t.outputs[0]); i++) {
        (void)tensor_get_double(&t.outputs[0], i); /* every element lies in the allocation */
    }
    trial_end(&t);
    return status == PARE_OK;
}

/* Operators that random inputs do not satisfy: with subgraphs, or with sizes tied to each other. That they run is shown
 * by the cases of tests/onnx. */
static bool is_demanding(const struct op *op) {
    static const char *const names[] = {"AffineGrid",
                                        "Col2Im",
                                        "DeformConv",
                                        "GRU",
                                        "If",
                                        "LSTM",
                                        "LinearAttention",
                                        "Loop",
                                        "MaxRoiPool",
                                        "NegativeLogLikelihoodLoss",
                                        "RNN",
                                        "RoiAlign",
                                        "RotaryEmbedding",
                                        "STFT",
                                        "TfIdfVectorizer",
                                        "Scan",
                                        "SoftmaxCrossEntropyLoss"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(op->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(no_input_breaks_an_operator) {
    const struct op *op = &op_table[_i];
    int passed = 0;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        passed += run_once(op, seed);
    }
    ck_assert_msg(passed > 0 || is_demanding(op), "%s: no run got past its checks", op->name);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/hostile");
    TCase *hostile = tcase_create("hostile");
    tcase_set_timeout(hostile, 120);
    tcase_add_loop_test(hostile, no_input_breaks_an_operator, 0, OP_COUNT);
    suite_add_tcase(s, hostile);
    return suite_main(s);
}
