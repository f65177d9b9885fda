/* SPDX-License-Identifier: MIT */
/*
 * One policy as the supervisor uses it: compiled, with the source that it was
 * compiled from. But for its counters it never changes. The engine has one, the
 * history has those before it, and a call keeps the one that judged it until it
 * is recorded.
 *
 * References are counted in the loop's thread alone. Freeing a policy of many
 * rules takes a while, so the last reference only puts it on a list; whoever
 * has the time frees what is on that.
 */
#ifndef SANDTOP_URING_SNAPSHOT_H
#define SANDTOP_URING_SNAPSHOT_H

#include "core/shared.h"
#include "policy/policy.h"
#include "policy/source.h"

struct snapshot {
	struct policy *policy;
	struct source *source;
	uint64_t *hits; /* what each rule decided, from [1]; written in the loop's thread alone */
	unsigned refs;
	struct snapshot *next; /* in a list of retired ones */
};

/*
 * Takes ownership of both on success. The caller has the first reference. Returns NULL for want of
 * memory.
 */
struct snapshot *snapshot_new(struct policy *policy, struct source *source);

/* Rule number `rule` has decided something. */
static inline void snapshot_hit(struct snapshot *s, int rule)
{
	shared_store(s->hits[rule], s->hits[rule] + 1);
}

/*
 * Which rule of `from` each rule of `to` is, by its text; 0 for one that `from` has not. Returns 0
 * with *out to be freed and used by snapshot_carry(), or -ENOMEM.
 */
int snapshot_match(const struct policy *from, const struct policy *to, int **out);

/* Go on counting where the rules of `from` are, as `match` says; NULL: s has no rules. */
void snapshot_carry(struct snapshot *s, const struct snapshot *from, const int *match);

static inline struct snapshot *snapshot_get(struct snapshot *s)
{
	s->refs++;
	return s;
}

/* NULL is fine. */
static inline void snapshot_put(struct snapshot *s, struct snapshot **retired)
{
	if (!s || --s->refs)
		return;
	s->next = *retired;
	*retired = s;
}

/* Free a list of retired ones, on any thread. */
void snapshot_free(struct snapshot *list);

#endif
