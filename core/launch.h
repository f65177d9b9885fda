/* SPDX-License-Identifier: MIT */
/*
 * Starting the command inside its cage.
 *
 * The child prepares itself in a fixed order (Documentation/architecture.rst): terminal,
 * descriptors, parent death signal, NO_NEW_PRIVS, capabilities, Landlock, seccomp filter; hands the
 * filter's listener to its parent, waits for "go" and executes the command. A step that fails is
 * reported by name and nothing runs.
 */
#ifndef SANDTOP_CORE_LAUNCH_H
#define SANDTOP_CORE_LAUNCH_H

#include <linux/filter.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct launch_config {
	char *const *argv; /* argv[0] is searched in PATH */
	char *const *envp;
	struct sock_fprog filter;
	bool listen;        /* the filter notifies: take its listener */
	int landlock;       /* ruleset descriptor, or -1 for none */
	const int *keep_fd; /* descriptors above 2 that the command inherits */
	size_t nkeep;
	/*
	 * The terminal side of a pseudo-terminal, which a new session gets as its controlling
	 * terminal; -1: the command stays in the session and process group of its parent.
	 */
	int terminal;
	unsigned terminal_fds; /* bit N: descriptor N (0 to 2) becomes the terminal */
	sigset_t sigmask;      /* the command's signal mask */
	sigset_t ignored; /* the signals it finds ignored; all others have their default action */
	struct rlimit nofile; /* its RLIMIT_NOFILE */
};

/* The steps of the child; launch_step_name() has the words for people. */
enum launch_step {
	LAUNCH_FORK,
	LAUNCH_TERMINAL,
	LAUNCH_DESCRIPTORS,
	LAUNCH_PDEATHSIG,
	LAUNCH_NO_NEW_PRIVS,
	LAUNCH_CAPABILITIES,
	LAUNCH_LANDLOCK,
	LAUNCH_FILTER,
	LAUNCH_LISTENER,
	LAUNCH_EXEC,
	LAUNCH_STEP_COUNT,
};

const char *launch_step_name(enum launch_step step);

struct launch {
	pid_t pid;
	int pidfd;    /* of the command's first process */
	int listener; /* the filter's notification descriptor, or -1 */
	int channel;  /* to the child: readable once its exec has succeeded or failed */
	/* The child's, until then. */
	struct launch_config config;
	pid_t parent;
	int child_channel;
};

/* Where a launch failed: `error` is a positive errno. */
struct launch_failure {
	enum launch_step step;
	int error;
};

/*
 * Make a child and take it to the point just before exec. The descriptors in *out belong to the
 * caller. *out and what *config points to must stay as they are until launch_exec_result(): the
 * child reads them where they are. Must be called by the thread that stays: the child dies with it.
 * Returns 0, or -1 with *failure filled; then no child is left.
 */
int launch_prepare(const struct launch_config *config, struct launch *out,
		   struct launch_failure *failure);

/*
 * Let the child execute the command. From here on until launch.channel is readable the calling
 * thread must not rely on errno, which a failing exec changes: it is to wait for that, and then to
 * call launch_exec_result().
 * Returns 0 or -errno.
 */
int launch_go(struct launch *l);

/*
 * Call when launch.channel is readable: closes it. Returns 0 when the command runs, or the
 * positive errno with which its exec failed.
 */
int launch_exec_result(struct launch *l);

/*
 * For a run without a supervisor: confine this very process and execute the command in it. Returns
 * only when that fails, with *failure filled; the process is then to end.
 */
void launch_here(const struct launch_config *config, struct launch_failure *failure);

#endif
