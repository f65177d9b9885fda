/* SPDX-License-Identifier: MIT */
/*
 * The monitor: shows a running sandbox on a terminal, and lets the operator
 * change its policy. It is a client of the control socket like any other: that
 * it runs, waits or dies makes no difference to the sandbox.
 */
#ifndef SANDTOP_TUI_MONITOR_H
#define SANDTOP_TUI_MONITOR_H

#include <stdbool.h>

struct monitor_config {
	int control; /* connected, see control_connect(); the caller's, and only used here */
	int tty_in, tty_out; /* the operator's terminal; the caller's */
	int messages;  /* a pipe with lines to show in Log, or -1; taken over, also on failure */
	bool attached; /* it is not where the run was started */
	bool no_mouse; /* begin with the mouse left to the terminal */
	bool hold;     /* stay when the command has ended, until the operator leaves */
};

enum monitor_end {
	MONITOR_EXITED,   /* the command has ended */
	MONITOR_DETACHED, /* the operator has left, or a signal asked this process to end */
	MONITOR_KILLED,   /* the command has ended because the operator wanted it to */
	MONITOR_LOST,     /* the sandbox went without saying how the command had ended */
};

struct monitor_result {
	enum monitor_end end;
	int status;      /* EXITED, KILLED: what sandtop exits with */
	bool by_sandtop; /* EXITED, KILLED: it was not the command that ended the run */
	int signal;      /* DETACHED: what ended it, 0 for the operator */
	char error[512]; /* of a failure: one line without a newline */
};

/*
 * Run it to its end: the terminal is taken over and given back, and what the command had written is
 * printed on it when the command has ended. Signals that end a process, SIGWINCH and SIGTSTP are
 * blocked and read meanwhile. Returns 0; or -errno with out->error, in which case nothing was
 * shown.
 */
int monitor_run(const struct monitor_config *config, struct monitor_result *out);

#endif
