/* SPDX-License-Identifier: MIT */
/*
 * The front of a monitored run: the process that the user started, which owns
 * the terminal. It starts the guardian in a session of its own, then the
 * monitor, and waits for both. Whatever becomes of the monitor, the terminal is
 * given back as it was and the run goes on.
 */
#ifndef SANDTOP_TOOLS_FRONT_H
#define SANDTOP_TOOLS_FRONT_H

#include "uring/supervisor.h"

/*
 * Runs the guardian, for a command that has such a terminal; returns the exit status. Called in a
 * process of its own, whose stderr is seen when it fits.
 */
typedef int front_run_fn(void *arg, const struct supervisor_terminal *terminal);

struct front_config {
	int in, out;      /* the operator's terminal; the caller's */
	const char *name; /* of the sandbox */
	bool hold;        /* the monitor stays when the command has ended */
	bool no_mouse;    /* see struct monitor_config */
};

/*
 * Run `run`, which makes the control socket of that name, with a monitor on the terminal.
 * Returns the exit status: 0 also when the operator has detached, and 129 when the terminal was
 * hung up; the run then goes on.
 */
int front_run(const struct front_config *config, front_run_fn *run, void *arg);

/* Describe the terminal that the monitor is to a command, in the environment. Returns 0, -errno. */
int front_environment(void);

#endif
