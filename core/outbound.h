/* SPDX-License-Identifier: MIT */
/*
 * The stream sockets that the sandbox has connected, by SO_COOKIE.
 *
 * When a policy is narrowed, the connections that it denies are ended. What a
 * listener accepted looks the same to the kernel, but was never a request of
 * the sandbox's, and neither was a socket that it was started with; so what was
 * asked for is remembered. Closing a socket is not trapped: a full table is
 * set aside, and whoever looks at every open socket finds out which of its
 * entries still matter.
 */
#ifndef SANDTOP_CORE_OUTBOUND_H
#define SANDTOP_CORE_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTBOUND_SLOTS = 1 << 16, OUTBOUND_MAX = OUTBOUND_SLOTS / 2 };

/* One thread adds; another may look at the same time. */
struct outbound {
	_Atomic uint64_t *table[2];
	_Atomic int live;       /* the one that is added to */
	_Atomic bool set_aside; /* the other one is full, and waits for outbound_keep() */
	_Atomic bool
		overflow; /* some are not in it: all that are connected count as connected by us */
	unsigned count;   /* in the live one */
};

/* Returns 0 or -ENOMEM. */
int outbound_init(struct outbound *o);
void outbound_exit(struct outbound *o);

/* Returns true when that has filled the table, so that outbound_keep() is due. */
bool outbound_add(struct outbound *o, uint64_t cookie);

/* Whether the sandbox has connected the socket, or, after an overflow, may have. */
bool outbound_has(const struct outbound *o, uint64_t cookie);

/*
 * The table that was set aside is done with: of what it had, these are still open. In the thread
 * that adds, while no other one looks.
 */
void outbound_keep(struct outbound *o, const uint64_t *cookies, size_t n);

#endif
