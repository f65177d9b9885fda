/* SPDX-License-Identifier: MIT */
/*
 * The lines of a learned profile: one for each destination, with its ports and
 * with the evidence. Private to learned.c.
 */
#ifndef SANDTOP_POLICY_LEARNED_LINE_H
#define SANDTOP_POLICY_LEARNED_LINE_H

#include "policy/learned.h"
#include "policy/profile_append.h"

struct learned_item;

struct learned_lines {
	struct learned_item *items;
	size_t n_items;
	/* Made of them; the texts are owned. */
	struct profile_line *rules, *binds;
	size_t n_rules, n_binds;
	size_t n_remarks; /* of the rules, those that are comments */
};

/*
 * Add a flow, which must outlive the lines. With `remark` (static) it becomes a comment that ends
 * with that, and has the rule if there is one that the user could want (`has_rule`). With
 * `in_rules` what is bound is a rule rather than a port of the bind list. What cannot be written as
 * a rule is a comment with the remark `unwritable`. Returns 0 or -ENOMEM.
 */
int learned_lines_add(struct learned_lines *l, const struct learned *flow, bool in_rules,
		      const char *remark, bool has_rule, const char *unwritable);

/* Make the lines of what was added. Returns 0 or -ENOMEM. */
int learned_lines_write(struct learned_lines *l);

void learned_lines_free(struct learned_lines *l);

#endif
