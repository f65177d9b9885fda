/* SPDX-License-Identifier: MIT */
/*
 * Text that comes from the command, made safe for a terminal and a log.
 *
 * A program chooses its own name, its paths and the host names it asks for, so
 * they may hold cursor movements, line breaks or characters that reorder what
 * the operator reads (Unicode TR 36, section 3).
 */
#ifndef SANDTOP_CORE_ESCAPE_H
#define SANDTOP_CORE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read one character of the NUL-terminated `s` as UTF-8 (RFC 3629: shortest
 * form, no surrogates). Returns its length in bytes, 1 to 4, with *c set; 0 at
 * a byte that does not begin a valid character and at the end of the text.
 */
size_t escape_decode(const char *s, uint32_t *c);

/* Whether `c` shows as itself: not a control, format, bidi or tag character, nor a noncharacter. */
bool escape_printable(uint32_t c);

/*
 * Write `text` to `buf` (size >= 4) as printable UTF-8: a backslash is doubled,
 * an unprintable character becomes \xNN (ASCII) or \u{N...}, a byte that is not
 * UTF-8 \xNN. What does not fit is cut between two characters and ends in
 * "...". Returns the length without the NUL.
 */
size_t escape_text(const char *text, char *buf, size_t size);

#endif
