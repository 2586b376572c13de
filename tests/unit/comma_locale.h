/* A locale that writes 0,5, made for one test program: no system has to have one installed. */
#ifndef TEST_COMMA_LOCALE_H
#define TEST_COMMA_LOCALE_H

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char comma_folder[] = "/tmp/pare-locale-XXXXXX";

/* False, and says so, where no such locale can be made. */
static inline bool comma_locale_enter(void) {
    char command[160], half[8];
    bool made = mkdtemp(comma_folder) != NULL;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/comma.UTF-8 >/dev/null 2>&1", comma_folder);
    made = made && system(command) == 0 && setenv("LOCPATH", comma_folder, 1) == 0 &&
           setlocale(LC_ALL, "comma.UTF-8") != NULL;
    snprintf(half, sizeof half, "%.1f", 0.5);
    made = made && strcmp(half, "0,5") == 0;
    if (!made) {
        printf("skipped: no locale with a decimal comma\n");
    }
    return made;
}

static inline void comma_locale_leave(void) {
    char command[64];
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -r %s", comma_folder);
    if (system(command) != 0) {
        printf("%s stays behind\n", comma_folder);
    }
}

#endif
