/* SPDX-License-Identifier: MIT */
/*
 * The bar that asks for a profile to write an answer to, where the run began
 * without one. See struct bar_ops.
 */
#ifndef SANDTOP_TUI_NAME_BAR_H
#define SANDTOP_TUI_NAME_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/cells.h"
#include "tui/typing.h"

struct model;
struct event;
struct effect;

struct name_bar {
	bool open;
	uint64_t question;           /* that is answered */
	const char *verdict, *scope; /* of the answer; static */
	struct typing typing;
	bool taken; /* the sandbox has written one: it goes on with that */
};

/* Ask for the profile of the answer in *effect, which is none then. */
void name_bar_open(struct model *m, struct effect *effect);

/* What became of the answer to that question. */
void name_bar_replied(struct name_bar *b, uint64_t question, bool ok);

int name_bar_rows(const struct model *m);
bool name_bar_key(struct model *m, const struct event *e, struct effect *effect);
void name_bar_render(const struct model *m, struct cells *c, struct rect r);

#endif
