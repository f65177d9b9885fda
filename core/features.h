/* SPDX-License-Identifier: MIT */
/*
 * What sandtop needs of the running kernel, whether it is there, and what to
 * do when it is not. A feature that the kernel lacks is told from one that
 * something forbids: a sysctl, a boot parameter, a container's seccomp profile.
 */
#ifndef SANDTOP_CORE_FEATURES_H
#define SANDTOP_CORE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

enum feature {
	FEATURE_PROC,
	FEATURE_NOTIFY,
	FEATURE_WAIT_KILLABLE,
	FEATURE_SYNC_WAKE_UP,
	FEATURE_PIDFD_THREAD,
	FEATURE_PIDFD_GETFD,
	FEATURE_READ_MEMORY,
	FEATURE_IO_URING,
	FEATURE_LANDLOCK_TCP,
	FEATURE_LANDLOCK_SCOPE,
	FEATURE_USER_NAMESPACE,
	FEATURE_PING,
	FEATURE_COUNT,
};

enum feature_state {
	FEATURE_OK,
	FEATURE_MISSING, /* the kernel has no such thing */
	FEATURE_BLOCKED, /* it has, but something forbids it here */
};

struct feature_result {
	enum feature_state state;
	const char *name; /* a word, static */
	bool needed;      /* without it sandtop does not start */
	char remedy[384]; /* what to do about it, one line; empty with FEATURE_OK */
};

/*
 * Try every feature. Starts and reaps short-lived child processes, so the
 * caller must not reap children of its own meanwhile.
 */
void features_probe(struct feature_result out[static FEATURE_COUNT]);

/* Whether a needed feature is not FEATURE_OK. */
bool features_required_missing(const struct feature_result results[static FEATURE_COUNT]);

/*
 * Say in `buf` what to do when the use of `feature` failed with `err`, a
 * positive errno. May read /proc/sys, tries nothing. Always writes one line
 * without a newline, cut to `size`. Returns the state that `err` stands for.
 */
enum feature_state features_explain(enum feature feature, int err, char *buf, size_t size);

/*
 * What to do about it, by the words of a step of the start ("set up
 * io_uring"), and nothing of what a run is like without it: returns false, with `buf` untouched, if
 * the step hangs on no feature.
 */
bool features_explain_step(const char *step, int err, char *buf, size_t size);

#endif
