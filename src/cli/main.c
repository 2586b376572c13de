#include "cli/session.h"
#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {&command_check, &command_clean,   &command_quantize,
                                                 &command_pick,  &command_inspect, &command_run,
                                                 &command_eval,  &command_export,  &command_verify};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static int print_option(const struct option *o) {
    char left[48];
    int width = snprintf(left, sizeof left, "  %s%c%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ',
                         o->letter ? ", " : "   ", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    return printf("%-32s%s%s\n", left, width < 32 ? "" : " ", o->help);
}

void help_print_command(const struct command *command) {
    printf("usage: pare %s %s [options]\n\n%s\n\n", command->name, command->operand, command->summary);
    for (const struct option *o = command->options; o->name != NULL; o++) {
        print_option(o);
    }
    for (const struct option *o = common_options; o->name != NULL; o++) {
        print_option(o);
    }
    printf("\nFor example: %s\n", command->example);
    if (command->notes != NULL) {
        printf("\n%s", command->notes);
    }
}

void help_print_program(void) {
    printf("usage: pare COMMAND ...\n\nTrained ONNX networks in fixed point, with as few bits as an accuracy bound "
           "allows.\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("\nA FILE is a float ONNX, an ONNX that pare rewrote, or a .pare file: the content tells.\n"
           "pare help COMMAND lists the options of one command; pare --version tells the version.\n\n"
           "Exit codes: 0 done (and the bound held), 1 a defect in pare (check: remarks), 2 usage, 3 the input cannot "
           "be used,\nor is not there, 4 the bound cannot be held or too few samples to say so, 5 the system refuses "
           "to read "
           "or write, or is\nout of memory, 130 interrupted.\n");
}

static int unknown_command(const char *name) {
    struct suggestion best = suggestion_begin(name, strlen(name));
    for (int i = 0; i < COMMAND_COUNT; i++) {
        suggestion_try(&best, commands[i]->name);
    }
    fprintf(stderr, "pare: unknown command '%s'", name);
    if (best.word != NULL) {
        fprintf(stderr, "; did you mean '%s'?", best.word);
    }
    fprintf(stderr, " (pare --help lists them)\n");
    return EXIT_USAGE;
}

static const struct command *find_command(const char *name) {
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

/* pare help, pare help COMMAND */
static int help(int argc, char **argv) {
    if (argc == 0) {
        help_print_program();
        return EXIT_FINE;
    }
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        return unknown_command(argv[0]);
    }
    help_print_command(command);
    return EXIT_FINE;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "pare: which command? (pare --help lists them)\n");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        return help(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0) {
        printf("pare %s\n", pare_version());
        return EXIT_FINE;
    }
    const struct command *command = find_command(name);
    return command != NULL ? session_run(command, argc - 2, argv + 2) : unknown_command(name);
}
