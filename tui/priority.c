/* SPDX-License-Identifier: MIT */
#include "tui/priority.h"

/* Not <sched.h>, which defines struct sched_param as well. */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MILLISECOND 1000000

/* About how long a key may have to wait on a machine that is busy. */
enum { SLICE = 20 };

void priority_give_way(void)
{
	/*
	 * SCHED_BATCH: whoever wakes as one takes the processor from nobody (sched(7)). A slice
	 * that is longer than the usual 1 to 3 ms: whoever wakes with a shorter one takes it from
	 * this process (PREEMPT_SHORT in kernel/sched/features.h, since Linux 6.12, which also
	 * reads sched_runtime here). Nice values would not do: the monitor is in another session,
	 * and with autogroups (sched(7)) they count within a session only.
	 */
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_BATCH,
		.sched_nice = getpriority(PRIO_PROCESS, 0),
		.sched_runtime = SLICE * MILLISECOND,
	};

	/* Where that is refused the monitor works as well. */
	syscall(SYS_sched_setattr, 0, &attr, 0);
}
