/* SPDX-License-Identifier: MIT */
/*
 * Work that may take long, or wait, done beside the loop: resolving names,
 * compiling a policy, looking at every process of the sandbox.
 *
 * One job runs at a time, on a thread of its own; the others wait in line. A
 * job shares nothing with the loop but what cannot change while it runs.
 */
#ifndef SANDTOP_URING_JOBS_H
#define SANDTOP_URING_JOBS_H

#include <stdbool.h>

#include "uring/loop.h"

enum { JOBS_MAX = 32 };

struct job {
	void (*work)(struct job *j); /* on a thread; all signals are blocked */
	void (*done)(
		struct job *j); /* in the loop, after it; the job may be freed or added again */
	int error;              /* -errno when no thread could be had, and nothing was done */
	struct job *next;
};

struct jobs {
	struct loop *loop;
	int wake; /* eventfd: the first job of the list has done its work */
	struct event event;
	struct job *first, *last;
	unsigned n;
	bool running;
};

/* Returns 0, or -errno of eventfd(2) or the ring. */
int jobs_init(struct jobs *j, struct loop *loop);

/*
 * Returns false when a job is still running: it cannot be stopped, and ends with the process; what
 * it uses must stay.
 */
bool jobs_exit(struct jobs *j);

/* Returns 0, or -EBUSY when too many wait: then done() is not called. */
int jobs_add(struct jobs *j, struct job *job);

/* From done(): the job has more to do, before any other. */
void jobs_go_on(struct jobs *j, struct job *job);

#endif
