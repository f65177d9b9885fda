/* SPDX-License-Identifier: MIT */
/*
 * One line that is being typed, with a cursor in it.
 */
#ifndef SANDTOP_TUI_TYPING_H
#define SANDTOP_TUI_TYPING_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/cells.h"
#include "tui/keys.h"

enum { TYPING_MAX = 1024 };

struct typing {
	char text[TYPING_MAX];
	size_t cursor; /* in bytes, between two characters */
};

/* Begin with that text, cut if it is too long, and the cursor behind it. */
void typing_set(struct typing *t, const char *text);

/* Take a key that edits: text, arrows, Home, End, Backspace, Del, Ctrl-U. Returns whether it was
 * one. */
bool typing_key(struct typing *t, const struct key *k);

/* Draw `label` and the text on one line of `r`, with what is around the cursor, which is placed. */
void typing_render(const struct typing *t, struct cells *c, struct rect r, const char *label);

#endif
