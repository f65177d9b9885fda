/* SPDX-License-Identifier: MIT */
#include "core/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Written by tools/filters: arrays of instructions. */
#include "filter_programs.h"

#define PROGRAM(array)                                                                             \
	{                                                                                          \
		.len = sizeof(array) / sizeof((array)[0]),                                         \
		.filter = (struct sock_filter *)(array),                                           \
	}

struct sock_fprog filter_of(enum plan_mode mode)
{
	static const struct sock_fprog program[PLAN_MODES] = {
		[PLAN_SUPERVISED] = PROGRAM(filter_supervised),
		[PLAN_STATIC] = PROGRAM(filter_static),
	};

	return program[mode];
}

int filter_confine_supervisor(void)
{
	const struct sock_fprog program = PROGRAM(filter_own);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return -errno;
	return 0;
}
