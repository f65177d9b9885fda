/* SPDX-License-Identifier: MIT */
/*
 * What one policy has that another has not, rule by rule.
 */
#ifndef SANDTOP_POLICY_DIFF_H
#define SANDTOP_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* Lines as a profile would have them: "deny 10.0.0.0/8", "default allow", "allow_bind 8080". */
struct diff_lines {
	char **v;
	size_t n;
};

struct diff {
	struct diff_lines added, removed; /* each in the order of its policy */
	bool moved;                       /* what both have is in another order */
};

/*
 * Compare two drafts, of which `from` may be written with other options than `to`. Both become
 * rule lists (draft_to_rules()) when they differ in that. Returns 0 with *out filled, to be freed
 * with diff_free(), or -ENOMEM.
 */
int draft_diff(struct draft *from, struct draft *to, struct diff *out);
void diff_free(struct diff *d);

#endif
