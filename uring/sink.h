/* SPDX-License-Identifier: MIT */
/*
 * A destination of lines that can be slow (a terminal, a pipe, a disk): lines
 * are queued and written by the ring, so that nothing waits for it. What does
 * not fit into the queue, or cannot be written, is dropped and counted.
 *
 * After a failed write all further lines are dropped until the file is opened
 * anew: nobody would see where they are missing.
 */
#ifndef SANDTOP_URING_SINK_H
#define SANDTOP_URING_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "uring/loop.h"

enum { SINK_SIZE = 128 * 1024 };

struct sink;

/* The file is open anew (error 0), or is not (a positive errno): the sink goes on with the old one.
 */
typedef void sink_reopened_fn(struct sink *s, int error);

struct sink {
	struct event event;   /* a write under way */
	struct event opening; /* the file is being opened anew */
	struct loop *loop;
	const char *what; /* for messages: "--log", "stderr" */
	const char *path; /* absolute, or NULL: it cannot be opened anew */
	sink_reopened_fn *reopened;
	int fd;                  /* -1: lines go nowhere */
	int next_fd;             /* takes the place of fd once nothing is being written, or -1 */
	struct statx next_stat;  /* of next_fd */
	int error;               /* positive errno of the failed write, else 0 */
	bool torn;               /* that write left the beginning of a line */
	uint64_t lost;           /* lines dropped so far */
	size_t filling, writing; /* bytes in each half */
	size_t written;          /* of the half that is being written */
	int half;                /* which half is being filled */
	char buf[2][SINK_SIZE];
};

/* `fd` is the sink's from now on. Lines go nowhere when it is -1. `path` is borrowed. */
void sink_init(struct sink *s, struct loop *loop, int fd, const char *what, const char *path);

/* Close the file. Nothing may be under way. */
void sink_exit(struct sink *s);

/* Queue one line; the line break is added. */
void sink_line(struct sink *s, const char *text, size_t len);

/* Begin to write what is queued, unless a write is under way. To be called once a turn. */
void sink_flush(struct sink *s);

/*
 * Open the file by its path anew, for appending; `reopened` is called later, from the loop. Returns
 * 0, -ENOENT when there is no path, -EBUSY when that is under way already.
 */
int sink_reopen(struct sink *s, sink_reopened_fn *reopened);

/* Whether everything queued has been written, or cannot be. */
bool sink_is_idle(const struct sink *s);

#endif
