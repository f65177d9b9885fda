/* SPDX-License-Identifier: MIT */
/*
 * The terminal as its own files see it: term.c takes it over and draws, and
 * term_keys.c reads it.
 */
#ifndef SANDTOP_TUI_TERM_STATE_H
#define SANDTOP_TUI_TERM_STATE_H

#include <curses.h>
#include <stdio.h>

#include "tui/term.h"

struct term {
	int in, out;
	FILE *in_file, *out_file;
	SCREEN *screen;
	int picture; /* where curses writes while it draws, or -1: to the terminal */
	bool ascii, color;
	bool xterm; /* knows xterm's modes for mouse and paste */
	struct cells shown;
	bool forget;
	uint8_t cursor_shape;
	enum pane_mouse mouse, wanted; /* reports that it sends; and after term_enter() */
	struct keys_decoder decoder;
	const char *feed; /* bytes still to be decoded, or NULL */
	char *bound;      /* what they belong to */
	struct key next;  /* was read already, if it has a code */
};

#endif
