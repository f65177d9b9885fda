/* SPDX-License-Identifier: MIT */
#include "core/reap.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/procstat.h"

struct process {
	pid_t pid;
	struct procstat stat;
	enum { UNKNOWN, OURS, OTHERS } whose;
};

/* Every process there is. Returns how many, with *out to be freed, or -errno. */
static int snapshot(struct process **out)
{
	struct process *list = NULL;
	size_t count = 0, room = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		if (count == room) {
			struct process *more =
				realloc(list, (room = room * 2 + 256) * sizeof(*list));

			if (!more) {
				free(list);
				closedir(dir);
				return -ENOMEM;
			}
			list = more;
		}
		list[count].pid = pid;
		list[count].whose = UNKNOWN;
		if (procstat_read(pid, &list[count].stat) == 0)
			count++;
	}
	closedir(dir);
	*out = list;
	return (int)count;
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct process *)a)->pid - ((const struct process *)b)->pid;
}

static struct process *find(struct process *list, int count, pid_t pid)
{
	struct process key = { .pid = pid };

	return bsearch(&key, list, (size_t)count, sizeof(key), by_pid);
}

/*
 * `list` holds our own process, marked OURS. What a walk finds out holds for all on its way, or
 * many ancestors would make many long walks. A chain that goes round (the list is not one moment's)
 * is cut.
 */
static int is_descendant(struct process *list, int count, struct process *p)
{
	struct process *at = p;
	int whose;

	for (; at && at->whose == UNKNOWN; at = find(list, count, at->stat.parent))
		at->whose = OTHERS;
	whose = at ? at->whose : OTHERS;
	for (at = p; whose == OURS && at->whose == OTHERS; at = find(list, count, at->stat.parent))
		at->whose = OURS;
	return whose == OURS;
}

static bool is_dead(const struct process *p)
{
	return p->stat.state == 'Z' && p->stat.threads <= 1;
}

/* As reap_descendants(); those in uninterruptible sleep are counted too. */
static int descendants(pid_t *out, size_t max, int *stuck)
{
	struct process *list = NULL;
	pid_t self = getpid();
	size_t found = 0;
	int count = snapshot(&list);

	*stuck = 0;

	if (count < 0)
		return count;
	qsort(list, (size_t)count, sizeof(*list), by_pid);
	if (find(list, count, self))
		find(list, count, self)->whose = OURS;
	for (int i = 0; i < count; i++) {
		if (list[i].pid == self || is_dead(&list[i]) ||
		    !is_descendant(list, count, &list[i]))
			continue;
		if (found < max)
			out[found] = list[i].pid;
		found++;
		*stuck += list[i].stat.state == 'D';
	}
	free(list);
	return (int)found;
}

int reap_descendants(pid_t *out, size_t max)
{
	int stuck;

	return descendants(out, max, &stuck);
}

/* All that is left sleeps uninterruptibly, for so long. */
enum { STUCK_S = 3 };

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

int reap_kill_all(void)
{
	/* A pass can miss what is being forked; the next one finds it. */
	static const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	pid_t pids[4096];
	sigset_t chld;
	time_t stuck_since = 0;
	int stuck;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		pid_t pid;
		int n;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return 0;
		n = descendants(pids, sizeof(pids) / sizeof(pids[0]), &stuck);
		for (int i = 0; i < n && i < (int)(sizeof(pids) / sizeof(pids[0])); i++)
			kill(pids[i], SIGKILL);
		if (n <= 0 || stuck < n)
			stuck_since = 0;
		else if (!stuck_since)
			stuck_since = now();
		else if (now() - stuck_since > STUCK_S)
			return n;
		sigtimedwait(&chld, NULL, &pause);
	}
}
