/* SPDX-License-Identifier: MIT */
/*
 * Between the command's terminal, at the other end of link->terminal, and the
 * picture of it.
 */
#ifndef SANDTOP_TUI_OUTPUT_H
#define SANDTOP_TUI_OUTPUT_H

#include <stdbool.h>

#include "tui/link.h"
#include "tui/pane.h"

struct output {
	struct pane *pane; /* NULL: the command has no terminal of its own */
	bool changed;      /* since it was drawn */
};

/* It comes again, from its first byte on: begin with an empty picture of that size. */
void output_renew(struct output *o, struct rect r);

/* Take what the command has written. Returns whether there was something. */
bool output_read(struct output *o, struct link *l);

/* Send what was typed for it, as far as it goes. */
void output_write(struct output *o, struct link *l);

/* Take what it wrote before its end, in whatever order the two were sent; waits 300 ms at most. */
void output_drain(struct output *o, struct link *l);

/* Print what it wrote to where it would have gone without a monitor. */
void output_reprint(struct output *o, int fd, bool color, bool ascii);

#endif
