#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct option common_options[] = {
    {"threads", 0, "N", ROLE_COMMAND, "worker threads; the results do not depend on it (default: all processors)"},
    {"quiet", 0, NULL, ROLE_COMMAND, "no progress"},
    {"help", 'h', NULL, ROLE_COMMAND, "this text"},
    {0},
};

/* The signal handler's only way to the context. */
static struct pare_context *volatile interrupted_context;
static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    if (interrupts++ > 0) {
        _exit(EXIT_INTERRUPTED);
    }
    pare_cancel(interrupted_context);
}

static void catch_interrupts(struct pare_context *context) {
    interrupted_context = context;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void on_progress(void *user, const struct pare_progress *progress) {
    struct session *s = user;
    progress_show(&s->progress, progress);
}

static void on_warning(void *user, const char *message) {
    struct session *s = user;
    progress_clear(&s->progress);
    fprintf(stderr, "pare: warning: %s\n", message);
}

enum pare_status session_usage_error(struct session *s, const char *format, ...) {
    progress_clear(&s->progress);
    s->told = true;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "pare %s: ", s->command->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return PARE_ERROR_USAGE;
}

void session_print_report(struct session *s, struct pare_report *report) {
    progress_clear(&s->progress);
    bool json = arguments_flag(&s->arguments, "json");
    fputs(json ? pare_report_json(report) : pare_report_text(report), stdout);
    s->told = s->told || !json;
}

static int exit_code_of(enum pare_status status) {
    switch (status) {
    case PARE_OK:
        return EXIT_FINE;
    case PARE_ERROR_USAGE:
        return EXIT_USAGE;
    case PARE_ERROR_INPUT:
    case PARE_ERROR_UNSUPPORTED:
        return EXIT_INPUT;
    case PARE_ERROR_BOUND:
        return EXIT_BOUND;
    case PARE_ERROR_IO:
    case PARE_ERROR_MEMORY:
        return EXIT_SYSTEM;
    case PARE_ERROR_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case PARE_ERROR_INTERNAL:
        break;
    }
    return EXIT_DEFECT;
}

static enum pare_status apply_threads(struct session *s) {
    const char *text = arguments_value(&s->arguments, "threads");
    if (text == NULL) {
        return PARE_OK;
    }
    char *end;
    errno = 0;
    long threads = strtol(text, &end, 10);
    if (end == text || *end != 0 || errno != 0 || threads < 1 || threads > 1024) {
        return session_usage_error(s, "--threads %s: expected a number from 1 to 1024", text);
    }
    return pare_set_threads(s->context, (int)threads);
}

static enum pare_status apply_settings(struct session *s) {
    enum pare_status status = pare_settings_new(s->context, &s->settings);
    for (size_t i = 0; status == PARE_OK && i < s->arguments.given_count; i++) {
        const struct given_option *given = &s->arguments.given[i];
        if (given->option->role == ROLE_SETTING) {
            status = pare_settings_set(s->context, s->settings, given->option->name, given->value);
            if (status == PARE_ERROR_USAGE) { /* the message begins with the setting's name */
                session_usage_error(s, "--%s", pare_message(s->context));
            }
        }
    }
    return status;
}

static enum pare_status run_command(struct session *s) {
    enum pare_status status = apply_threads(s);
    if (status != PARE_OK) {
        return status;
    }
    status = apply_settings(s);
    if (status != PARE_OK) {
        return status;
    }
    if (s->arguments.operand_count != 1) {
        return session_usage_error(s, "expected one %s, got %zu operands (pare %s --help shows the usage)",
                                   s->command->operand, s->arguments.operand_count, s->command->name);
    }
    return s->command->run(s);
}

static int finish(struct session *s, enum pare_status status) {
    progress_clear(&s->progress);
    const char *message = pare_message(s->context);
    if (status != PARE_OK && !s->told) {
        fprintf(stderr, "pare %s: %s\n", s->command->name, message);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "pare %s: cannot write to the standard output: %s\n", s->command->name, strerror(errno));
        return status == PARE_OK ? EXIT_SYSTEM : exit_code_of(status);
    }
    return status == PARE_OK && s->remarks ? EXIT_REMARKS : exit_code_of(status);
}

static int run_parsed(struct session *s) {
    if (arguments_flag(&s->arguments, "help")) {
        help_print_command(s->command);
        return EXIT_FINE;
    }
    s->context = pare_context_new();
    if (s->context == NULL) {
        fprintf(stderr, "pare: out of memory\n");
        return EXIT_SYSTEM;
    }
    progress_begin(&s->progress, arguments_flag(&s->arguments, "quiet"));
    pare_on_progress(s->context, on_progress, s);
    pare_on_warning(s->context, on_warning, s);
    catch_interrupts(s->context);
    int code = finish(s, run_command(s));
    pare_settings_free(s->settings);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    pare_context_free(s->context);
    return code;
}

int session_run(const struct command *command, int argc, char **argv) {
    struct session s = {.command = command};
    char place[64];
    snprintf(place, sizeof place, "pare %s", command->name);
    int code = EXIT_USAGE;
    if (arguments_parse(place, argc, argv, command->options, common_options, &s.arguments)) {
        code = run_parsed(&s);
    }
    arguments_free(&s.arguments);
    return code;
}
