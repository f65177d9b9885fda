/* SPDX-License-Identifier: MIT */
/*
 * Editing a profile as its owner would: the text gets what is new, and keeps
 * its comments, its order and its layout.
 *
 * The text is edited where the TOML parser says that things are. So that a
 * layout which was not thought of cannot spoil a policy, the result is read
 * again and has to mean what draft_insert() makes of the old text.
 */
#ifndef SANDTOP_POLICY_PROFILE_EDIT_H
#define SANDTOP_POLICY_PROFILE_EDIT_H

#include <stddef.h>

#include "policy/policy.h"

/*
 * Put the `n` rules, at least one ("allow SPEC", "deny SPEC", "ask SPEC", with `in` where a rule
 * may have it), in front of the rules of a profile of `size` bytes, in this order. They go where
 * they fit: into `allow` without the first word, into `deny` the same with every scheme written
 * down, into `rules` as they are. Other rules make `rules` of an `allow` or a `deny` list, whose
 * elements keep their places; a profile without a list gets one.
 *
 * Returns 0 with *out the new text, to be freed, that ends with a NUL. -EINVAL with *err filled, to
 * be printed behind the name of the file and a colon, when the profile (LINE:COLUMN: in front) or a
 * rule is wrong, when the policy cannot have the rules (`in` beside a bind list), or when the text is
 * laid out in a way that cannot be edited (dotted keys): then it says which rule to write by hand.
 * -ENOMEM.
 */
int profile_edit_insert(const char *text, size_t size, const char *const *rules, size_t n,
			char **out, struct policy_error *err);

#endif
