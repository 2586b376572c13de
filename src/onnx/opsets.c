#include "onnx/opsets.h"

#include <stddef.h>
#include <string.h>

static const struct opset_form forms[] = {
#define OPSET(name, since, in_min, in_max, out_max, types, attributes)                                                 \
    {#name, since, in_min, in_max, out_max, types, attributes},
#include "onnx/opsets.def"
#undef OPSET
};

#define FORM_COUNT (sizeof forms / sizeof forms[0])

const struct opset_form *opset_form_in(const char *op_type, int opset) {
    const struct opset_form *found = NULL;
    for (size_t i = 0; i < FORM_COUNT; i++) {
        if (forms[i].since <= opset && strcmp(forms[i].op_type, op_type) == 0) {
            found = &forms[i]; /* rows of an operator stand in order */
        }
    }
    return found != NULL && found->outputs_max > 0 ? found : NULL;
}

bool opset_form_has(const struct opset_form *f, const char *attribute) {
    size_t length = strlen(attribute);
    for (const char *at = strstr(f->attributes, attribute); at != NULL; at = strstr(at + 1, attribute)) {
        if ((at == f->attributes || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

int opset_since(const char *op_type, const char *attribute) {
    for (size_t i = 0; i < FORM_COUNT; i++) {
        if (strcmp(forms[i].op_type, op_type) == 0 && (attribute == NULL || opset_form_has(&forms[i], attribute))) {
            return forms[i].since;
        }
    }
    return 0;
}

int opset_ir_version(int opset) {
    static const struct {
        int opset, ir;
    } table[] = {{25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (opset >= table[i].opset) {
            return table[i].ir;
        }
    }
    return 4;
}
