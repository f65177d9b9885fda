/* SPDX-License-Identifier: MIT */
/*
 * Asking the real name servers, by way of c-ares on the ring's polls: it repeats what is not
 * answered, goes from one server to the next, and comes back over TCP for what was cut.
 */
#ifndef SANDTOP_URING_UPSTREAM_H
#define SANDTOP_URING_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"
#include "policy/dns.h"
#include "uring/loop.h"

enum {
	UPSTREAM_FLIGHTS =
		512, /* queries that c-ares has; some of them nobody waits for any more */
	UPSTREAM_SOCKETS = 32,
	UPSTREAM_EVENTS = UPSTREAM_SOCKETS + 1, /* of the loop */
};

struct upstream;

/*
 * Called once for each query: with the answer, whose id and question are the query's and which may
 * be changed in place, or with NULL when there was none within five seconds. Perhaps before
 * upstream_ask() returns.
 */
typedef void upstream_fn(void *arg, uint8_t *answer, size_t len);

/*
 * Use the `n` name servers, or those of the system with none. They are copied; `loop` must outlive
 * the upstream. Returns 0, -ENOMEM or -EIO (c-ares cannot begin).
 */
int upstream_new(struct loop *loop, const struct dns_server *servers, size_t n,
		 struct upstream **out);

/* Queries that are under way are dropped without a word. NULL is fine. */
void upstream_free(struct upstream *u);

/* An id that no query under way has. */
uint16_t upstream_id(struct upstream *u);

/* Ask; `query` is copied, with the upstream_id() in it. Returns 0, or -EBUSY and `fn` is not
 * called. */
int upstream_ask(struct upstream *u, const uint8_t *query, size_t len, upstream_fn *fn, void *arg);

#endif
