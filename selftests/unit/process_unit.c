/* SPDX-License-Identifier: MIT */
#include "core/process.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct processes processes;

Test(process, a_thread_is_known_by_its_number)
{
	const struct process *p = process_find(&processes, getpid(), 1);

	cr_assert_eq(p->tid, getpid());
	cr_assert_eq(p->pid, getpid());
	cr_assert_not_null(strstr(p->exe, "process_unit"));
}

Test(process, what_is_known_is_looked_up_again_after_a_while)
{
	uint64_t now = 1000 * (uint64_t)PROCESS_FRESH;
	const struct process *p;

	cr_assert_eq(prctl(PR_SET_NAME, "first"), 0);
	p = process_find(&processes, getpid(), now);
	cr_assert_str_eq(p->comm, "first");
	cr_assert_eq(prctl(PR_SET_NAME, "second"), 0);
	p = process_find(&processes, getpid(), now + PROCESS_FRESH);
	cr_assert_str_eq(p->comm, "first");
	p = process_find(&processes, getpid(), now + PROCESS_FRESH + 1);
	cr_assert_str_eq(p->comm, "second");
	/* The clock was set back. */
	cr_assert_eq(prctl(PR_SET_NAME, "third"), 0);
	p = process_find(&processes, getpid(), now);
	cr_assert_str_eq(p->comm, "third");
}

Test(process, a_thread_that_is_gone_is_its_own_process_without_a_name)
{
	const struct process *p = process_find(&processes, 0x7fffffff, 1);

	cr_assert_eq(p->pid, 0x7fffffff);
	cr_assert_str_eq(p->comm, "?");
	cr_assert_str_empty(p->exe);
}

Test(process, threads_that_share_a_place_are_told_apart)
{
	const struct process *p = process_find(&processes, getpid(), 1);

	cr_assert_eq(p->pid, getpid());
	p = process_find(&processes, getpid() + PROCESSES_KNOWN * 100000, 1);
	cr_assert_neq(p->pid, getpid());
	p = process_find(&processes, getpid(), 1);
	cr_assert_eq(p->pid, getpid());
}
