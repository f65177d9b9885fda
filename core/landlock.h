/* SPDX-License-Identifier: MIT */
/*
 * The Landlock domain behind the filter: no TCP connect or bind of the task's
 * own, no abstract UNIX socket and no signal to anything outside the sandbox.
 * See landlock(7).
 */
#ifndef SANDTOP_CORE_LANDLOCK_H
#define SANDTOP_CORE_LANDLOCK_H

#include "policy/ports.h"

/* What a kernel's Landlock cannot do for us: a set of bits. */
enum landlock_gap {
	LANDLOCK_GAP_TCP = 1 << 0,   /* connect(2) and bind(2) of TCP, ABI 4, Linux 6.7 */
	LANDLOCK_GAP_SCOPE = 1 << 1, /* abstract UNIX sockets and signals, ABI 6, Linux 6.12 */
};

/*
 * The ABI version of the running kernel, from 1; -ENOSYS when the kernel was
 * built without Landlock (or a container's seccomp profile says so),
 * -EOPNOTSUPP when it was disabled at boot, -EPERM when it is forbidden.
 */
int landlock_abi(void);

/* The gaps of `abi` (as landlock_abi() returned it): 0 when nothing is missing. */
unsigned int landlock_gaps(int abi);

/*
 * Make the ruleset that `abi` (as landlock_abi() returned it) can enforce: TCP connect to the ports
 * in `connect` and bind to those in `bind` only; NULL is no port at all.
 * Returns a close-on-exec descriptor that the caller owns; -EOPNOTSUPP when
 * `abi` can enforce none of it (landlock_gaps() has every bit);
 * -EMFILE, -ENFILE, -ENOMEM.
 */
int landlock_prepare(int abi, const struct port_set *connect, const struct port_set *bind);

/*
 * Put the calling thread, and what it will fork, under the ruleset for good.
 * The thread must have PR_SET_NO_NEW_PRIVS. Only makes a system call, so it
 * may be called after fork() of a threaded program. The descriptor stays open.
 * Returns 0; -EPERM without NO_NEW_PRIVS; -E2BIG with 16 domains on top of
 * each other already.
 */
int landlock_enforce(int ruleset);

#endif
