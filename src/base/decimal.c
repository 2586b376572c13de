#include "base/decimal.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

struct c_locale {
    locale_t own, previous;
};

/* Of this thread only. When memory is short the caller's locale stays. */
static struct c_locale enter_c_locale(void) {
    struct c_locale l = {.own = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (l.own != (locale_t)0) {
        l.previous = uselocale(l.own);
    }
    return l;
}

static void leave_c_locale(struct c_locale l) {
    if (l.own != (locale_t)0) {
        uselocale(l.previous);
        freelocale(l.own);
    }
}

double parse_decimal(const char *text, char **end) {
    struct c_locale l = enter_c_locale();
    double v = strtod(text, end);
    leave_c_locale(l);
    return v;
}

int format_decimal_list(char *text, size_t size, const char *format, va_list arguments) {
    struct c_locale l = enter_c_locale();
    int length = vsnprintf(text, size, format, arguments);
    leave_c_locale(l);
    return length;
}

int format_decimal(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = format_decimal_list(text, size, format, arguments);
    va_end(arguments);
    return length;
}
