/* SPDX-License-Identifier: MIT */
/*
 * For the scenarios of sends: a pair of datagram sockets, and what arrived.
 */
#ifndef SANDTOP_SELFTESTS_LIB_WIRE_H
#define SANDTOP_SELFTESTS_LIB_WIRE_H

#include "selftests/lib/scenario.h"

struct wire_family {
	const char *name;
	const char *to; /* as the sender writes it */
	const char *at; /* as the receiver is bound */
};

/* IPv4, IPv6 and IPv4 as IPv6 writes it, on loopback; one without a name ends them. */
extern const struct wire_family wire_families[];

/* A socket that sends, one that receives, and the receiver's name for the sender. */
struct wire {
	int out, in;
	union name to;
	socklen_t len;
};

/* `flags` are those of the sender's socket(2). Ends the program if it cannot be made. */
struct wire wire_open(const struct wire_family *f, int flags);
void wire_close(struct wire *w);

/* Say what a receiver got, which is `n` bytes or -1 with errno: its length, and its text or digest.
 */
void tell_got(const char *bytes, ssize_t n);

/* Say everything that was sent: a last datagram, from the receiver to itself, ends it. */
void wire_drain(const struct wire *w);

#endif
