/* SPDX-License-Identifier: MIT */
/*
 * Calls without a socket, which the kernel runs itself once they were seen. What
 * was looked at is in registers: nobody can change it in between, as a task that
 * waits for an answer is in no stop of ptrace(2).
 */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "core/notif.h"
#include "core/task.h"
#include "uring/call.h"
#include "uring/engine.h"

/*
 * A process that shares its descriptors with another without being its thread. Only
 * unix_may_continue() relies on descriptor tables being private, and from now on it does not.
 */
void clone_begin(struct engine *e, struct call *c, int res)
{
	(void)res;
	e->shares_tables = true;
	call_continue(e, c);
}

/*
 * Whether `number` is the calling thread or its process, in its own PID namespace, where the kernel
 * looks the number up. These two belong to the caller as long as it lives; any other number, also
 * that of a thread beside it, may be free and someone else's by the time that the call is made.
 */
static bool is_own(struct engine *e, struct call *c, pid_t number)
{
	struct task_numbers own;

	if (task_numbers(c->n.tid, &own) || !notif_valid(e->listener, c->n.id))
		return false;
	return number == own.thread || number == own.process;
}

/*
 * Whether a sched_setscheduler(2) asks for what is so already: the ordinary policy, for a thread
 * beside the caller. pthread_create(3) with PTHREAD_EXPLICIT_SCHED makes that call, and gives up
 * when it fails. Only where the caller's numbers are ours, too.
 */
static bool changes_nothing(struct engine *e, struct call *c, pid_t number)
{
	struct sched_param param;
	struct task_numbers own;

	return c->n.nr == SYS_sched_setscheduler && (int)c->n.args[1] == SCHED_OTHER &&
	       !task_read(c->n.tid, &param, c->n.args[2], sizeof(param)) &&
	       param.sched_priority == 0 && !task_numbers(c->n.tid, &own) &&
	       own.thread == c->n.tid && task_tgid(number) == own.process &&
	       sched_getscheduler(number) == SCHED_OTHER && notif_valid(e->listener, c->n.id);
}

/*
 * What acts on the process or thread of a number: pthread_setaffinity_np(3) names its own. That
 * nothing is to be changed is answered without a call, which could reach another by now.
 */
void reach_begin(struct engine *e, struct call *c, int res)
{
	bool is_second = c->n.nr == SYS_setpriority || c->n.nr == SYS_ioprio_set;
	pid_t number = (pid_t)c->n.args[is_second];

	(void)res;
	if (is_own(e, c, number))
		call_continue(e, c);
	else if (changes_nothing(e, c, number))
		call_finish(e, c, 0);
	else
		call_fail(e, c, EPERM);
}
