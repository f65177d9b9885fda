/* SPDX-License-Identifier: MIT */
/*
 * Acting as a task: with its user, its groups and those of our capabilities that
 * it has itself.
 *
 * For the time of one system call on behalf the kernel sees in this thread who
 * asks: permissions of paths are the task's (its fsuid, fsgid and groups), and
 * SO_PEERCRED shows its user and group. The real user stays ours, so that the
 * task can no more signal or trace us than before. Where the supervisor cannot
 * become the task (it is not root, or the task's ids are unusual), it does not
 * act at all.
 */
#ifndef SANDTOP_CORE_IDENTITY_H
#define SANDTOP_CORE_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/caps.h"
#include "core/task.h"

struct identity {
	const struct caps *caps;
	uid_t uid, euid;
	gid_t gid, egid;
	unsigned ngroups;
	gid_t groups[TASK_GROUPS_MAX];
	bool switched;      /* the user and groups are a task's at the moment */
	bool raised;        /* the capabilities are */
	uint64_t effective; /* those that we have at the moment */
};

/* Who we are. `caps` must outlive it. Returns 0, -errno, or -E2BIG for more groups than fit. */
int identity_init(struct identity *id, const struct caps *caps);

/*
 * Become the task `tid`, until identity_drop(), which must follow also after a failure. The caller
 * then checks that `tid` still is the task that it means. Returns 0, -ESRCH, or -EACCES when that
 * cannot be.
 */
int identity_take(struct identity *id, pid_t tid);
void identity_drop(struct identity *id);

/*
 * Be able to name any user and group in SCM_CREDENTIALS, until identity_drop(). Returns whether
 * that is possible.
 */
bool identity_vouch(struct identity *id);

/* Whether taking the task's identity can change anything at all: else it need not be tried. */
static inline bool identity_matters(const struct identity *id)
{
	return caps_any(id->caps);
}

/*
 * Whether a peer would see the same user in us as in the task: what is sent carries the real user
 * and group (unix(7), SCM_CREDENTIALS).
 */
bool identity_is_ours(const struct identity *id, const struct task_ids *ids);

#endif
