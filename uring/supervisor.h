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
#include <sys/ioctl.h>
#include <termios.h>

#include "core/launch.h"
#include "uring/dns.h"
#include "uring/report.h"
#include "uring/snapshot.h"

/* What guardian and supervisor say to each other, one packet each. */
enum guard_kind {
	GUARD_SIGNAL,  /* to the supervisor: forward signal `value` to the command */
	GUARD_STOPPED, /* to the guardian: the command was stopped by signal `value` */
	GUARD_DONE,    /* to the guardian: the run is over, exit with `value` */
};

struct guard_message {
	enum guard_kind kind;
	int value;
};

/* The command gets a terminal of its own, and begins when the first client is attached to it. */
struct supervisor_terminal {
	struct termios settings;
	struct winsize size;
	unsigned fds; /* bit N: the command's descriptor N (0 to 2) is the terminal */
	/* A pipe: gets a FRONT_READY byte when clients are served, FRONT_BEGUN when it runs. */
	int progress;
};

enum { FRONT_READY = 'r', FRONT_BEGUN = 'b' };

struct supervisor_config {
	struct launch_config launch;
	const struct supervisor_terminal *terminal; /* NULL: it has sandtop's, as a batch run */
	const char *name;                           /* of the sandbox */
	const char *notice; /* for the user, once it is certain that the command runs; or NULL */
	struct snapshot *snapshot; /* generation 1 */
	const char *profile;       /* the absolute path of the profile it has, or NULL */
	struct report_config report;
	const char *metrics_path; /* of --metrics-file, absolute, or NULL */
	unsigned max_connections; /* 0 = no limit */
	struct learn *learn;      /* of --learn, or NULL; stays the caller's */
	struct mirror *mirror;    /* with DNS servers in it, or NULL */
	int dns_server[DNS_SERVERS];
	bool stats;              /* print them at the end */
	bool linger;             /* stay until the last task ends */
	uint64_t timeout;        /* nanoseconds, 0 = none */
	uint64_t ask_timeout;    /* nanoseconds that a question waits for its answer */
	int control;             /* listens on the control socket, or -1 */
	_Atomic uint64_t *pulse; /* see struct loop; shared with the guardian */
	int guardian; /* SOCK_SEQPACKET to the guardian; its end means that it is gone */
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
 * Run the command. To be called once, in a process of its own, whose signal dispositions,
 * descriptors and working directory it changes. Everything in `config` must outlive the call.
 */
struct supervisor_result supervisor_run(const struct supervisor_config *config);

#endif
