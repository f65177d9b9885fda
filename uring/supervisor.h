/* SPDX-License-Identifier: MIT */
/*
 * The supervisor process: launches the command, runs the loop until the command
 * has ended, ends what it left behind.
 */
#ifndef SANDTOP_URING_SUPERVISOR_H
#define SANDTOP_URING_SUPERVISOR_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/launch.h"
#include "policy/policy.h"
#include "uring/dns.h"
#include "uring/report.h"

/* What guardian and supervisor say to each other, one packet each. */
enum guard_kind {
	GUARD_SIGNAL,  /* to the supervisor: forward signal `value` to the command */
	GUARD_STOPPED, /* to the guardian: the command was stopped by signal `value` */
	GUARD_DONE,    /* to the guardian: the run is over, exit with `value` */
};

/* The guardian's signal that a system call of the supervisor's takes too long. */
enum { GUARD_INTERRUPT = SIGALRM };

struct guard_message {
	enum guard_kind kind;
	int value;
};

struct supervisor_config {
	struct launch_config launch;
	const char *name; /* of the sandbox */
	const struct policy *policy;
	const char *profile; /* name or file of the profile it has, or NULL */
	struct report_config report;
	const char *metrics_path; /* of --metrics-file, absolute, or NULL */
	unsigned max_connections; /* 0 = no limit */
	struct mirror *mirror;    /* with DNS servers in it, or NULL */
	int dns_server[DNS_SERVERS];
	bool stats;              /* print them at the end */
	bool linger;             /* stay until the last task ends */
	uint64_t timeout;        /* nanoseconds, 0 = none */
	_Atomic uint64_t *pulse; /* see struct loop; shared with the guardian */
	int guardian;            /* SOCK_SEQPACKET to the guardian; its end means that it is gone */
};

struct supervisor_result {
	int status;      /* what sandtop exits with */
	int signal;      /* what killed the command, or 0 */
	bool by_command; /* the command ended the run itself */
	/* When the run could not begin: what failed, and the positive errno. */
	const char *failed;
	int error;
};

/*
 * Run the command. To be called in a process of its own, whose signal dispositions, descriptors
 * and working directory it changes. Everything in `config` must outlive the call.
 */
struct supervisor_result supervisor_run(const struct supervisor_config *config);

#endif
