/* SPDX-License-Identifier: MIT */
/*
 * The lines that left the command's screen at the top.
 *
 * A line is kept as text with SGR sequences, which takes far less memory than
 * its cells and can be printed as it is.
 */
#ifndef SANDTOP_TUI_SCROLLBACK_H
#define SANDTOP_TUI_SCROLLBACK_H

#include <stdbool.h>
#include <stdio.h>

#include "tui/cells.h"

enum { SCROLLBACK_LINES = 10000 };

struct scrollback {
	char **lines; /* a ring; a NULL within is an empty line */
	size_t first, count;
};

/* Returns 0 or -ENOMEM. */
int scrollback_init(struct scrollback *s);
void scrollback_exit(struct scrollback *s);

/* Keep row `y`; the oldest line goes when there are too many. */
void scrollback_push(struct scrollback *s, const struct cells *c, int y);

/* Put the newest line back into row `y`. Returns whether there was one. */
bool scrollback_pop(struct scrollback *s, struct cells *c, int y);

/* Print all lines, and one row. See sgr_print(). */
void scrollback_print(const struct scrollback *s, FILE *out, bool color, bool ascii);
void scrollback_print_row(const struct cells *c, int y, FILE *out, bool color, bool ascii);

#endif
