/* SPDX-License-Identifier: MIT */
/*
 * A picture of the screen: a rectangle of character cells and a cursor.
 *
 * Whoever draws says what a cell means (its role), not how it looks; only the
 * cells of the command's own terminal bring a style along. Everything is
 * clamped: what lies outside is not drawn, and no text can leave the columns
 * that it was given, however wide its characters are and whatever they combine
 * with.
 */
#ifndef SANDTOP_TUI_CELLS_H
#define SANDTOP_TUI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/spot.h"

enum {
	CELLS_CHARS = 5,  /* a character and what combines with it */
	CELLS_MAX = 1000, /* columns and rows of the largest screen */
};

enum role {
	ROLE_TEXT,
	ROLE_TITLE,
	ROLE_DIM,
	ROLE_ALLOW,
	ROLE_DENY,
	ROLE_HOLD,
	ROLE_TAB,
	ROLE_TAB_CURRENT,
	ROLE_COLUMNS,  /* the line above a list that names its columns */
	ROLE_SELECTED, /* the whole row */
	ROLE_KEY,      /* function bar: what to press, */
	ROLE_BAR,      /* and what it does */
	ROLE_MESSAGE,
	ROLE_ERROR,
	ROLE_COMMAND, /* the command's own: see the cell's style */
	ROLE_COUNT,
};

enum style_attr {
	STYLE_BOLD = 1 << 0,
	STYLE_UNDERLINE = 1 << 1,
	STYLE_ITALIC = 1 << 2,
	STYLE_BLINK = 1 << 3,
	STYLE_REVERSE = 1 << 4,
};

/* A colour: the terminal's default, a number of the 256-colour palette, or 24 bits of RGB. */
enum { COLOR_DEFAULT = 0, COLOR_INDEXED = 1 << 24, COLOR_RGB = 2 << 24 };

struct style {
	uint32_t fg, bg; /* COLOR_DEFAULT, or COLOR_INDEXED or COLOR_RGB and the value */
	uint8_t attrs;
};

struct cell {
	uint32_t chars[CELLS_CHARS]; /* Unicode, 0 behind the last; all 0 is a blank */
	uint8_t width;               /* 1 or 2; 0: the right half of the cell before */
	uint8_t role;
	struct style style; /* with ROLE_COMMAND */
};

struct cells_cursor {
	int x, y;
	bool visible;
	uint8_t shape; /* as DECSCUSR has it: 1, 2 block, 3, 4 underline, 5, 6 bar; 0: as it was */
};

struct cells {
	int w, h;
	bool ascii; /* draw nothing but ASCII */
	struct cells_cursor cursor;
	struct cell *v;     /* h rows of w */
	struct spots spots; /* what can be clicked on */
};

struct rect {
	int x, y, w, h;
};

/* An empty picture of no size. */
void cells_init(struct cells *c, bool ascii);
void cells_exit(struct cells *c);

/*
 * Give it another size, cut to 0..CELLS_MAX, and clear it. Returns 0 or -ENOMEM: then it is 0 by 0.
 */
int cells_resize(struct cells *c, int w, int h);

/* Blanks of ROLE_TEXT everywhere, no cursor and no spots. */
void cells_clear(struct cells *c);

/* Blanks of that role. */
void cells_fill(struct cells *c, struct rect r, enum role role);

/*
 * Put one character with what combines with it (`n` code points) where it has `width` (at least 1)
 * columns. What is wider than that is replaced, what is narrower is followed by blanks.
 */
void cells_put(struct cells *c, int x, int y, const uint32_t *chars, size_t n, int width,
	       enum role role, struct style style);

/* Copy the rectangle to where its upper left corner becomes x, y. They may overlap. */
void cells_move(struct cells *c, struct rect from, int x, int y);

/*
 * Give it another size as cells_resize(), but keep what is in the upper left part. On failure
 * nothing has changed.
 */
int cells_grow(struct cells *c, int w, int h);

/*
 * Draw UTF-8 text of our own, or text that was escaped (core/escape.h), in at most `max` columns;
 * if it is longer, the last one says so. Returns how many columns it took, also of those outside
 * the picture.
 */
int cells_text(struct cells *c, int x, int y, int max, enum role role, const char *text);

/*
 * Draw such text from column *x of line *y of the rectangle on; what does not fit goes on in its
 * next line. What is below it is not drawn, but counted. *x and *y become the place behind it.
 */
void cells_wrap(struct cells *c, struct rect r, int *x, int *y, enum role role, const char *text);

/* The same, with a word on one line where that can hold it. A word has less than 512 bytes. */
void cells_words(struct cells *c, struct rect r, int *x, int *y, enum role role, const char *text);

/* Text of the command's, which is escaped here. */
int cells_foreign(struct cells *c, int x, int y, int max, enum role role, const char *text);

/* How many columns the character takes: 0 if it combines, -1 if it must not be shown. */
int cells_char_width(uint32_t ch);

/* How many columns cells_text() would take without a limit. */
int cells_text_width(const struct cells *c, const char *text);

#endif
