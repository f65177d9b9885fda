/* SPDX-License-Identifier: MIT */
/*
 * What the policy says to an endpoint, and why.
 */
#ifndef SANDTOP_POLICY_EXPLAIN_H
#define SANDTOP_POLICY_EXPLAIN_H

#include "policy/domain.h"
#include "policy/policy.h"

enum { EXPLAIN_HINT_MAX = 2 * ENDPOINT_NAME_MAX + 32 };

/*
 * Read one endpoint: `[in] PROTO ADDR PORT`, `[in] PROTO://ADDR:PORT`, `icmp ADDR`, `unix PATH`,
 * `dns NAME`. A scope id is ignored, and so is a port of icmp. `line` is cut up in the course of
 * it, and e->name points into it, or to `name`, in which a host name is written as it is judged.
 *
 * Returns 1; 0 for a blank line or a comment; -EINVAL with *err filled.
 */
int explain_parse(char *line, char name[static DOMAIN_TEXT_MAX], struct endpoint *e,
		  struct policy_error *err);

/*
 * The answer line, without a newline: verdict, protocol, address, port, number and text of the rule
 * (or `-` and the reason), between tabs. To be freed by the caller; NULL for want of memory.
 */
char *explain_answer(const struct policy *p, const struct live *live, const struct endpoint *e);

/*
 * The answer line; a line for every rule, with its number, `match` or what did not match, and its
 * text, between tabs; `flip` and explain_flip(), or `-` when no rule would do that. An address
 * behind a gateway is judged twice (addr.h) and has the rules twice. Each line ends with a newline.
 * To be freed by the caller; NULL for want of memory.
 */
char *explain_why(const struct policy *p, const struct live *live, const struct endpoint *e);

/*
 * Write to `buf` the smallest rule that, put before all others, turns `verdict` on the endpoint
 * into its opposite, and return `buf`.
 */
const char *explain_hint(const struct endpoint *e, enum verdict verdict,
			 char buf[static EXPLAIN_HINT_MAX]);

/*
 * The same of a decision; NULL when no rule turns it round: the reason is beyond rules, the endpoint
 * has no address, or a name that no rule can have.
 */
const char *explain_flip(const struct endpoint *e, struct decision d,
			 char buf[static EXPLAIN_HINT_MAX]);

#endif
