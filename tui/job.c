/* SPDX-License-Identifier: MIT */
#include "tui/job.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static void only(sigset_t *set, int sig)
{
	sigemptyset(set);
	sigaddset(set, sig);
}

bool job_stop(void)
{
	static const struct timespec at_once = { 0 };
	sigset_t stop, go_on, mask;
	bool stopped;

	only(&stop, SIGTSTP);
	only(&go_on, SIGCONT);
	sigprocmask(SIG_BLOCK, &go_on, &mask);
	/*
	 * The whole process group: the shell may wait for another process of it (make run). It must
	 * be SIGTSTP, by which the kernel stops no group that is orphaned, as nobody would continue
	 * it (setpgid(2)).
	 */
	kill(0, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	/* A signal to stop takes away a SIGCONT that waits: this one came later. */
	stopped = sigtimedwait(&go_on, NULL, &at_once) == SIGCONT;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return stopped;
}
