/* SPDX-License-Identifier: MIT */
#include "core/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "core/procstat.h"

enum {
	PARENTS_MAX = 256,
	TRIES = 4,
};

struct chain {
	pid_t pid[PARENTS_MAX]; /* a process, its parent, and so on */
	size_t n;
	bool supervised;
};

/* Returns the parent of `pid`, 0 when it has none here, or -errno; *supervisor is set if it is one.
 */
static pid_t read_parent(pid_t pid, bool *supervisor)
{
	struct procstat stat;
	int ret = procstat_read(pid, &stat);

	if (ret)
		return ret;
	*supervisor = strcmp(stat.name, PEER_SUPERVISOR) == 0;
	return stat.parent;
}

/* Returns 0 or -errno. The walk ends at the first supervisor. */
static int walk(pid_t pid, struct chain *out)
{
	out->n = 0;
	out->supervised = false;
	while (pid > 0) {
		if (out->n == PARENTS_MAX)
			return -ELOOP;
		out->pid[out->n++] = pid;
		pid = read_parent(pid, &out->supervised);
		if (out->supervised)
			return 0;
	}
	return pid;
}

static bool is_gone(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

/*
 * A parent may end in the course of a walk, and its number be given to a process that has nothing
 * to do with it. If a second walk goes the same way, each was the parent of the one before it all
 * the time: nobody gets back a parent that it has lost.
 */
int peer_check(pid_t pid, int pidfd)
{
	struct chain one, two;
	int ret = -EAGAIN;

	if (pid <= 0)
		return -EACCES;
	for (int i = 0; i < TRIES; i++) {
		ret = walk(pid, &one);
		if (!ret && one.supervised)
			return -EPERM;
		if (!ret)
			ret = walk(pid, &two);
		if (!ret && one.n == two.n && !memcmp(one.pid, two.pid, one.n * sizeof(pid_t)))
			return two.supervised ? -EPERM : is_gone(pidfd) ? -ESRCH : 0;
		if (is_gone(pidfd))
			return -ESRCH;
	}
	return -EACCES;
}
