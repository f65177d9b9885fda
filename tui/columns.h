/* SPDX-License-Identifier: MIT */
/*
 * Drawing a list in columns: what Decisions and Connections have in common.
 */
#ifndef SANDTOP_TUI_COLUMNS_H
#define SANDTOP_TUI_COLUMNS_H

#include <stdbool.h>

#include "tui/cells.h"

struct column_head {
	const char *name;
	int width; /* narrower it is of no use */
	bool right;
	int sort; /* 1 and the order that a click on it asks for; 0: none */
};

/*
 * The names of `n` columns in row `y`, a blank between two; those of width 0 are left out. `sorted`
 * is the order that the list has, or -1. A click on a head asks for the order of it.
 */
void columns_heads(struct cells *c, int y, const struct column_head *heads, int n,
		   const int *widths, int sorted);

/*
 * One cell at *x, which then is where the next one begins. `text` is the command's, and is escaped
 * and cut; `tail`, which is ours or NULL, is behind it and never cut. A width of 0 draws nothing.
 */
void columns_cell(struct cells *c, int *x, int y, const struct column_head *head, int width,
		  enum role role, const char *text, const char *tail);

#endif
