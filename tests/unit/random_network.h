/* Seeded random networks in text form. */
#ifndef PARE_TESTS_RANDOM_NETWORK_H
#define PARE_TESTS_RANDOM_NETWORK_H

#include "random_operators.h"

static inline bool sizes_fit(const struct maker *m) {
    for (int i = 0; i < m->g->value_count; i++) {
        struct shape s;
        size_t count = 0;
        if (!value_shape(m->g->values[i], 1, &s) || !shape_count(&s, &count) || count > NETWORK_ELEMENTS_MAX ||
            s.rank > 4) {
            return false;
        }
    }
    return true;
}

/* One operator more; it is taken back where it makes a value too large. */
static inline void grow(struct maker *m, network_operator *put) {
    struct maker before = *m;
    if (put(m)) {
        before.state = m->state;
        parse_again(m);
    }
    before.g = m->g;
    if (!sizes_fit(m)) {
        *m = before;
        m->text[m->length] = '\0';
        parse_again(m);
    }
    before.g = NULL;
}

/* m->g is the finished network; free it with graph_free. `only` NULL: any operators. */
static inline void random_network(struct maker *m, uint64_t seed, int operators, network_operator *only) {
    memset(m, 0, sizeof *m);
    context_init(&m->ctx);
    m->state = seed;
    say(m, "graph g {\n  input x: float32[1,%" PRId64 ",%" PRId64 ",%" PRId64 "]\n", pick(m, 1, 4), pick(m, 3, 6),
        pick(m, 3, 6));
    say(m, "  input z: float32[1,%" PRId64 "]\n", pick(m, 2, 9));
    parse_again(m);
    for (int i = 0; i < operators; i++) {
        grow(m, only != NULL && i % 2 == 0 ? only : network_operators[pick(m, 0, NETWORK_OPERATORS - 1)]);
    }
    for (int i = 0; i < m->g->value_count; i++) { /* what nobody reads is an output */
        const struct value *v = m->g->values[i];
        if (!value_is_constant(v) && v->use_count == 0 && (v->producer != NULL || i < 2)) {
            say(m, "  output %s\n", v->name);
        }
    }
    parse_again(m);
}

#endif
