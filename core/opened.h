/* SPDX-License-Identifier: MIT */
/*
 * The TCP and UDP sockets that the sandbox has open, with what went through
 * them.
 *
 * The kernel is asked from time to time, beside the loop: which sockets the
 * tasks have (/proc) and what it knows of each (sock_diag(7)). No system call of
 * the command pays for it, and none of its sockets is touched.
 */
#ifndef SANDTOP_CORE_OPENED_H
#define SANDTOP_CORE_OPENED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outbound.h"
#include "policy/endpoint.h"

enum { OPENED_MAX = 4096 }; /* sockets of a list; the others are only counted */

struct opened {
	uint64_t cookie; /* SO_COOKIE: never used twice */
	uint8_t proto;   /* PROTO_TCP or PROTO_UDP */
	uint8_t state;   /* TCP_ESTABLISHED, ... also of UDP */
	bool outbound;   /* the command has connected it; else it was accepted, or has no peer */
	bool has_bytes;  /* TCP */
	uint64_t in, out;
	struct addr local, peer; /* no peer: family 0 */
	uint16_t local_port, peer_port;
	int32_t pid; /* of one of the tasks that have it */
	char comm[16];
};

struct opened_list {
	struct opened *v; /* to be freed */
	size_t n;
	size_t more;     /* that there was no room for */
	unsigned unseen; /* tasks that cannot be looked into */
};

/*
 * Look. Sockets that sandtop was started with, as standard descriptors, are not in it, and neither
 * are those in another network namespace. It takes milliseconds and is not for the loop's thread.
 * Returns 0 with *out to be freed, or -errno.
 */
int opened_look(const struct outbound *o, struct opened_list *out);

/* The list as the control protocol has it, to be freed; NULL for want of memory. */
char *opened_text(const struct opened_list *l);

/* Read that. Returns 0 with *out to be freed, -EBADMSG, or -ENOMEM. */
int opened_parse(const char *text, size_t len, struct opened_list *out);

/* Shut the socket of that cookie. Returns 0, -ENOENT when the sandbox does not have it, or -errno.
 */
int opened_shut(uint64_t cookie);

/* "established", "listen", ...; of UDP "open", or "bound" without a peer. */
const char *opened_state(const struct opened *o);

#endif
