/* SPDX-License-Identifier: MIT */
/*
 * What sandtop has to say while the monitor has the screen: lines from a pipe.
 */
#ifndef SANDTOP_TUI_MESSAGES_H
#define SANDTOP_TUI_MESSAGES_H

#include <stddef.h>

#include "tui/model.h"

enum { MESSAGES_LINE = 2048 }; /* bytes of a line; a longer one is shown in pieces */

struct messages {
	int fd; /* its own, non-blocking; -1: none, or at its end */
	size_t len;
	char line[MESSAGES_LINE];
};

void messages_init(struct messages *s, int fd);
void messages_exit(struct messages *s);

/* Tell the model what has come. Never waits. */
void messages_read(struct messages *s, struct model *model);

#endif
