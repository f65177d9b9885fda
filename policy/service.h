/* SPDX-License-Identifier: MIT */
/*
 * Which rule is the first one for a service: a protocol and a port as one number, so that `any` is
 * one range.
 *
 * Every place that rules are about (a prefix, a name, ...) has a set of disjoint pieces of the
 * service space, each with the first of its rules there. All sets of a policy share one store.
 */
#ifndef SANDTOP_POLICY_SERVICE_H
#define SANDTOP_POLICY_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/endpoint.h"

static inline uint32_t service(enum proto proto, uint16_t port)
{
	return (uint32_t)proto << 16 | port;
}

/* These services, both ends included, have this rule. */
struct service_piece {
	uint32_t lo, hi;
	int rule;         /* from 1 */
	unsigned int len; /* carried along: how exact the rule's words were, see table.h */
};

/* Pieces first .. first + n of the store, or, with SERVICE_INDEXED, those of index `first`. */
struct service_set {
	uint32_t first;
	uint32_t n;
};

#define SERVICE_INDEXED UINT32_MAX

/* A store of sets; zeroed it is empty. */
struct services {
	struct service_piece *pieces;
	size_t n_pieces;
	struct service_index *indexes;
	size_t n_indexes;
	struct service_page *pages;
	size_t n_pages;
};

void services_free(struct services *s);

/* How many numbers of scratch space services_add() needs for n pieces. */
#define SERVICE_SCRATCH(n) (6 * (size_t)(n))

/*
 * Make a set of `from`, n >= 0 pieces that may overlap: where they do, the earlier rule counts, and
 * of one rule the piece with the larger `len`. `from` is sorted in the course of it. Returns 0 with
 * *out filled, or -ENOMEM.
 */
int services_add(struct services *s, struct service_piece *from, size_t n, uint32_t *scratch,
		 struct service_set *out);

/* The pieces of a set, sorted; *n is how many. */
const struct service_piece *services_pieces(const struct services *s, struct service_set set,
					    size_t *n);

/* The set's piece around a service of tcp, udp or icmp (with port 0), or NULL. */
const struct service_piece *services_find(const struct services *s, struct service_set set,
					  uint32_t service);

#endif
