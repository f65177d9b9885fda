/* SPDX-License-Identifier: MIT */
/*
 * How a cell looks on the operator's terminal: colours and attributes, as
 * curses has them, of the roles and of what the command has written. Between
 * term_new() and term_free().
 */
#ifndef SANDTOP_TUI_TERM_LOOK_H
#define SANDTOP_TUI_TERM_LOOK_H

#include <curses.h>
#include <stdbool.h>

#include "tui/cells.h"

struct term_look {
	short fg, bg; /* -1: the terminal's own */
	attr_t attrs;
};

/* Without `color` roles are told apart by attributes alone. */
struct term_look term_look(bool color, const struct cell *cell);

#endif
