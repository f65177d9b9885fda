/* SPDX-License-Identifier: MIT */
/*
 * One decision with everything that is shown of it: what a line, a JSON event
 * and a row of the flow table are made from.
 */
#ifndef SANDTOP_CORE_RECORD_H
#define SANDTOP_CORE_RECORD_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "policy/endpoint.h"

struct record {
	uint64_t seq;        /* from 1, one for each decision of this run */
	uint64_t generation; /* the snapshot that judged it */
	struct timespec ts;  /* CLOCK_REALTIME */
	struct endpoint endpoint;
	struct decision decision;
	const char *rule; /* the rule's text with REASON_RULE, else NULL; borrowed */
	const char *host; /* the name the address was learned from, or NULL; borrowed */
	pid_t pid;        /* thread group */
	pid_t tid;
	char comm[16];       /* as the kernel has it: any bytes, NUL-terminated */
	const char *exe;     /* path of the executable, or NULL if it could not be read; borrowed */
	const char *syscall; /* "connect", "sendto", ... */
	int error;           /* positive errno that the task got, 0 for success */
	uint64_t latency_ns; /* from the receipt of the notification to its answer */
	uint64_t answers;    /* seq of the ask that this decision answers, or 0 */
};

#endif
