/* SPDX-License-Identifier: MIT */
/*
 * What a live policy was made of, so that it can be made again: the options of
 * the command line, the text of a profile, and the rules that were put in front
 * of everything while the command ran.
 *
 * A source is changed only by whoever makes it; one that a snapshot has is read
 * alone. Copies share the text of the profile, which may be large.
 */
#ifndef SANDTOP_POLICY_SOURCE_H
#define SANDTOP_POLICY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct source;

/* Each returns NULL for want of memory; to be freed with source_free(), for which NULL is fine. */
struct source *source_new(void);
struct source *source_copy(const struct source *s);
void source_free(struct source *s);

/*
 * Append a policy option: `add` is the function of the draft for it, and `flag` (static) how it is
 * spelled, for messages. The text is copied. Returns 0 or -ENOMEM.
 */
int source_add(struct source *s, int (*add)(struct draft *, const char *, struct policy_error *),
	       const char *flag, const char *text);

/*
 * The profile, whose rules come behind the options'; it replaces an earlier one. `path` is for
 * messages; both are copied. Returns 0 or -ENOMEM.
 */
int source_set_profile(struct source *s, const char *path, const char *text, size_t size);

/*
 * Be the profile in `text` alone, in which the options and the rules in front are edited as well.
 * They come back with the next source_set_profile(), so that a file which is read again does not
 * do away with what the command line denies. Rules that end stay in front, and are not in the text.
 * An earlier profile's path stays, else it is `path`; lists stay. Returns 0 or -ENOMEM.
 */
int source_replace(struct source *s, const char *path, const char *text, size_t size);

/*
 * `d` was built of the source: forget the rules that were put in front before source_replace() and
 * are not in it. They are gone for good.
 */
void source_forget(struct source *s, const struct draft *d);

/*
 * The names of a list that the profile's dns.block_file names; `path` is as profile_list_path()
 * makes it. Both are copied. Returns 0 or -ENOMEM.
 */
int source_add_list(struct source *s, const char *path, const char *text, size_t size);

/* The paths of the lists, which stay the source's. */
char **source_lists(const struct source *s, size_t *n);

/* There is a sinkhole, whatever policy is made of it. */
void source_set_sinkhole(struct source *s);

/* Everything is denied, whatever else the source has: the policy's reason is REASON_PANIC. */
void source_set_panic(struct source *s);
bool source_panics(const struct source *s);

/* What no rule matches is allowed, whatever policy is made of it: draft_set_learning(). */
void source_set_learning(struct source *s);

/* The path of the profile, or NULL without one. */
const char *source_profile(const struct source *s);

/* Put a rule, "allow SPEC" or "deny SPEC", in front of all others. Returns 0 or -ENOMEM. */
int source_insert(struct source *s, const char *rule);

/*
 * The same for a rule whose time is over at `until`, in nanoseconds of CLOCK_MONOTONIC. It stays
 * until source_end() takes it out.
 */
int source_insert_until(struct source *s, const char *rule, uint64_t until);

/* When the first of them ends; 0: none does. */
uint64_t source_ends(const struct source *s);

/* Take out what has ended at `now`, or with UINT64_MAX all that ever does. Returns how many. */
size_t source_end(struct source *s, uint64_t now);

/* Whether rule number `rule` of the policy that was made of it has ended at `now`. */
bool source_has_ended(const struct source *s, int rule, uint64_t now);

/*
 * Make the draft, to be freed with draft_free(). Returns 0; -EINVAL with *err filled: it begins
 * with the option, the place in the profile (PATH:LINE:COLUMN:), or the rule that is wrong; or
 * -ENOMEM.
 */
int source_build(const struct source *s, struct draft **out, struct policy_error *err);

#endif
