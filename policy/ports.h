/* SPDX-License-Identifier: MIT */
/*
 * The part of a policy that is TCP ports alone: what Landlock can enforce
 * without a supervisor.
 */
#ifndef SANDTOP_POLICY_PORTS_H
#define SANDTOP_POLICY_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct port_set {
	uint8_t bit[(UINT16_MAX + 1) / 8];
};

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
	return s->bit[port / 8] >> port % 8 & 1;
}

/*
 * Fill *connect and *bind with the TCP ports that the draft allows; binding port 0, a client's own
 * port, always is.
 *
 * Returns 0, or how many rules and options of the draft say more than ports, with the first of
 * them quoted in `offenders`, separated by commas.
 */
size_t draft_ports(const struct draft *d, struct port_set *connect, struct port_set *bind,
		   char *offenders, size_t size);

#endif
