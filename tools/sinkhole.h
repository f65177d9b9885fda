/* SPDX-License-Identifier: MIT */
/*
 * The mirror with the sinkhole's sockets, where a policy needs it and the host permits it.
 */
#ifndef SANDTOP_TOOLS_SINKHOLE_H
#define SANDTOP_TOOLS_SINKHOLE_H

#include "core/mirror.h"
#include "policy/policy.h"
#include "uring/dns.h"

struct sinkhole {
	bool open;
	struct mirror mirror;
	int server[DNS_SERVERS];
};

/*
 * Open what the policy of the draft needs, and tell the draft. Where the host forbids it the user
 * is told what that costs, and it stays closed. Returns 0, or an exit status with the user told.
 */
int sinkhole_open(struct sinkhole *s, struct draft *d);

/* For a process that does not serve it, or is about to end. */
void sinkhole_close(struct sinkhole *s);

#endif
