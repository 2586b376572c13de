/* Numbers as text with a decimal point, whatever locale the calling program has chosen. */
#ifndef PARE_BASE_DECIMAL_H
#define PARE_BASE_DECIMAL_H

#include <stdarg.h>
#include <stddef.h>

double parse_decimal(const char *text, char **end); /* as strtod */

/* As snprintf and vsnprintf. */
int format_decimal(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int format_decimal_list(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
