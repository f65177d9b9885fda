/* SPDX-License-Identifier: MIT */
/*
 * The file of a profile: rules that are to last are put into it.
 *
 * What its owner wrote stays, comments and order included (policy/profile_edit.h). The file is
 * replaced whole or not at all (core/replace_file.h), and only its owner may read it then.
 */
#ifndef SANDTOP_CORE_PROFILE_STORE_H
#define SANDTOP_CORE_PROFILE_STORE_H

#include <stddef.h>

#include "policy/policy.h"

/* A block-list of 100 000 rules is a quarter of it. */
enum { PROFILE_SIZE_MAX = 16 << 20 };

/*
 * Put `rule` ("allow SPEC", "deny SPEC", "ask SPEC") in front of the rules of the profile at
 * `path`, which is made if it does not exist yet.
 *
 * Returns 0, or -errno with *err filled: it begins with the path, not escaped.
 */
int profile_store_insert(const char *path, const char *rule, struct policy_error *err);

/*
 * Make the profile at `path` one of the policy in `text`, `size` bytes as profile_write() made
 * them: a profile that the policy began with gets the rules that it lacks, and one that does not
 * exist yet, is empty or was written by sandtop and has been left as it was, is the text. Returns what profile_store_insert() does; the file is as it
 * was when more would have to be changed.
 */
int profile_store_save(const char *path, const char *text, size_t size, struct policy_error *err);

#endif
