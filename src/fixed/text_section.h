/* Texts of a .pare file that nothing at run time needs, compressed: runtime/format.h. */
#ifndef PARE_FIXED_TEXT_SECTION_H
#define PARE_FIXED_TEXT_SECTION_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/context.h"

#define TEXT_SECTION_MOST ((size_t)1 << 24)

/* Appends `size` bytes of text as a section; of no text, nothing. PARE_ERROR_UNSUPPORTED above TEXT_SECTION_MOST.
 * `what` names the text, here and below: "names". */
enum pare_status text_section_write(struct context *ctx, const char *what, const void *text, size_t size,
                                    struct buffer *out);
/* The text of a section of at least one byte, in the arena; PARE_ERROR_INPUT naming `place` and `what` where it is
 * damaged. */
enum pare_status text_section_read(struct context *ctx, struct arena *arena, const char *place, const char *what,
                                   const uint8_t *bytes, size_t size, const char **text, size_t *length);

#endif
