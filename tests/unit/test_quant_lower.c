/* Lowering: the integer program of any network computes what each of its nodes computes in float, rounded. */
#include "float/float.h"
#include "program_run.h"
#include "quant/certificate.h"
#include "quant/rules.h"
#include "runtime/codes.h"

#include "suite_main.h"

#define NETWORKS 600
#define SAMPLES 3

/* ---- the same network in float, node by node, from the program's codes ---- */

struct counts {
    uint64_t certain, skipped, ops[OP_COUNT];
};

struct simulation {
    struct quantised *q;
    struct run *run;
    struct tensor *real; /* per value position */
    struct counts *counts;
};

static uint32_t program_value(const struct program *p, const struct value *v) {
    for (uint32_t i = 0; i < p->value_count; i++) {
        if (strcmp(p->value_names[i], v->name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static const struct pare_op *producer(const struct program *p, uint32_t value) {
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].output == value) {
            return &p->ops[i];
        }
    }
    return NULL;
}

/* Parameters as rounded, everything else as it is. */
static void set_constant(struct simulation *s, const struct value *v) {
    struct tensor *t = &s->real[v->position];
    assert_ok(&s->q->m, tensor_alloc(&s->q->m.ctx, v->type, &v->constant->shape, t));
    memcpy(t->data, v->constant->data, tensor_bytes(t));
    for (size_t i = 0; v->format != NULL && i < tensor_count(t); i++) {
        tensor_set_double(t, i, dequantize(quantize(tensor_get_double(t, i), v->format, 0), v->format, 0));
    }
}

static void set_parameters(struct simulation *s, struct linear *l, struct tensor *weight, struct tensor *bias) {
    const struct bias_choice *b = NULL;
    struct shape rows = {.rank = 1, .dim = {l->rows}};
    assert_ok(&s->q->m, linear_bias_choice(&s->q->m.ctx, &s->q->s->arena, l, &b));
    assert_ok(&s->q->m, tensor_alloc(&s->q->m.ctx, DTYPE_FLOAT, &l->weight->constant->shape, weight));
    assert_ok(&s->q->m, tensor_alloc(&s->q->m.ctx, DTYPE_FLOAT, &rows, bias));
    for (uint32_t r = 0; r < l->rows; r++) {
        for (uint32_t c = 0; c < l->columns; c++) {
            int32_t code = l->weights->codes[r * l->columns + c];
            tensor_set_double(weight, linear_source(l, r, c), ldexp(code, -format_frac(&l->weights->format, (int)r)));
        }
        tensor_set_double(bias, r, ldexp(b->codes[r], -format_frac(&b->format, (int)r)));
    }
}

/* What the convolutions behind subtract. */
static void set_zero_points(struct simulation *s, const struct node *n, struct tensor *zeros) {
    int frac = scheme_point_of(s->q->s, n->inputs[0])->format.frac;
    assert_ok(&s->q->m, tensor_alloc(&s->q->m.ctx, DTYPE_FLOAT, &n->inputs[1]->constant->shape, zeros));
    for (size_t c = 0; c < tensor_count(zeros); c++) {
        tensor_set_double(zeros, c, ldexp(zero_point_code(n, (int64_t)c, frac), -frac));
    }
}

static void run_node(struct simulation *s, const struct node *n, struct tensor *results) {
    const struct tensor *inputs[64] = {0};
    struct tensor weight = {0}, bias = {0};
    for (int i = 0; i < n->input_count; i++) {
        inputs[i] = n->inputs[i] == NULL ? NULL : &s->real[n->inputs[i]->position];
    }
    struct linear *l = scheme_linear_of(s->q->s, n);
    if (l != NULL) {
        set_parameters(s, l, &weight, &bias);
        inputs[1] = &weight;
        inputs[2] = l->bias == NULL ? NULL : &bias;
    }
    if (rule_of(n) == &rule_zero_point) {
        set_zero_points(s, n, &weight);
        inputs[1] = &weight;
    }
    assert_ok(&s->q->m, float_run_node(&s->q->m.ctx, n, inputs, results));
    tensor_free(&weight);
    tensor_free(&bias);
}

/* Compares a value with what the program computed, then goes on from that. */
static void settle(struct simulation *s, const struct node *n, const struct value *v) {
    const struct program *p = s->q->p;
    uint32_t index = program_value(p, v);
    struct tensor *t = &s->real[v->position], codes;
    if (index == UINT32_MAX) {
        return; /* an alias, or inside of a fused step */
    }
    const struct pare_value *pv = &p->values[index];
    const struct pare_op *op = producer(p, index);
    struct format f = format_of(pv);
    bool certain = op != NULL && (op->kind == PARE_TABLE || op->kind == PARE_HOST || op_exact_in_float32(p, op));
    ck_assert_msg(n == NULL || op != NULL, "%s is not computed", v->name);
    assert_ok(&s->q->m, tensor_alloc(&s->q->m.ctx, DTYPE_FLOAT, &t->shape, &codes));
    ck_assert_uint_eq(tensor_count(t), pv->count);
    if (pv->storage == PARE_F32) {
        memcpy(codes.data, s->run->values[index], tensor_bytes(&codes));
        ck_assert_msg(memcmp(codes.data, t->data, tensor_bytes(t)) == 0, "%s differs in float\n%s", v->name,
                      s->q->m.text);
    } else {
        dequantize_codes(s->run->values[index], pv->count, &f, codes.data);
        for (size_t i = 0; certain && i < pv->count; i++) {
            int32_t code = load_code(s->run->values[index], i, &f), expected = quantize(tensor_get_double(t, i), &f, 0);
            ck_assert_msg(code == expected, "%s[%zu] is %d, expected %d (Q(%d,%d))\n%s", v->name, i, code, expected,
                          f.bits, f.frac, s->q->m.text);
        }
        s->counts->certain += n != NULL && certain;
        s->counts->skipped += n != NULL && !certain;
        s->counts->ops[n == NULL ? 0 : n->op->id] += n != NULL && certain;
    }
    tensor_free(t);
    *t = codes;
}

static void simulate(struct quantised *q, struct run *run, struct counts *counts) {
    const struct graph *g = q->m.g;
    struct simulation s = {q, run, calloc((size_t)g->value_count, sizeof(struct tensor)), counts};
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        struct shape shape;
        if (value_is_constant(v)) {
            set_constant(&s, v);
        } else if (v->is_input) {
            ck_assert(value_shape(v, 1, &shape));
            assert_ok(&q->m, tensor_alloc(&q->m.ctx, DTYPE_FLOAT, &shape, &s.real[v->position]));
            settle(&s, NULL, v);
        }
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        struct tensor results[2];
        run_node(&s, n, results);
        for (int k = 0; k < n->output_count; k++) {
            s.real[n->outputs[k]->position] = results[k];
            if (n->outputs[k]->use_count > 0 && !(value_is_output(n->outputs[k]) && lower_tail(q->s, n->outputs[k]))) {
                settle(&s, n, n->outputs[k]);
            }
        }
    }
    for (int i = 0; i < g->value_count; i++) {
        tensor_free(&s.real[i]);
    }
    free(s.real);
}

static void check_network(uint64_t seed, network_operator *only, struct counts *counts) {
    struct quantised q;
    quantise(&q, seed, only);
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        struct run reference, fast;
        run_sample(&q.m, q.p, "reference", seed * 100 + sample, &reference);
        run_sample(&q.m, q.p, NULL, seed * 100 + sample, &fast);
        assert_same_values(&q.m, &reference, &fast);
        simulate(&q, &fast, counts);
        values_free(&reference);
        values_free(&fast);
    }
    release(&q);
}

START_TEST(equal_to_float) {
    struct counts counts = {0};
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        check_network(seed, NULL, &counts);
    }
    for (int i = 0; i < NETWORK_OPERATORS; i++) {
        for (uint64_t seed = 1; seed <= NETWORKS / 10; seed++) {
            check_network(seed + (uint64_t)(i + 1) * 1000000, network_operators[i], &counts);
        }
    }
    printf("%" PRIu64 " values compared, %" PRIu64 " beyond what float32 computes exactly\n", counts.certain,
           counts.skipped);
    for (int i = 0; i < OP_COUNT; i++) {
        bool never = rules[i]->lower == NULL || i == OP_Dropout || counts.ops[i] > 0;
        ck_assert_msg(never, "no %s was compared", op_table[i].name);
    }
    ck_assert_uint_gt(counts.certain, counts.skipped * 4);
}
END_TEST

/* ---- forms ---- */

/* Lowers a network of given text in formats Q(8, 4). */
static enum pare_status lower_text(struct quantised *q, const char *text) {
    memset(q, 0, sizeof *q);
    context_init(&q->m.ctx);
    snprintf(q->m.text, sizeof q->m.text, "%s", text);
    assert_ok(&q->m, graph_parse(&q->m.ctx, text, &q->m.g));
    assert_ok(&q->m, graph_infer(&q->m.ctx, q->m.g));
    assert_ok(&q->m, scheme_new(&q->m.ctx, q->m.g, &q->s));
    for (size_t i = 0; i < q->s->point_count; i++) {
        q->s->points[i].format = (struct format){.bits = 8, .is_signed = q->s->points[i].is_signed, .frac = 4};
    }
    for (size_t i = 0; i < q->s->linear_count; i++) {
        choose_weights(q, &q->s->linears[i]);
        q->s->linears[i].bias_bits = 8;
    }
    return lower(&q->m.ctx, q->s, &q->p);
}

#define WEIGHT "const w: float32[2,2,1,1] = [1,2,3,4] "

static const struct {
    const char *body;
    int kinds[4]; /* of the program's operators, -1 behind the last */
} forms[] = {
    {"y = Relu(x) output y", {PARE_REQUANTIZE, -1}},
    {"a = Sigmoid(x) y = Relu(a) output y", {PARE_TABLE, -1}},
    {"a = Identity(x) b = Flatten(a) y = Relu(b) output y", {PARE_REQUANTIZE, -1}},
    {"y = Flatten(x) output y", {PARE_COPY, -1}},
    {"a = Transpose(x) {perm=[0,3,2,1]} y = Relu(a) output y", {PARE_COPY, PARE_REQUANTIZE, -1}},
    {"const s: int64[4] = [1,2,8,6] y = Resize(x, -, -, s) output y", {PARE_COPY, -1}},
    {"const s: int64[4] = [1,2,5,5] y = Resize(x, -, -, s) output y", {PARE_GATHER, -1}},
    {"const p: int64[8] = [0,0,1,1,0,0,1,1] y = Pad(x, p) output y", {PARE_COPY, -1}},
    {"a = Relu(x) y = Softmax(a) output y", {PARE_REQUANTIZE, -1}}, /* a tail is cut off */
    {"a = Softmax(x) y = Relu(a) output y", {PARE_HOST, PARE_REQUANTIZE, -1}},
    {"const k: int64[2] = [1,3] y = ReduceMean(x, k) output y", {PARE_HOST, -1}},
    {"const k: int64[2] = [-1,-2] y = ReduceMean(x, k) output y", {PARE_REDUCE_MEAN, -1}},
    {"y = Concat(x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x) {axis=1} output y", {PARE_CONCAT, PARE_CONCAT, PARE_CONCAT, -1}},
    {WEIGHT "const c: float32[2,1,1] = [1,2] a = Softmax(x) b = Sub(a, c) y = Conv(b, w) output y",
     {PARE_HOST, PARE_CONV, -1}},
    /* Sums of a convolution that only an Add of the same shape reads are not rounded before. */
    {WEIGHT "a = Conv(x, w) y = Add(a, x) output y", {PARE_CONV, -1}},
    {WEIGHT "a = Conv(x, w) b = Add(x, a) y = Relu(b) output y", {PARE_CONV, -1}},
    {WEIGHT "a = Conv(x, w) b = Conv(x, w) y = Add(a, b) output y", {PARE_CONV, PARE_CONV, -1}},
    {WEIGHT "a = Conv(x, w) r = Relu(a) y = Add(r, x) output y", {PARE_CONV, PARE_ADD, -1}},
    {WEIGHT "a = Conv(x, w) y = Add(a, x) output y output a", {PARE_CONV, PARE_ADD, -1}},
    {WEIGHT "a = Conv(x, w) y = Add(a, a) output y", {PARE_CONV, PARE_ADD, -1}},
    {WEIGHT "a = Conv(x, w) y = Sub(a, x) output y", {PARE_CONV, PARE_ADD, -1}},
    {WEIGHT "a = Conv(x, w) m = GlobalAveragePool(x) y = Add(a, m) output y",
     {PARE_CONV, PARE_AVERAGE_POOL, PARE_ADD, -1}},
    {WEIGHT "const c: float32[2,1,1] = [1,2] a = Conv(x, w) y = Add(a, c) output y", {PARE_CONV, PARE_ADD, -1}},
    {"const low: float32[] = 2 const high: float32[] = 1 y = Clip(x, low, high) output y", {PARE_HOST, -1}},
};

START_TEST(forms_of_operators) {
    char text[512];
    struct quantised q;
    snprintf(text, sizeof text, "graph g { input x: float32[N,2,4,3] %s }", forms[_i].body);
    assert_ok(&q.m, lower_text(&q, text));
    uint32_t count = 0;
    while (forms[_i].kinds[count] >= 0) {
        ck_assert_msg(count < q.p->op_count && q.p->ops[count].kind == forms[_i].kinds[count], "operator %u\n%s", count,
                      text);
        count++;
    }
    ck_assert_uint_eq(q.p->op_count, count);
    release(&q);
}
END_TEST

/* A Clip without room for its bounds in the format: they saturate, and stay in order. */
START_TEST(bounds_saturate) {
    struct quantised q;
    assert_ok(&q.m,
              lower_text(&q, "graph g { input x: float32[1,4] const a: float32[] = -1000 const b: float32[] = 1e30"
                             " y = Clip(x, a, b) output y }"));
    ck_assert_int_eq(q.p->ops[0].low, -128);
    ck_assert_int_eq(q.p->ops[0].high, 127);
    release(&q);
}
END_TEST

/* ---- refusals ---- */

static const struct {
    const char *body, *message;
} refused[] = {
    {"input i: int64[1] y = Gather(x, i) {axis=1} output y", "i: an input of type int64"},
    {"a = ArgMax(x) {axis=1} b = Cast(a) {to=1} y = Relu(b) output y", "a is int64"},
    {"const c: float32[2] = [1,2] output c", "c"},
};

START_TEST(refusals) {
    char text[512];
    struct quantised q;
    snprintf(text, sizeof text, "graph g { input x: float32[N,2,4,3] %s }", refused[_i].body);
    ck_assert_int_eq(lower_text(&q, text), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(q.m.ctx.diag.message, refused[_i].message) != NULL, "%s", q.m.ctx.diag.message);
    release(&q);
}
END_TEST

START_TEST(distant_addends) {
    struct quantised q;
    assert_ok(&q.m, lower_text(&q, "graph g { input x: float32[1,4] input z: float32[1,4] y = Add(x, z) output y }"));
    program_free(q.p);
    q.s->points[0].format.frac = 44;
    ck_assert_int_eq(lower(&q.m.ctx, q.s, &q.p), PARE_OK);
    program_free(q.p);
    q.s->points[0].format.frac = 45;
    ck_assert_int_eq(lower(&q.m.ctx, q.s, &q.p), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(q.m.ctx.diag.message, "2^41") != NULL, "%s", q.m.ctx.diag.message);
    release(&q);
}
END_TEST

START_TEST(distant_addends_of_sums) {
    struct quantised q;
    assert_ok(&q.m, lower_text(&q, "graph g { input x: float32[1,2,4,3] input z: float32[1,1,4,3]"
                                   " const w: float32[1,2,1,1] = [1,2] a = Conv(x, w) y = Add(a, z) output y }"));
    int frac = weight_frac(&q.p->ops[0].weights, 0) + q.p->values[q.p->ops[0].inputs[0]].frac;
    program_free(q.p);
    q.s->points[1].format.frac = frac + 40;
    ck_assert_int_eq(lower(&q.m.ctx, q.s, &q.p), PARE_OK);
    ck_assert(q.p->ops[0].wide);
    program_free(q.p);
    q.s->points[1].format.frac = frac + 41;
    ck_assert_int_eq(lower(&q.m.ctx, q.s, &q.p), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(q.m.ctx.diag.message, "2^41") != NULL, "%s", q.m.ctx.diag.message);
    release(&q);
}
END_TEST

/* An epsilon of 2^-60 is no reason to refuse the sum. */
START_TEST(tiny_constant) {
    struct quantised q;
    assert_ok(&q.m, lower_text(&q, "graph g { input x: float32[1,4] const e: float32[] = 1e-18"
                                   " y = Add(x, e) output y }"));
    release(&q);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant_lower");
    TCase *random = tcase_create("random"), *given = tcase_create("given");
    tcase_set_timeout(random, 0);
    tcase_add_test(random, equal_to_float);
    tcase_add_loop_test(given, forms_of_operators, 0, (int)(sizeof forms / sizeof forms[0]));
    tcase_add_loop_test(given, refusals, 0, (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(given, bounds_saturate);
    tcase_add_test(given, distant_addends);
    tcase_add_test(given, distant_addends_of_sums);
    tcase_add_test(given, tiny_constant);
    suite_add_tcase(s, random);
    suite_add_tcase(s, given);
    return suite_main(s);
}
