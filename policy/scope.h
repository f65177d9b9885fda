/* SPDX-License-Identifier: MIT */
/*
 * How much an operator's answer covers, as a rule.
 */
#ifndef SANDTOP_POLICY_SCOPE_H
#define SANDTOP_POLICY_SCOPE_H

#include "policy/explain.h"

enum scope {
	SCOPE_HOST,     /* the name that the address was learned from, and this port */
	SCOPE_ENDPOINT, /* this address and port, or this path */
	SCOPE_NETWORK,  /* the /24 or /64 that the address is in, every port */
	SCOPE_PORT,     /* this port of every address */
	SCOPE_ANY,      /* every address and port of every protocol */
	SCOPE_COUNT,
};

enum { SCOPE_RULE_MAX = EXPLAIN_HINT_MAX };

/* "host", "ip:port", "network", "port", "any". */
const char *scope_name(enum scope scope);

/* The scope of that name, or -EINVAL. */
int scope_find(const char *name);

/*
 * Write to `buf` the rule that gives `verdict` (allow or deny) to all that the scope covers of what
 * `e` wants; `host` is the name of its address, or NULL where that is not known. Returns 0, or
 * -EINVAL when such an endpoint has no such scope: a path is only itself, what has no port has no
 * SCOPE_PORT, `in` no SCOPE_NETWORK, and without a name there is no SCOPE_HOST.
 */
int scope_rule(enum scope scope, enum verdict verdict, const struct endpoint *e, const char *host,
	       char buf[static SCOPE_RULE_MAX]);

#endif
