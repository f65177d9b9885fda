/* SPDX-License-Identifier: MIT */
/*
 * What a policy is made of, for policy_decide() and the like.
 */
#ifndef SANDTOP_POLICY_COMPILE_H
#define SANDTOP_POLICY_COMPILE_H

#include "policy/draft.h"
#include "policy/path.h"
#include "policy/policy.h"
#include "policy/table.h"

struct policy_rule {
	enum verdict verdict;
	enum direction dir;
	char *text;
	/* Its entries are those from the end of the rule before it up to here. */
	size_t end, paths_end;
};

struct policy {
	struct policy_rule *rules; /* number N is rules[N - 1] */
	int n_rules;
	int n_own_rules;       /* without those of a preset */
	enum verdict fallback; /* for what no rule matches */
	struct table_entry *entries;
	size_t n_entries;
	struct table tables[2][2]; /* [enum direction][policy_family()] of the entries */
	struct path_entry *paths;  /* with DIR_OUT */
	size_t n_paths;
	struct path_table path_table; /* of them */
	enum draft_bind bind;
	uint8_t bind_ports[(UINT16_MAX + 1) / 8]; /* one bit for each port of the option */
	struct addr *nameservers;                 /* empty when the policy implies none */
	size_t n_nameservers;
};

static inline int policy_family(struct addr a)
{
	return a.family == 6;
}

/*
 * Whether a policy of the draft lets the command ask name servers although no rule says so: 1, 0 or
 * -ENOMEM.
 */
int draft_implies_dns(const struct draft *d);

#endif
