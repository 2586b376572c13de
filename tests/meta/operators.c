/* Prints the list of operators for docs/operators.md, from the table. */
#include "graph/op.h"

#include <stdio.h>
#include <string.h>

static const char *const rules[] = {
#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) #rule,
#include "graph/ops.def"
#undef OP
};

static void print_range(int low, int high) {
    if (high >= OP_VARIADIC) {
        printf(" %d or more |", low);
    } else if (low == high) {
        printf(" %d |", low);
    } else {
        printf(" %d to %d |", low, high);
    }
}

/* The names alone, without types and defaults. */
static void print_attributes(const char *attrs) {
    for (const char *at = attrs; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        printf("%s%.*s", at == attrs ? " " : ", ", (int)strcspn(at, ":"), at);
    }
    printf(" |");
}

int main(void) {
    printf("| operator | inputs | outputs | attributes | in integers |\n| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_table[i];
        printf("| %s |", op->name);
        print_range(op->in_min, op->in_max);
        print_range(op->out_min, op->out_max);
        print_attributes(op->attrs);
        printf(" %s |\n", strcmp(rules[i], "none") == 0 ? "–" : "yes");
    }
    return 0;
}
