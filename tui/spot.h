/* SPDX-License-Identifier: MIT */
/*
 * What a click on a part of the picture means. Whoever draws something that can
 * be clicked on notes it, so that what is hit is what was seen there: a row by
 * its identity, whatever has moved since.
 */
#ifndef SANDTOP_TUI_SPOT_H
#define SANDTOP_TUI_SPOT_H

#include <stdint.h>

enum spot_kind {
	SPOT_NONE, /* nothing; also over something that was drawn before */
	SPOT_KEY,  /* as if that code was pressed; see keys.h */
	SPOT_PANE, /* go to that one */
	SPOT_SORT, /* have the list in that order, as the pane counts them */
	SPOT_ROW,  /* select the one of that id */
};

struct spot {
	enum spot_kind kind;
	uint64_t value;
};

/* Zeroed to begin with. */
struct spots {
	struct spot_place *v;
	int n, room;
};

/* Note it for `w` columns of line `y`; without memory there is nothing to click on. */
void spot_add(struct spots *s, int x, int y, int w, enum spot_kind kind, uint64_t value);

/* The same for the first place of the key's `name` in `text`, which is drawn from column `x` on. */
void spot_add_key(struct spots *s, int x, int y, const char *text, const char *name, uint16_t code);

/* The last one that was noted there, or one of SPOT_NONE. */
struct spot spot_at(const struct spots *s, int x, int y);

/* A new picture begins. */
void spot_clear(struct spots *s);

void spot_free(struct spots *s);

#endif
