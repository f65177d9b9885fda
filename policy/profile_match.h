/* SPDX-License-Identifier: MIT */
/*
 * Bringing a profile up to a policy that was made of it: a run began with the
 * profile, and rules have come since.
 */
#ifndef SANDTOP_POLICY_PROFILE_MATCH_H
#define SANDTOP_POLICY_PROFILE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/*
 * Put the rules in front of those of a profile of `size` bytes that it lacks to be the policy of
 * another profile, `wanted`, and leave the rest of the text as it is (profile_edit.h). What is no
 * policy ([program], [log]) is not compared, nor is dns.block_file, whose paths depend on where the
 * profile is.
 *
 * Returns 0 with *out the new text, to be freed. -EINVAL with *err filled, to be printed behind the
 * name of the file and a colon, when the profile is wrong or cannot be edited, or when more would
 * have to be changed than that: it says what differs. -EBADMSG when `wanted` is no profile.
 * -ENOMEM.
 */
int profile_match(const char *text, size_t size, const char *wanted, size_t wanted_size, char **out,
		  struct policy_error *err);

/*
 * Whether a text is, to the byte, what profile_write() makes of it: nothing of its owner's is in it.
 * False, too, for want of memory.
 */
bool profile_is_written(const char *text, size_t size);

#endif
