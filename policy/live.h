/* SPDX-License-Identifier: MIT */
/*
 * What a policy's words stand for right now: it changes while the policy stays.
 * policy_decide() only reads it.
 */
#ifndef SANDTOP_POLICY_LIVE_H
#define SANDTOP_POLICY_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"

/* A set of addresses. Zeroed it is empty. */
struct addr_set {
	struct addr *v; /* sorted */
	size_t n;
};

/* Add an address, once. Returns 0 or -ENOMEM. */
int addr_set_add(struct addr_set *set, struct addr addr);
bool addr_set_has(const struct addr_set *set, struct addr addr);

/* Returns 0 or -ENOMEM; *out is written on success only. */
int addr_set_copy(const struct addr_set *set, struct addr_set *out);
void addr_set_free(struct addr_set *set);

struct names;

/* What is known of this machine's own addresses. */
enum live_host {
	LIVE_HOST_LISTED, /* they are in the set */
	LIVE_HOST_EVERY,  /* every address is one */
	LIVE_HOST_NONE,   /* no address is one */
	LIVE_HOST_UNSURE, /* any address may be one, or not: the stricter decision counts */
};

struct live {
	enum live_host host;
	/* The addresses of this machine's interfaces; NULL: those that the policy was made with. */
	const struct addr_set *this_host;
	const struct names *names; /* what names stand for, or NULL */
	uint64_t now;              /* nanoseconds of CLOCK_MONOTONIC, as in names.h */
};

#endif
