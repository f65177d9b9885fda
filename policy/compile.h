/* SPDX-License-Identifier: MIT */
/*
 * What a policy is made of, for policy_decide() and the like.
 */
#ifndef SANDTOP_POLICY_COMPILE_H
#define SANDTOP_POLICY_COMPILE_H

#include "policy/dns.h"
#include "policy/domain.h"
#include "policy/draft.h"
#include "policy/live.h"
#include "policy/path.h"
#include "policy/policy.h"
#include "policy/table.h"

/*
 * Whom the entries of a rule are about. An address is decided by the lowest rule of all that it is:
 * itself, and whatever else it is right now. Each has tables of its own, so a policy need not
 * change when what its words stand for does.
 */
enum subject {
	SUBJECT_ADDRESS,   /* addresses as such */
	SUBJECT_PUBLIC,    /* those in @public, unless they are this machine's own */
	SUBJECT_THIS_HOST, /* this machine's own, of every prefix */
	SUBJECT_SELF,      /* what the sandbox itself listens on, of every prefix */
	SUBJECT_NAME,      /* those that have a name, which is numbered: see policy_name() */
	SUBJECT_COUNT,
};

struct policy_rule {
	enum verdict verdict;
	enum direction dir;
	char *text;
	bool at_large; /* it may allow what no name is known of (dns.h) */
	/* Its entries are those from the end of the rule before it up to here. */
	size_t end, paths_end;
};

struct policy {
	struct policy_rule *rules; /* number N is rules[N - 1] */
	int n_rules;
	int n_own_rules;       /* without those of a preset */
	enum verdict fallback; /* for what no rule matches */
	bool learns;           /* and that is so for the sake of learning */
	struct table_entry *entries;
	size_t n_entries;
	/* [enum subject][enum direction][policy_family()] of the entries. */
	struct table tables[SUBJECT_COUNT][2][2];
	struct domain_map names; /* to the numbers of SUBJECT_NAME, from 1 */
	int n_names;
	struct addr_set this_host; /* when the policy was made */
	struct path_entry *paths;  /* with DIR_OUT */
	size_t n_paths;
	struct path_table path_table; /* of them */
	bool has_in; /* it has rules with `in` */
	enum draft_bind bind;
	uint8_t bind_ports[(UINT16_MAX + 1) / 8]; /* one bit for each port of the option */
	struct addr *nameservers;                 /* empty when the policy implies none */
	size_t n_nameservers;
	struct dns_policy dns;
	bool panic; /* everything is denied */
};

/*
 * Names have their rules in a table like those of addresses, in which name number N has an address
 * of its own.
 */
struct addr policy_name(int number);

/* Whether a name is the one that an entry of SUBJECT_NAME has as its prefix, or below it. */
bool policy_name_holds(const struct policy *p, struct prefix entry, const char *name);

/* Whether the address is one of this machine's own. `live` may be NULL. */
bool policy_is_this_host(const struct policy *p, const struct live *live, struct addr a);

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
