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

/*
 * What /etc/hosts says of the names that a policy's rules are about, a bounded part at a time: to
 * be bound before it is the live one. What it needs of a name server is asked for within seconds.
 */
enum { DNS_KNOWN = 256 };

struct dns_known {
	size_t n; /* of this part */
	struct {
		const char *name; /* as long as the sinkhole */
		struct addr addr;
	} binding[DNS_KNOWN];
	size_t at; /* where to go on; 0 at first */
	bool more;
};

/* The next part. Changes nothing in `d`, so it may be called beside the loop. */
void dns_find_known(const struct dns *d, const struct policy *policy, struct dns_known *known);

/* Returns 0 or -ENOMEM. */
int dns_bind_known(struct dns *d, const struct dns_known *known);

/* Open the servers' sockets in the mirror. Returns 0, or -errno with none open. */
int dns_serve(struct mirror *m, int server[static DNS_SERVERS]);

/* Say that thread `tid` talks to the sinkhole from this port, so that its questions can name it. */
void dns_note_asker(struct dns *d, enum proto proto, uint16_t port, pid_t tid);

#endif
