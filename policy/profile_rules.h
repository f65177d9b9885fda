/* SPDX-License-Identifier: MIT */
/*
 * The rules of a policy as a list that somebody edits, and the policy that they
 * make with everything else it has. Pure, as all of policy/.
 */
#ifndef SANDTOP_POLICY_PROFILE_RULES_H
#define SANDTOP_POLICY_PROFILE_RULES_H

#include <stddef.h>

#include "policy/policy.h"

struct profile_rule_text {
	char *text;       /* "allow SPEC", ... */
	char *warning;    /* what lint() says of it first, or NULL, */
	const char *lint; /* and the name of that */
};

struct profile_rules {
	struct profile_rule_text *v; /* in the order in which they are asked */
	size_t n;
	size_t n_own;         /* the others, at the end, are a preset's */
	const char *preset;   /* its name, static, or NULL */
	const char *fallback; /* what no rule matches, static: "deny"; NULL with a preset */
};

/*
 * Read the rules of a profile that profile_write() made. A policy of allow or deny lists has those
 * rules that mean the same. Nothing is resolved, and lists of names are not read. Returns 0 with
 * *out to be freed with profile_rules_free(), -EINVAL with *err filled, or -ENOMEM.
 */
int profile_rules_read(const char *text, size_t size, struct profile_rules *out,
		       struct policy_error *err);
void profile_rules_free(struct profile_rules *r);

/*
 * Write the policy of that profile with these `n` rules instead of its own. Returns 0 with *out the
 * new profile, to be freed; -EINVAL with *err filled when a rule is wrong or does not go with the
 * rest; or -ENOMEM.
 */
int profile_rules_write(const char *text, size_t size, const char *const *rules, size_t n,
			char **out, struct policy_error *err);

#endif
