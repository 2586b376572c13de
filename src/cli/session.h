/* One command's run: its context, its arguments, its way to say things and its exit code. */
#ifndef PARE_CLI_SESSION_H
#define PARE_CLI_SESSION_H

#include "cli/options.h"
#include "cli/progress.h"
#include "pare/pare.h"

enum exit_code {
    EXIT_FINE = 0,
    EXIT_DEFECT = 1,  /* pare found its own work wrong */
    EXIT_REMARKS = 1, /* of check: it works, with remarks */
    EXIT_USAGE = 2,
    EXIT_INPUT = 3, /* the input cannot be used */
    EXIT_BOUND = 4, /* the accuracy bound cannot be held, or not be shown to hold */
    EXIT_SYSTEM = 5,
    EXIT_INTERRUPTED = 130
};

struct command;

struct session {
    const struct command *command;
    struct arguments arguments;
    struct pare_context *context;
    struct pare_settings *settings; /* those that the options gave */
    struct progress_line progress;
    bool remarks; /* it went well, and the exit code is to say that there is more to read */
    bool told;    /* the user knows what went wrong */
};

struct command {
    const char *name, *operand, *summary;
    const struct option *options;
    enum pare_status (*run)(struct session *s);
    const char *example;
    const char *notes; /* closes the help; may be NULL */
};

extern const struct command command_check, command_clean, command_quantize, command_pick, command_inspect, command_run,
    command_eval, command_export, command_verify;
extern const struct option common_options[];

/* Parses, runs the command, writes the message of a failure. Returns the exit code. */
int session_run(const struct command *command, int argc, char **argv);

/* "pare NAME: ..." on stderr; returns PARE_ERROR_USAGE. */
enum pare_status session_usage_error(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a report on stdout, as --json says; its text tells what went wrong, too. */
void session_print_report(struct session *s, struct pare_report *report);

void help_print_program(void);
void help_print_command(const struct command *command);

#endif
