/* SPDX-License-Identifier: MIT */
/*
 * The rows of the pane Connections: which sockets there are, in which order,
 * and which one is selected. A row is its socket's cookie, wherever it moves.
 */
#ifndef SANDTOP_TUI_SOCKLIST_H
#define SANDTOP_TUI_SOCKLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/opened.h"

enum socklist_sort {
	SOCKLIST_NEWEST,
	SOCKLIST_RATE,
	SOCKLIST_BYTES,
	SOCKLIST_ADDRESS,
	SOCKLIST_PROCESS,
	SOCKLIST_SORTS,
};

struct socklist_row {
	struct opened socket;
	uint64_t since; /* CLOCK_MONOTONIC, ns, when it was seen first */
	uint64_t rate;  /* bytes a second, both ways together */
};

struct socklist {
	struct socklist_row *rows; /* OPENED_MAX, sorted by cookie */
	unsigned int n;
	bool known; /* a list has come */
	uint64_t elapsed;
	uint64_t more; /* that are in no row */
	unsigned int unseen;
	uint16_t *order; /* the rows that are shown, as indices */
	unsigned int shown;
	enum socklist_sort sort;
	uint64_t selected; /* cookie, 0: none */
	unsigned int top;
};

/* Returns 0 or -ENOMEM. */
int socklist_new(struct socklist *c);
void socklist_free(struct socklist *c);

/* A new list came at that time; `filter` and `page` as socklist_arrange() has them. */
void socklist_take(struct socklist *c, const struct opened_list *list, uint64_t elapsed,
		   const char *filter, unsigned int page);

/* Sort anew and show what contains the text, on `page` (at least 1) lines. */
void socklist_arrange(struct socklist *c, const char *filter, unsigned int page);

/* Select another row; without a selection the first one on the screen. */
void socklist_move(struct socklist *c, long by, unsigned int page);

/* Select the row of that socket, if it is shown. */
void socklist_select(struct socklist *c, uint64_t cookie, unsigned int page);

/*
 * Select the next shown row that contains `text`, or the one before, once around. Returns whether
 * there is one.
 */
bool socklist_find(struct socklist *c, const char *text, bool forward, unsigned int page);

/* The selected row, or NULL when none is, or it is not shown. */
const struct socklist_row *socklist_selected(const struct socklist *c);

/* "newest", "rate", ... */
const char *socklist_sort_name(enum socklist_sort sort);

#endif
