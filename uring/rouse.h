/* SPDX-License-Identifier: MIT */
/*
 * Sleeping in another system call than the ring's, and being woken for the ring.
 *
 * A completion does not end a system call that has nothing to do with the
 * ring: the kernel goes on with it where it was. So a thread waits for
 * completions meanwhile, on an eventfd, and interrupts whoever sleeps with a
 * signal, again and again until it is awake: a signal that comes just before
 * the system call begins interrupts nothing.
 */
#ifndef SANDTOP_URING_ROUSE_H
#define SANDTOP_URING_ROUSE_H

#include <liburing.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Interrupts a system call of the thread that runs the loop. Whoever runs it installs a handler
 * that does nothing, without SA_RESTART.
 */
enum { ROUSE_SIGNAL = SIGALRM };

struct rouse {
	struct io_uring *ring;
	int fd; /* eventfd, or -1: this kernel cannot */
	bool started, failed;
	pthread_t thread, sleeper;
	uint64_t sleeps;
	_Atomic uint64_t asleep; /* the number of this sleep, from 1, or 0 */
	_Atomic bool ends;
};

/* For `ring`, which may not move. A kernel that cannot is no error. */
void rouse_init(struct rouse *r, struct io_uring *ring);
void rouse_exit(struct rouse *r);

/*
 * From here to rouse_awake() a completion interrupts what the calling thread, always the same,
 * sleeps in (EINTR). Returns false if it may not sleep: something has completed, or nobody could
 * wake it.
 */
bool rouse_sleep(struct rouse *r);
void rouse_awake(struct rouse *r);

#endif
