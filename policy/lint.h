/* SPDX-License-Identifier: MIT */
/*
 * Rules that are allowed and yet are hardly what their author means.
 */
#ifndef SANDTOP_POLICY_LINT_H
#define SANDTOP_POLICY_LINT_H

#include "policy/policy.h"

enum lint_id {
	LINT_SHADOWED,      /* earlier rules decide all that it matches */
	LINT_NEVER_MATCHES, /* no request can have such an endpoint */
	LINT_TCP_ONLY,      /* denies an internal network over tcp, and udp goes through */
	LINT_PUBLIC_SUFFIX, /* a suffix below which anybody can register a name */
	LINT_EVERY_PORT,    /* allows a host without saying which ports */
	LINT_COUNT,
};

struct lint_warning {
	enum lint_id id;
	int rule;       /* its number, from 1 */
	char text[400]; /* quotes the rule and says what to write */
};

/* "shadowed", "never-matches", ... */
const char *lint_name(enum lint_id id);

/* Gets each warning; a non-zero return ends the search and is returned. */
typedef int lint_fn(void *arg, const struct lint_warning *w);

/*
 * Give the warnings about the draft's own rules, without those of a preset, in the order of the
 * rules. Nothing is resolved: what a host name or @this-host stands for plays no part. Returns 0,
 * -ENOMEM, or what `fn` returned.
 */
int lint(const struct draft *d, lint_fn *fn, void *arg);

#endif
