#include "cli/options.h"

#include "cli/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parse {
    const char *place;
    const struct option *tables[2];
    char **argv;
    int argc, at;
    struct arguments *out;
};

static const struct option *find_option(const struct parse *p, const char *name, size_t length) {
    for (int t = 0; t < 2; t++) {
        for (const struct option *o = p->tables[t]; o->name != NULL; o++) {
            if (strlen(o->name) == length && memcmp(o->name, name, length) == 0) {
                return o;
            }
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct parse *p, char letter) {
    for (int t = 0; t < 2; t++) {
        for (const struct option *o = p->tables[t]; o->name != NULL; o++) {
            if (o->letter != 0 && o->letter == letter) {
                return o;
            }
        }
    }
    return NULL;
}

static bool unknown_option(const struct parse *p, const char *text, const char *name, size_t length) {
    struct suggestion best = suggestion_begin(name, length);
    for (int t = 0; t < 2; t++) {
        for (const struct option *o = p->tables[t]; o->name != NULL; o++) {
            suggestion_try(&best, o->name);
        }
    }
    fprintf(stderr, "%s: unknown option '%s'", p->place, text);
    if (best.word != NULL) {
        fprintf(stderr, "; did you mean '--%s'?", best.word);
    }
    fprintf(stderr, " (%s --help lists them)\n", p->place);
    return false;
}

static bool take(struct parse *p, const struct option *option, const char *attached) {
    struct given_option *given = &p->out->given[p->out->given_count];
    given->option = option;
    if (option->argument == NULL) {
        if (attached != NULL) {
            fprintf(stderr, "%s: option '--%s' takes no value\n", p->place, option->name);
            return false;
        }
        given->value = "true";
    } else if (attached != NULL) {
        given->value = attached;
    } else if (p->at < p->argc) {
        given->value = p->argv[p->at++];
    } else {
        fprintf(stderr, "%s: option '--%s' needs a value: --%s %s\n", p->place, option->name, option->name,
                option->argument);
        return false;
    }
    p->out->given_count++;
    return true;
}

static bool take_long(struct parse *p, const char *text) {
    const char *name = text + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find_option(p, name, length);
    if (option == NULL) {
        return unknown_option(p, text, name, length);
    }
    return take(p, option, equals != NULL ? equals + 1 : NULL);
}

static bool take_short(struct parse *p, const char *text) {
    const struct option *option = find_letter(p, text[1]);
    if (option == NULL) {
        return unknown_option(p, text, text + 1, strlen(text + 1));
    }
    return take(p, option, text[2] != 0 ? text + 2 : NULL);
}

bool arguments_parse(const char *place, int argc, char **argv, const struct option *own, const struct option *common,
                     struct arguments *out) {
    size_t capacity = argc > 0 ? (size_t)argc : 1;
    *out = (struct arguments){.given = calloc(capacity, sizeof *out->given),
                              .operands = calloc(capacity, sizeof *out->operands)};
    if (out->given == NULL || out->operands == NULL) {
        fprintf(stderr, "%s: out of memory\n", place);
        return false;
    }
    struct parse p = {.place = place, .tables = {own, common}, .argv = argv, .argc = argc, .out = out};
    bool options_ended = false;
    while (p.at < argc) {
        const char *text = argv[p.at++];
        if (options_ended || text[0] != '-' || text[1] == 0) {
            out->operands[out->operand_count++] = text;
        } else if (strcmp(text, "--") == 0) {
            options_ended = true;
        } else if (!(text[1] == '-' ? take_long(&p, text) : take_short(&p, text))) {
            return false;
        }
    }
    return true;
}

void arguments_free(struct arguments *a) {
    free(a->given);
    free(a->operands);
    *a = (struct arguments){0};
}

const char *arguments_value(const struct arguments *a, const char *name) {
    for (size_t i = a->given_count; i > 0; i--) {
        if (strcmp(a->given[i - 1].option->name, name) == 0) {
            return a->given[i - 1].value;
        }
    }
    return NULL;
}

bool arguments_flag(const struct arguments *a, const char *name) {
    return arguments_value(a, name) != NULL;
}
