/* SPDX-License-Identifier: MIT */
/*
 * Who a thread is: its process, its name, its executable, with a memory of the
 * ones that were looked up lately. Looking up costs several system calls, as
 * much as a whole request.
 */
#ifndef SANDTOP_CORE_PROCESS_H
#define SANDTOP_CORE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum {
	PROCESSES_KNOWN = 256,
	PROCESS_EXE_MAX = 256,
	/*
	 * Nanoseconds that what was looked up is taken for true. A thread that executes another
	 * program keeps its number.
	 */
	PROCESS_FRESH = 200000000,
};

struct process {
	uint64_t when; /* CLOCK_REALTIME, ns */
	pid_t tid;     /* 0: nobody */
	pid_t pid;     /* thread group */
	char comm[16];
	char exe[PROCESS_EXE_MAX]; /* cut; empty if it cannot be read */
};

/* Zeroed is empty. */
struct processes {
	struct process slot[PROCESSES_KNOWN];
};

/* Who `tid` is, as of at most PROCESS_FRESH before `now`; valid until the next call. */
const struct process *process_find(struct processes *p, pid_t tid, uint64_t now);

#endif
