/* SPDX-License-Identifier: MIT */
/*
 * A destination of lines that can be slow (a terminal, a pipe, a disk): lines
 * are queued and written by the ring, so that nothing waits for it. What does
 * not fit into the queue is dropped and counted.
 */
#ifndef SANDTOP_URING_SINK_H
#define SANDTOP_URING_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uring/loop.h"

enum { SINK_SIZE = 128 * 1024 };

struct sink {
	struct event event; /* a write under way */
	struct loop *loop;
	const char *what; /* for the message about a failure: "--log", "stderr" */
	int fd;
	int error;               /* positive errno of the first failed write, else 0 */
	uint64_t lost;           /* lines dropped and not yet told */
	size_t filling, writing; /* bytes in each half */
	size_t written;          /* of the half that is being written */
	int half;                /* which half is being filled */
	char buf[2][SINK_SIZE];
};

/* `fd` stays the caller's. Lines go nowhere when it is -1. */
void sink_init(struct sink *s, struct loop *loop, int fd, const char *what);

/* Queue one line; the line break is added. */
void sink_line(struct sink *s, const char *text, size_t len);

/* Begin to write what is queued, unless a write is under way. To be called once a turn. */
void sink_flush(struct sink *s);

/* Lines that were dropped since the last call. */
uint64_t sink_take_lost(struct sink *s);

/* Whether everything queued has been written, or cannot be. */
bool sink_is_idle(const struct sink *s);

#endif
