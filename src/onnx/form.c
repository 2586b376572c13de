#include "onnx/form.h"

#include "graph/op.h"
#include "onnx/opsets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IR_OPSET 21 /* whose meanings the IR has */

const struct value *form_input(const struct form *f, int index) {
    return index < f->input_count ? f->inputs[index] : NULL;
}

enum pare_status form_refuse(struct form *f, int since, const char *what, ...) {
    static const struct finding kind = {.kind = FINDING_OPSET, .blocks = true};
    char text[256], from[32] = "";
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    if (since > 0) {
        (void)snprintf(from, sizeof from, " (from opset %d on)", since);
    }
    f->e->needed = since > f->e->needed ? since : f->e->needed;
    return findings_add(f->e->ctx, &f->e->missing, &kind, f->node->name, "%s%s", text, from);
}

void form_drop_attr(struct form *f, const char *name) {
    int kept = 0;
    for (int i = 0; i < f->attr_count; i++) {
        if (strcmp(f->attrs[i].name, name) != 0) {
            f->attrs[kept++] = f->attrs[i];
        }
    }
    f->attr_count = kept;
}

/* ---- against the standard ---- */

/* Whether the attribute says what its absence would. */
static bool is_default(const struct op *op, const struct attr *a) {
    struct op_attr row;
    if (!op_attr_find(op, a->name, &row)) {
        return false;
    }
    switch (a->type) {
    case ATTR_INT:
        return row.text != NULL && strtoll(row.text, NULL, 10) == a->i;
    case ATTR_FLOAT:
        return row.text != NULL && strtof(row.text, NULL) == a->f;
    case ATTR_STRING:
        return row.text != NULL && strlen(a->s) == row.length && memcmp(a->s, row.text, row.length) == 0;
    case ATTR_INTS:
    case ATTR_FLOATS:
        return a->count == 0;
    default:
        return false;
    }
}

static enum pare_status check_attributes(struct form *f, const struct opset_form *form) {
    for (int i = 0; i < f->attr_count;) {
        const struct attr *a = &f->attrs[i];
        if (opset_form_has(form, a->name)) {
            i++;
            continue;
        }
        if (!is_default(f->node->op, a)) {
            TRY(form_refuse(f, opset_since(f->op_type, a->name), "attribute `%.64s` of %s", a->name, f->op_type));
        }
        form_drop_attr(f, a->name);
    }
    return PARE_OK;
}

static bool type_fits(const struct value *v, uint32_t types) {
    return v == NULL || v->use_count == 0 || ((types | ~OPSET_TYPES) >> v->type & 1) != 0;
}

/* The opset from which on the operator takes the type; 0: unknown. */
static int type_since(const struct form *f, enum dtype type) {
    for (int opset = f->e->opset + 1; opset <= WRITE_OPSET_MAX; opset++) {
        const struct opset_form *form = opset_form_in(f->op_type, opset);
        if (form != NULL && (form->types >> type & 1) != 0) {
            return opset;
        }
    }
    return 0;
}

static enum pare_status check_types(struct form *f, const struct opset_form *form) {
    for (int i = 0; i < f->input_count + f->node->output_count; i++) {
        const struct value *v = i < f->input_count ? f->inputs[i] : f->node->outputs[i - f->input_count];
        if (form->types != 0 && !type_fits(v, form->types)) {
            return form_refuse(f, type_since(f, v->type), "%s of %s values", f->op_type, dtype_name(v->type));
        }
    }
    return PARE_OK;
}

static enum pare_status check_arity(struct form *f, const struct opset_form *form) {
    while (f->input_count > form->inputs_min && f->inputs[f->input_count - 1] == NULL) {
        f->input_count--;
    }
    bool fits = f->input_count <= form->inputs_max && f->node->output_count <= form->outputs_max;
    if (fits && f->input_count >= form->inputs_min) {
        return PARE_OK;
    }
    int since = f->e->opset + 1; /* the first form that takes them */
    while (since < WRITE_OPSET_MAX && opset_form_in(f->op_type, since) == form) {
        since++;
    }
    return form_refuse(f, since, "%s with %d inputs and %d outputs", f->op_type, f->input_count, f->node->output_count);
}

static enum pare_status check(struct form *f) {
    const struct opset_form *form = opset_form_in(f->op_type, f->e->opset);
    if (form == NULL) {
        return form_refuse(f, opset_since(f->op_type, NULL), "%s", f->op_type);
    }
    TRY(check_arity(f, form));
    TRY(check_attributes(f, form));
    return check_types(f, form);
}

enum pare_status form_of_node(struct encoder *e, const struct node *n, struct form *out) {
    size_t inputs = (size_t)n->input_count;
    *out = (struct form){.e = e,
                         .node = n,
                         .op_type = n->op->name,
                         .inputs = ARENA_ARRAY(e->arena, inputs + FORM_SPARE_INPUTS, const struct value *),
                         .input_count = n->input_count,
                         .attrs = ARENA_ARRAY(e->arena, (size_t)n->attr_count + inputs, struct attr),
                         .attr_count = n->attr_count};
    if (out->inputs == NULL || out->attrs == NULL) {
        return fail_memory(e->ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        out->inputs[i] = n->inputs[i];
    }
    for (int i = 0; i < n->attr_count; i++) {
        out->attrs[i] = n->attrs[i];
    }
    if (opset_since(n->op->name, NULL) == 0) {
        return PARE_OK; /* of another domain */
    }
    TRY(e->opset < IR_OPSET ? form_revert(out) : PARE_OK);
    return check(out);
}
