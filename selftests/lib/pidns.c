/* SPDX-License-Identifier: MIT */
#include "selftests/lib/pidns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its own since 6.14; kernel/pid_namespace.c. The least is 301. */
static const char pid_max[] = "400";

/* Who waits must hold nothing open that somebody else waits for. */
static void wait_and_exit(pid_t pid)
{
	int status;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (waitpid(pid, &status, 0) != pid)
		_exit(PIDNS_NO_PROC);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void pidns_enter(const char *options)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		_exit(PIDNS_NO_PROC);
	pid = fork();
	if (pid)
		wait_and_exit(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, options))
		_exit(PIDNS_NO_PROC);
}

void pidns_enter_small(void)
{
	int fd;

	pidns_enter(NULL);
	fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pid_max, strlen(pid_max)) < 0)
		_exit(PIDNS_NO_LIMIT);
	close(fd);
}
