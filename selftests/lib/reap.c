/* SPDX-License-Identifier: MIT */
#include "selftests/lib/reap.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int reap_init(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

/* The parent of process `pid`, or -1 if there is no such process any more. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[512];
	const char *after;
	FILE *file;
	pid_t ppid = -1;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	/* proc_pid_stat(5): PID (COMM) STATE PPID; COMM may hold anything, also ")". */
	if (fgets(text, sizeof(text), file)) {
		after = strrchr(text, ')');
		if (!after || sscanf(after, ") %*c %d", &ppid) != 1)
			ppid = -1;
	}
	fclose(file);
	return ppid;
}

static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    parent_of(entry->d_name) == getpid())
			kill(atoi(entry->d_name), SIGKILL);
	closedir(proc);
}

/*
 * A child that dies hands its own children to us, so each round reaches one
 * generation further down.
 */
void reap_all(void)
{
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
		if (pid > 0 || (pid < 0 && errno == EINTR))
			continue;
		if (pid < 0)
			return;
		kill_children();
		while (waitpid(-1, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
}
