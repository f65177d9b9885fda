/* SPDX-License-Identifier: MIT */
/*
 * Lines that come through a pipe and are shown later: the last of them, when
 * they are too many.
 */
#ifndef SANDTOP_TOOLS_BACKLOG_H
#define SANDTOP_TOOLS_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

enum { BACKLOG_SIZE = 64 * 1024 };

struct backlog {
	int fd; /* the reading end, which it owns; -1: at its end, or there is none */
	size_t len;
	uint64_t dropped; /* lines that were not printed yet */
	int copy;         /* where all that comes goes at once, too; its own, -1: nowhere */
	char text[BACKLOG_SIZE];
};

/* `fd` is made non-blocking; -1 is fine. */
void backlog_init(struct backlog *b, int fd);

/*
 * Show it to a monitor: write what was taken, and from now on all that comes, to `fd`, which is
 * made non-blocking and is the backlog's. What it does not take is left out there.
 */
void backlog_copy_to(struct backlog *b, int fd);

/* Take what has come. Never waits. */
void backlog_take(struct backlog *b);

/* Write all that was taken to stderr, and forget it. */
void backlog_print(struct backlog *b);

void backlog_free(struct backlog *b);

#endif
