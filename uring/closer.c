/* SPDX-License-Identifier: MIT */
#include "uring/closer.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "core/thread.h"

/* The thread's end of the pipe is its own. */
static void *run(void *arg)
{
	int from = (int)(intptr_t)arg, fd;

	while (read(from, &fd, sizeof(fd)) == sizeof(fd))
		close(fd);
	close(from);
	return NULL;
}

void closer_init(struct closer *c)
{
	c->pipe = -1;
}

void closer_exit(struct closer *c)
{
	if (c->pipe >= 0)
		close(c->pipe);
	c->pipe = -1;
}

static void start(struct closer *c)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return;
	/* The loop does not wait for room either. */
	if (fcntl(ends[1], F_SETFL, O_NONBLOCK) ||
	    thread_start(NULL, run, (void *)(intptr_t)ends[0])) {
		close(ends[0]);
		close(ends[1]);
		return;
	}
	c->pipe = ends[1];
}

void closer_take(struct closer *c, int fd)
{
	if (c->pipe < 0)
		start(c);
	if (c->pipe >= 0)
		(void)!write(c->pipe, &fd, sizeof(fd));
}
