/* SPDX-License-Identifier: MIT */
/*
 * What the sandbox itself listens on: the group @self of a policy.
 *
 * A socket is remembered by its cookie when it begins to listen. Whether it
 * still does, and whether a connection would reach it and no other, the kernel
 * is asked when it matters.
 */
#ifndef SANDTOP_CORE_LISTENERS_H
#define SANDTOP_CORE_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/endpoint.h"

enum { LISTENERS_MAX = 1024 }; /* the latest ones */

struct listeners {
	uint64_t cookies[LISTENERS_MAX];
	unsigned next;  /* where the next one goes */
	int diag;       /* or -1: then nothing is found */
	uint64_t netns; /* SO_NETNS_COOKIE of where that looks */
};

void listeners_init(struct listeners *l);
void listeners_exit(struct listeners *l);

/*
 * The socket, of TCP or UDP, was bound or listens. It is remembered, unless it shares its address
 * with others (SO_REUSEPORT), which may be anybody's; then it is forgotten if it was remembered.
 */
void listeners_add(struct listeners *l, int sock);

/* Whether what `sock` sends to the endpoint, tcp or udp, reaches one of the remembered sockets. */
bool listeners_has(const struct listeners *l, int sock, const struct endpoint *e);

#endif
