/* Options of the command line: one row each, GNU style (--name VALUE, --name=VALUE, -o VALUE, `--` ends them). */
#ifndef PARE_CLI_OPTIONS_H
#define PARE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_role {
    ROLE_SETTING, /* handed to pare_settings_set under its name */
    ROLE_COMMAND  /* read by the command itself */
};

/* A table of rows ends with a row of zeros. */
struct option {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* what stands for the value in the help; NULL: a flag */
    enum option_role role;
    const char *help;
};

struct given_option {
    const struct option *option;
    const char *value; /* "true" for a flag */
};

/* What was given, in order; the strings are those of argv. */
struct arguments {
    struct given_option *given;
    size_t given_count;
    const char **operands;
    size_t operand_count;
};

/* Reads argv[0..argc) against two tables. False after writing one line on stderr that begins with `place`.
 * Free with arguments_free in either case. */
bool arguments_parse(const char *place, int argc, char **argv, const struct option *own, const struct option *common,
                     struct arguments *out);
void arguments_free(struct arguments *a);

/* The last value given, or NULL. */
const char *arguments_value(const struct arguments *a, const char *name);
bool arguments_flag(const struct arguments *a, const char *name);

#endif
