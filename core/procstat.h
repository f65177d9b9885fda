/* SPDX-License-Identifier: MIT */
/*
 * One process as /proc/PID/stat shows it: proc_pid_stat(5).
 */
#ifndef SANDTOP_CORE_PROCSTAT_H
#define SANDTOP_CORE_PROCSTAT_H

#include <sys/types.h>

/* TASK_COMM_LEN is 16; a kernel thread may show more (fs/proc/array.c, proc_task_name). */
enum { PROCSTAT_NAME_MAX = 64 };

struct procstat {
	char name[PROCSTAT_NAME_MAX]; /* its own choice, any bytes; a longer one is cut */
	char state;                   /* 'R', 'S', 'D', 'Z', ... */
	pid_t parent;                 /* 0 when it has none in this PID namespace */
	int threads; /* a process whose first thread has ended is in state Z, and lives */
};

/* Returns 0; -errno of open(2), -ESRCH when it has gone, -EIO when the text is not as it should be.
 */
int procstat_read(pid_t pid, struct procstat *out);

#endif
