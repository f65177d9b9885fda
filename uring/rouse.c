/* SPDX-License-Identifier: MIT */
#include "uring/rouse.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/thread.h"

enum { AGAIN_US = 1000 };

/*
 * A table of its own, with that one descriptor: what the others close must be closed, and a table
 * that two threads share makes each of their system calls count references (fs/file.c, fdget()).
 */
static void keep_only(int fd)
{
	if (close_range((unsigned)fd + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0 && fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
}

static void *run(void *arg)
{
	struct rouse *r = arg;
	uint64_t count;

	keep_only(r->fd);
	while (!r->ends && (read(r->fd, &count, sizeof(count)) > 0 || errno == EINTR)) {
		/* Who falls asleep later than this looks before it sleeps. */
		uint64_t sleep = r->asleep;

		while (sleep && r->asleep == sleep) {
			pthread_kill(r->sleeper, ROUSE_SIGNAL);
			usleep(AGAIN_US);
		}
	}
	return NULL;
}

void rouse_init(struct rouse *r, struct io_uring *ring)
{
	*r = (struct rouse){ .ring = ring, .fd = eventfd(0, EFD_CLOEXEC) };
	/* Completions are reported only while somebody sleeps. Linux 5.8. */
	if (r->fd < 0 || io_uring_cq_eventfd_toggle(ring, false) ||
	    io_uring_register_eventfd(ring, r->fd))
		r->failed = true;
}

/* Only when it is needed: a short run has no use for it. */
static bool start(struct rouse *r)
{
	if (r->failed)
		return false;
	r->sleeper = pthread_self();
	r->started = thread_start(&r->thread, run, r) == 0;
	r->failed = !r->started;
	return r->started;
}

void rouse_exit(struct rouse *r)
{
	uint64_t one = 1;

	r->ends = true;
	if (r->started && write(r->fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(r->thread, NULL);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

bool rouse_sleep(struct rouse *r)
{
	if (!r->started && !start(r))
		return false;
	/* First this, then the look: what completes after it is reported. */
	r->asleep = ++r->sleeps;
	io_uring_cq_eventfd_toggle(r->ring, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (!io_uring_cq_ready(r->ring))
		return true;
	rouse_awake(r);
	return false;
}

void rouse_awake(struct rouse *r)
{
	io_uring_cq_eventfd_toggle(r->ring, false);
	r->asleep = 0;
}
