/* SPDX-License-Identifier: MIT */
/*
 * The sinkhole: the name server that answers the sandbox.
 *
 * Its sockets are in the mirror (core/mirror.h), so that a task reaches it under every address. It
 * asks the real name servers only for names that the policy has a use for, and tells the policy
 * which addresses it has answered for which name.
 */
#ifndef SANDTOP_URING_DNS_H
#define SANDTOP_URING_DNS_H

#include <sys/types.h>

#include "core/mirror.h"
#include "uring/engine.h"
#include "uring/upstream.h"

enum {
	DNS_SERVERS = 4,      /* sockets: IPv4 and IPv6, datagram and stream */
	DNS_QUESTIONS = 256,  /* under way */
	DNS_CONNECTIONS = 64, /* of tasks, over TCP */
	DNS_EVENTS = DNS_SERVERS + DNS_CONNECTIONS + UPSTREAM_EVENTS + 1, /* and a timer */
};

struct dns;

struct dns_config {
	/* From mirror_serve() on port 53, or -1; the sinkhole's from now on, also if it cannot
	 * start. */
	int server[DNS_SERVERS];
	struct engine *engine; /* for the live policy and the names */
	struct loop *loop;
	struct stats *stats;
	struct report *report;
};

/* Begin to serve. Everything in *config must outlive it. Returns 0, -ENOMEM, -EIO or -EBUSY. */
int dns_new(const struct dns_config *config, struct dns **out);
void dns_free(struct dns *d); /* NULL is fine */

/* The live policy is another one. What it needs of a name server is asked for within seconds. */
void dns_policy_changed(struct dns *d); /* NULL is fine */

/* Open the servers' sockets in the mirror. Returns 0, or -errno with none open. */
int dns_serve(struct mirror *m, int server[static DNS_SERVERS]);

/* Say that thread `tid` talks to the sinkhole from this port, so that its questions can name it. */
void dns_note_asker(struct dns *d, enum proto proto, uint16_t port, pid_t tid);

#endif
