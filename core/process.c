/* SPDX-License-Identifier: MIT */
#include "core/process.h"

#include <limits.h>
#include <string.h>

#include "core/task.h"

static void look_up(struct process *p, pid_t tid, uint64_t now)
{
	pid_t pid = task_tgid(tid);
	char exe[PATH_MAX];

	p->when = now;
	p->tid = tid;
	p->pid = pid < 0 ? tid : pid;
	task_comm(tid, p->comm);
	if (task_exe(tid, exe, sizeof(exe)))
		exe[0] = '\0';
	memcpy(p->exe, exe, strnlen(exe, sizeof(p->exe) - 1) + 1);
	p->exe[sizeof(p->exe) - 1] = '\0';
}

const struct process *process_find(struct processes *p, pid_t tid, uint64_t now)
{
	struct process *slot = &p->slot[(unsigned)tid % PROCESSES_KNOWN];

	/* A clock that was set back makes a huge difference, too. */
	if (slot->tid != tid || now - slot->when > PROCESS_FRESH)
		look_up(slot, tid, now);
	return slot;
}
