/* SPDX-License-Identifier: MIT */
/*
 * The rows of the pane Rules: the live policy's rules in order, and those that
 * the operator has switched off, which only the monitor knows.
 *
 * A change is made of a copy of the rows, the next ones. The copy becomes the
 * rows when the policy that it was made for is live, so that a row keeps its
 * identity, and rules that are off keep their places.
 */
#ifndef SANDTOP_TUI_RULELIST_H
#define SANDTOP_TUI_RULELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct rulelist_row {
	uint64_t id; /* from 1 */
	char *text;
	char *warning;    /* see lint(); or NULL */
	const char *lint; /* its name, or NULL */
	bool off;
	bool preset; /* not to be edited; all of them are at the end */
	uint64_t hits;
};

struct rulelist_rows {
	struct rulelist_row *v;
	size_t n;
};

struct rulelist {
	struct rulelist_rows rows, next;
	char *policy; /* the profile that the rows are of; NULL: none has come */
	size_t size;
	uint64_t generation;           /* of it */
	const char *preset, *fallback; /* static; one of them is NULL */
	uint64_t ids;                  /* ever given */
	size_t *order;                 /* the rows that are shown */
	size_t shown;
	uint64_t selected; /* id, 0: none */
	size_t top;
};

void rulelist_free(struct rulelist *r);

/* The live policy, as profile_write() made it. Returns 0, -EINVAL with *err filled, or -ENOMEM. */
int rulelist_take(struct rulelist *r, const char *text, size_t size, uint64_t generation,
		  struct policy_error *err);

/* Numbers by line, one for each rule of that generation; of another one they are dropped. */
void rulelist_take_hits(struct rulelist *r, const char *text, uint64_t generation);

/* Show what contains the text, on `page` (at least 1) lines. */
void rulelist_arrange(struct rulelist *r, const char *filter, unsigned int page);

/* Select another row; without a selection the first one on the screen. */
void rulelist_move(struct rulelist *r, long by, unsigned int page);

/* Select the row of that id, if it is shown. */
void rulelist_select(struct rulelist *r, uint64_t id, unsigned int page);

/*
 * Select the next row whose rule contains the text, or the one before; once around. Returns whether
 * there is one.
 */
bool rulelist_find(struct rulelist *r, const char *text, bool forward, unsigned int page);

/* The selected row, or NULL when none is, or it is not shown. */
const struct rulelist_row *rulelist_selected(const struct rulelist *r);

/*
 * Begin a change, with the next rows as the rows are now, and make it of the row with that id.
 * Each returns 0, -ENOMEM, or -ENOENT when there is no such row or the change makes no sense there.
 *
 * rulelist_insert() puts a rule in front of the row, or in front of a preset without one (id 0);
 * rulelist_shift() moves it by one, up or down.
 */
int rulelist_insert(struct rulelist *r, uint64_t id, const char *text);
int rulelist_replace(struct rulelist *r, uint64_t id, const char *text);
int rulelist_remove(struct rulelist *r, uint64_t id);
int rulelist_shift(struct rulelist *r, uint64_t id, int by);
int rulelist_toggle(struct rulelist *r, uint64_t id);

/*
 * Write the policy that the next rows make. Returns 0 with *out to be freed; 1 when it is the same
 * policy, and the next rows are the rows from now on; or what profile_rules_write() does.
 */
int rulelist_write(struct rulelist *r, char **out, struct policy_error *err);

#endif
