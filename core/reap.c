/* SPDX-License-Identifier: MIT */
#include "core/reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
	pid_t pid, parent;
	char state;
};

static int read_process(pid_t pid, struct process *out)
{
	char text[512];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	at = strrchr(text, ')'); /* the name may contain anything */
	out->pid = pid;
	return at && sscanf(at + 1, " %c %d", &out->state, &out->parent) == 2 ? 0 : -EIO;
}

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
		if (read_process(pid, &list[count]) == 0)
			count++;
	}
	closedir(dir);
	*out = list;
	return (int)count;
}

static pid_t parent_of(const struct process *list, int count, pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (list[i].pid == pid)
			return list[i].parent;
	return 0;
}

static int is_descendant(const struct process *list, int count, const struct process *p, pid_t root)
{
	pid_t pid = p->parent;

	/* The list is not one moment's: a chain that goes round is cut. */
	for (int depth = 0; pid > 1 && depth < count; depth++) {
		if (pid == root)
			return 1;
		pid = parent_of(list, count, pid);
	}
	return pid == root;
}

int reap_descendants(pid_t *out, size_t max)
{
	struct process *list = NULL;
	pid_t self = getpid();
	size_t found = 0;
	int count = snapshot(&list);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (list[i].state == 'Z' || !is_descendant(list, count, &list[i], self))
			continue;
		if (found < max)
			out[found] = list[i].pid;
		found++;
	}
	free(list);
	return (int)found;
}

void reap_kill_all(void)
{
	/* A pass can miss what is being forked; the next one finds it. */
	static const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	pid_t pids[256];
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		pid_t pid;
		int n;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		n = reap_descendants(pids, sizeof(pids) / sizeof(pids[0]));
		for (int i = 0; i < n && i < (int)(sizeof(pids) / sizeof(pids[0])); i++)
			kill(pids[i], SIGKILL);
		sigtimedwait(&chld, NULL, &pause);
	}
}
