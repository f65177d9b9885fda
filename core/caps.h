/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's own capabilities (capabilities(7)), and the command's.
 *
 * A supervisor that runs as root must not lend its power to a task that has
 * none. So it drops from its effective set all it does not need to look after
 * tasks, and a call on behalf that the kernel then refuses is tried once more
 * with those capabilities that the task itself has.
 */
#ifndef SANDTOP_CORE_CAPS_H
#define SANDTOP_CORE_CAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct caps {
	uint64_t permitted;
	uint64_t base; /* the effective set between two calls on behalf */
};

/* Keep only what serves the supervisor itself in the effective set. Returns 0 or -errno. */
int caps_init(struct caps *c);

/* Whether there is anything to lend at all. */
static inline bool caps_any(const struct caps *c)
{
	return c->permitted != c->base;
}

/*
 * Raise those of our capabilities that the task `tid` has in its effective set; caps_drop() ends
 * it. Returns true if that is more than the base; the caller then checks that `tid` still is the
 * task that it means.
 */
bool caps_raise_as(const struct caps *c, pid_t tid);
void caps_drop(const struct caps *c);

/*
 * Give up for good, and for all children, what leads around a sandbox (capabilities(7)): the
 * network configured anew, the kernel's code, other processes' memory without ptrace(2). To be
 * followed by PR_SET_NO_NEW_PRIVS, which keeps an exec by uid 0 from bringing them back. Returns 0
 * or -errno.
 */
int caps_cut(void);

#endif
