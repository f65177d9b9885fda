/* SPDX-License-Identifier: MIT */
/*
 * A denied connect of curl, for the units that write about decisions.
 */
#ifndef SANDTOP_SELFTESTS_UNIT_DENIED_H
#define SANDTOP_SELFTESTS_UNIT_DENIED_H

#include <criterion/criterion.h>
#include <errno.h>

#include "core/record.h"
#include "policy/addr.h"

/* `addr` is a text, or NULL for a target without an address; `port` in host order. */
static inline struct record denied(enum direction dir, enum proto proto, const char *addr,
				   uint16_t port)
{
	struct record r = {
		.endpoint = { .dir = dir, .proto = proto, .port = port },
		.decision = { .verdict = VERDICT_DENY, .reason = REASON_DEFAULT },
		.pid = 4211,
		.tid = 4212,
		.comm = "curl",
		.syscall = "connect",
		.error = ECONNREFUSED,
	};

	if (addr)
		cr_assert_eq(addr_parse(addr, &r.endpoint.addr), 0);
	return r;
}

#endif
