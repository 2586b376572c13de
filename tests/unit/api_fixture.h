/* What tests of the public interface share: a folder, and a context with a network and settings for each test. Included
 * in a block after all other quoted includes but suite_main.h's (check.h defines `fail`). */
#ifndef TEST_API_FIXTURE_H
#define TEST_API_FIXTURE_H

#include "pare/pare.h"
#include "small_network.h"

#include <check.h>
#include <unistd.h>

static char folder[] = "/tmp/pare-test-XXXXXX";
static struct pare_context *context;
static struct pare_network *model; /* NULL where begin_test was given none */
static struct pare_settings *settings;

static inline void must(enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s", pare_message(context));
}

static inline void set(const char *name, const char *value) {
    must(pare_settings_set(context, settings, name, value));
}

static inline void begin_folder(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    small_begin(folder);
}

static inline void remove_inputs(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    small_end();
}

/* The network is a file in the folder. */
static inline void begin_test(const char *network) {
    context = pare_context_new();
    ck_assert_ptr_nonnull(context);
    if (network != NULL) {
        must(pare_network_open(context, small_path(network), &model));
    }
    must(pare_settings_new(context, &settings));
}

static inline void teardown(void) {
    pare_settings_free(settings);
    pare_network_free(model);
    pare_context_free(context);
}

static inline void check_same_file(const char *one, const char *other) {
    struct file_map a, b;
    small_must(file_map(&small_context, small_path(one), &a));
    small_must(file_map(&small_context, small_path(other), &b));
    ck_assert_msg(a.size == b.size && memcmp(a.data, b.data, a.size) == 0, "%s and %s differ", one, other);
    file_unmap(&a);
    file_unmap(&b);
}

#endif
