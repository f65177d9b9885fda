/* SPDX-License-Identifier: MIT */
/*
 * How much an operator's answer covers, as a rule.
 */
#ifndef SANDTOP_POLICY_SCOPE_H
#define SANDTOP_POLICY_SCOPE_H

#include "policy/explain.h"

enum scope {
	SCOPE_ENDPOINT, /* this address and port, or this path */
	SCOPE_NETWORK,  /* the /24 or /64 that the address is in, every port */
	SCOPE_PORT,     /* this port of every address */
	SCOPE_ANY,      /* every address and port of every protocol */
	SCOPE_COUNT,
};

enum { SCOPE_RULE_MAX = EXPLAIN_HINT_MAX };

/* "ip:port", "network", "port", "any". */
const char *scope_name(enum scope scope);

/* The scope of that name, or -EINVAL. */
int scope_find(const char *name);

/*
 * Write to `buf` the rule that gives `verdict` (allow or deny) to all that the scope covers of what
 * `e` wants. Returns 0, or -EINVAL when such an endpoint has no such scope: a path is only itself,
 * what has no port has no SCOPE_PORT, and `in` no SCOPE_NETWORK.
 */
int scope_rule(enum scope scope, enum verdict verdict, const struct endpoint *e,
	       char buf[static SCOPE_RULE_MAX]);

#endif
