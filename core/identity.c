/* SPDX-License-Identifier: MIT */
/*
 * The system calls are made directly: the C library's would change every thread of the process,
 * and the identity is one thread's.
 */
#include "core/identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_LOST = 125 };

#define UNCHANGED ((uid_t)-1)

int identity_init(struct identity *id, const struct caps *caps)
{
	int n = getgroups(TASK_GROUPS_MAX, id->groups);

	if (n < 0)
		return errno == EINVAL ? -E2BIG : -errno;
	id->caps = caps;
	id->uid = getuid();
	id->euid = geteuid();
	id->gid = getgid();
	id->egid = getegid();
	id->switched = id->raised = false;
	id->ngroups = (unsigned)n;
	id->effective = caps->base;
	return 0;
}

static bool same_groups(const struct identity *id, const struct task_status *task)
{
	return id->ngroups == task->ngroups &&
	       memcmp(id->groups, task->groups, id->ngroups * sizeof(gid_t)) == 0;
}

static bool is_us(const struct identity *id, const struct task_status *task)
{
	return task->fsuid == id->euid && task->fsgid == id->egid && task->euid == id->euid &&
	       task->egid == id->egid && same_groups(id, task);
}

static int set_user(uid_t euid, gid_t egid, unsigned ngroups, const gid_t *groups)
{
	if (syscall(SYS_setgroups, (size_t)ngroups, groups) ||
	    syscall(SYS_setresgid, UNCHANGED, egid, UNCHANGED) ||
	    syscall(SYS_setresuid, UNCHANGED, euid, UNCHANGED))
		return -errno;
	return 0;
}

static bool have(struct identity *id, uint64_t effective)
{
	if (!caps_set(id->caps, effective))
		return false;
	id->raised = true;
	id->effective = effective;
	return true;
}

bool identity_vouch(struct identity *id)
{
	return have(id, id->effective | CAPS_SWITCH);
}

static int switch_user(struct identity *id, const struct task_status *task)
{
	/* fsuid and fsgid follow euid and egid: a task that has set them apart is not served. */
	if (task->fsuid != task->euid || task->fsgid != task->egid ||
	    task->ngroups > TASK_GROUPS_MAX)
		return -EACCES;
	if (!have(id, CAPS_SWITCH))
		return -EACCES;
	id->switched = true;
	return set_user(task->euid, task->egid, task->ngroups, task->groups) ? -EACCES : 0;
}

int identity_take(struct identity *id, pid_t tid)
{
	struct task_status task;
	int ret = task_status(tid, &task);

	if (ret)
		return ret == -ESRCH ? ret : -EACCES;
	if (!is_us(id, &task))
		ret = switch_user(id, &task);
	if (ret || !identity_matters(id))
		return ret;
	return have(id, caps_of_task(id->caps, tid, &task)) ? 0 : -EACCES;
}

void identity_drop(struct identity *id)
{
	/* Never go on as somebody else, or with more rights than intended. */
	if (id->switched && (!caps_set(id->caps, CAPS_SWITCH) ||
			     set_user(id->euid, id->egid, id->ngroups, id->groups)))
		_exit(EXIT_LOST);
	if (id->raised)
		caps_drop(id->caps);
	id->switched = id->raised = false;
	id->effective = id->caps->base;
}

bool identity_is_ours(const struct identity *id, const struct task_ids *ids)
{
	return ids->uid == id->uid && ids->gid == id->gid;
}
