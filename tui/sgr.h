/* SPDX-License-Identifier: MIT */
/*
 * Styles as the sequences that terminals know (ECMA-48 SGR), and lines of text
 * that have them: nothing else in such a line is a control character.
 */
#ifndef SANDTOP_TUI_SGR_H
#define SANDTOP_TUI_SGR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tui/cells.h"

/* Write what changes *now into `style`, and remember that. */
void sgr_change(FILE *out, struct style *now, struct style style);

/* Write a character and what combines with it, up to `n` or a 0, as UTF-8; a blank for none. */
void sgr_chars(FILE *out, const uint32_t *chars, size_t n);

/*
 * Read the next style or character of a line made of the two. Returns how many bytes it took, 0 at
 * the end; *n is 0 when it was a style, which is then in *now.
 */
size_t sgr_next(const char *line, struct style *now, uint32_t chars[static CELLS_CHARS], size_t *n);

/* Write a line made of the two, without its colours or in ASCII if so wanted, and a line break. */
void sgr_print(FILE *out, const char *line, bool color, bool ascii);

#endif
