/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's own capabilities (capabilities(7)), and the command's.
 *
 * A supervisor that runs as root must not lend its power to a task that has
 * none. So it gives up for good what it will never need, and between two calls
 * on behalf it has only what looking after tasks takes. A call on behalf has
 * those capabilities that the task itself has.
 */
#ifndef SANDTOP_CORE_CAPS_H
#define SANDTOP_CORE_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CAPS_BIT(cap) (1ULL << (cap))

/* To take on the user and groups of a task, and to vouch for them. */
#define CAPS_SWITCH (CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SETGID))

struct task_status;

struct caps {
	uint64_t permitted;
	uint64_t base; /* the effective set between two calls on behalf */
};

/* Give up all but what is needed. Returns 0 or -errno. */
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

/* Which of our capabilities the task has, too; none when it is in another user namespace. */
uint64_t caps_of_task(const struct caps *c, pid_t tid, const struct task_status *task);

/* Have exactly these in the effective set, until caps_drop(). Returns whether that was possible. */
bool caps_set(const struct caps *c, uint64_t effective);
/*
 * For the command: give up for good, and for all children, what leads around a sandbox
 * (capabilities(7)): the network configured anew by requests that no filter sees (send(2) to
 * netlink, ioctl(2), tun devices), the kernel's code, other processes' memory without ptrace(2).
 * With no_new_privs no exec brings it back. System calls only. Returns 0 or -errno.
 */
int caps_cut(void);

#endif
