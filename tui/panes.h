/* SPDX-License-Identifier: MIT */
/*
 * What there is to see: the table of panes, of which one shows, and the table
 * of bars, which open at the bottom of whatever pane that is.
 *
 * A new pane is a value of enum pane_kind, a row in panes.c and a place in
 * keys.h; a new bar is a row in panes.c.
 */
#ifndef SANDTOP_TUI_PANES_H
#define SANDTOP_TUI_PANES_H

#include "tui/cells.h"
#include "tui/model.h"

struct view_layout;

/* What is NULL is nothing to do. */
struct pane_ops {
	const char *name;      /* of its tab */
	enum keys_place place; /* which keys count in it */
	/* Draw heads and rows into l->columns, which is -1 without room, and l->body. */
	void (*render)(const struct model *m, struct cells *c, const struct view_layout *l);
	/* The filter, the order or m->page has changed: what shows now? */
	void (*arrange)(struct model *m);
	/* Select another row; 1 is the one below. */
	void (*move)(struct model *m, long by);
	void (*unselect)(struct model *m);
	/* Select the row of that id, if it is there. */
	void (*select)(struct model *m, uint64_t id);
	/* Have that order, or with -1 the next one; returns what to call it. */
	const char *(*sort)(struct model *m, int order);
	/* Select the next row that contains m->search, or the one before; false: there is none. */
	bool (*find)(struct model *m, bool forward);
	/* A command that model.c does not know itself. */
	struct effect (*command)(struct model *m, const struct event *e, enum command command);
};

const struct pane_ops *panes_get(enum pane_kind kind);

struct bar_ops {
	/* How many lines it takes, from the bottom up; 0 while it is closed. */
	int (*rows)(const struct model *m);
	/* Take a key while it is open. Returns whether the pane is not to see it. */
	bool (*key)(struct model *m, const struct event *e, struct effect *effect);
	/* Draw it; there may be fewer lines than it wants. */
	void (*render)(const struct model *m, struct cells *c, struct rect r);
	bool takes_paste; /* text that was pasted counts as typed */
};

/* The bar that is open, the first in the table if there are several, or NULL. */
const struct bar_ops *panes_bar(const struct model *m);

#endif
