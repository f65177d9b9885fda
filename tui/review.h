/* SPDX-License-Identifier: MIT */
/*
 * The bar that shows what a change of the policy would change, and asks whether
 * to make it. The sandbox has tried it before the bar opens, and makes it only
 * if its policy is still the one that it was made for.
 */
#ifndef SANDTOP_TUI_REVIEW_H
#define SANDTOP_TUI_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/cells.h"

struct model;
struct event;
struct effect;

enum { REVIEW_PATH_MAX = 4096 };

struct review {
	bool open;
	unsigned int trials; /* whose answers have not come: only the last one counts */
	char *profile;       /* what is to be made: a profile of `size` bytes; NULL: nothing */
	size_t size;
	bool whole;                 /* it is the whole policy, else the file at `path` */
	char path[REVIEW_PATH_MAX]; /* for messages */
	uint64_t generation;        /* of the policy that it is made for, 0: whichever is live */
	char *lines;                /* "+RULE\n", "-RULE\n", ... */
};

/*
 * Ask what a change would change; takes `profile` over. The effect is to be returned to the
 * monitor, which answers with EVENT_TRIAL.
 */
struct effect review_begin(struct model *m, char *profile, size_t size, bool whole,
			   const char *path, uint64_t generation);

/* EVENT_TRIAL: open the bar, or say what is wrong. */
void review_take(struct model *m, const struct event *e);

void review_free(struct review *r);

/* See struct bar_ops. */
int review_rows(const struct model *m);
bool review_key(struct model *m, const struct event *e, struct effect *effect);
void review_render(const struct model *m, struct cells *c, struct rect r);

#endif
