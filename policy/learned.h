/* SPDX-License-Identifier: MIT */
/*
 * From what a command used to the profile that allows exactly that.
 *
 * A destination that has a name is written by its name, the ports of one
 * destination stand in one rule, and no rule says more than was seen. What the
 * command was refused, or may not have used, is written as a comment for the
 * user to judge. Each rule says who asked, how often, and when for the first time.
 */
#ifndef SANDTOP_POLICY_LEARNED_H
#define SANDTOP_POLICY_LEARNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "policy/policy.h"

/* What was seen of one flow. Texts are borrowed. */
struct learned {
	struct endpoint endpoint; /* with its name for unix and dns */
	const char *host;         /* the name that the address was learned from, or NULL */
	enum verdict verdict;     /* to allow, if any decision was */
	bool sends;               /* more was seen than that a socket was connected */
	bool several;             /* processes of other names asked, too */
	uint64_t count;           /* of calls; 0: allowed, and nothing more is known */
	time_t first;             /* CLOCK_REALTIME */
	char comm[16];            /* of the first process that asked; any bytes, NUL-terminated */
};

/* What became of a profile. */
struct learned_result {
	char *text;       /* to be freed */
	size_t n_rules;   /* added */
	size_t n_remarks; /* added as comments */
};

/*
 * Whether something can be learned for a profile of `size` bytes. Returns 0; -EINVAL with *err
 * filled, to be printed behind the name of the file and a colon, when the text is wrong, allows
 * what no rule matches (so that there is nothing to learn), or is laid out in a way that cannot be
 * edited; -ENOMEM.
 */
int learned_check(const char *text, size_t size, struct policy_error *err);

/*
 * Add to a profile, of which learned_check() has said that it can be, rules for what `have`, its
 * compiled policy, does not allow. Returns 0, -EINVAL with *err filled as above, -ENOMEM.
 */
int learned_profile(const char *text, size_t size, const struct policy *have,
		    const struct learned *flows, size_t n, struct learned_result *out,
		    struct policy_error *err);

#endif
