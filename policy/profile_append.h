/* SPDX-License-Identifier: MIT */
/*
 * Adding to the end of a profile's lists: what is new comes after what the
 * owner wrote, which keeps every byte.
 */
#ifndef SANDTOP_POLICY_PROFILE_APPEND_H
#define SANDTOP_POLICY_PROFILE_APPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* A line of a list. Both texts are borrowed; the comment is one line of printable text. */
struct profile_line {
	const char *rule;    /* "allow SPEC"; ports of a bind list; NULL: the comment alone */
	const char *comment; /* to stand behind it, without the #; or NULL */
	bool remark;         /* the rule is no part of the policy: it is written as a comment */
};

/*
 * Add the lines to the rules of a profile of `size` bytes, at the end: to its `allow` list without
 * the action, to `rules` as they are, to a profile without a list as `rules`.
 *
 * Returns 0 with *out the new text, to be freed, that ends with a NUL. -EINVAL with *err filled, to
 * be printed behind the name of the file and a colon, when the profile is wrong, or cannot have the
 * rules (it has a `deny` list), or is laid out in a way that cannot be edited. -ENOMEM.
 */
int profile_append_rules(const char *text, size_t size, const struct profile_line *lines, size_t n,
			 char **out, struct policy_error *err);

/* The same for allow_bind, which a profile without one gets. */
int profile_append_binds(const char *text, size_t size, const struct profile_line *lines, size_t n,
			 char **out, struct policy_error *err);

#endif
