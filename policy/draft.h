/* SPDX-License-Identifier: MIT */
/*
 * What a draft is made of, for policy_compile().
 */
#ifndef SANDTOP_POLICY_DRAFT_H
#define SANDTOP_POLICY_DRAFT_H

#include <stddef.h>

#include "policy/dns.h"
#include "policy/pathname.h"
#include "policy/live.h"
#include "policy/policy.h"
#include "policy/spec.h"

struct draft_rule {
	enum verdict verdict;
	enum direction dir;
	char *text;
	struct spec_list specs;
};

struct draft_rules {
	struct draft_rule *v;
	size_t n;
};

/* A host name with what it was resolved to. */
struct draft_host {
	char *name;
	struct prefix_list prefixes;
};

/* The options that a policy may be written with; they exclude each other. */
enum draft_family {
	FAMILY_NONE,
	FAMILY_ALLOW,
	FAMILY_DENY,
	FAMILY_RULES,
};

enum draft_bind {
	BIND_NONE,
	BIND_ALLOW, /* --net-allow-bind */
	BIND_DENY,  /* --net-deny-bind */
};

struct draft {
	enum draft_family family;
	struct draft_rules rules;
	struct draft_rules preset; /* these are numbered on */
	const char *preset_name;   /* static; NULL without a preset */
	bool only_hosts; /* FAMILY_ALLOW by draft_allow_host() alone, which is a rule, too */
	bool has_in;     /* one of them has DIR_IN */
	bool has_default;
	enum verdict fallback; /* for what no rule matches, with has_default */
	bool learns;           /* until then that is allowed: draft_set_learning() */
	enum draft_bind bind;
	struct draft_rules binds; /* one for each option, of which only the ports count */
	struct draft_host **hosts;
	size_t n_hosts;
	bool has_suffix;     /* a rule is about the names below a domain */
	void *hosts_by_name; /* tsearch(3) tree of the hosts */
	struct pathnames paths;
	struct addr_set this_host;
	struct prefix_list nameservers;
	struct dns_draft dns;
	bool panic; /* whatever else it has, everything is denied */
};

/* How many rules a policy of the draft has, and the one at index i of them. */
static inline size_t draft_n_rules(const struct draft *d)
{
	return d->rules.n + d->preset.n;
}

static inline const struct draft_rule *draft_rule_at(const struct draft *d, size_t i)
{
	return i < d->rules.n ? &d->rules.v[i] : &d->preset.v[i - d->rules.n];
}

/* What a request gets that no rule matches. */
enum verdict draft_fallback(const struct draft *d);

/*
 * insert.c: make a policy of --net-allow or --net-deny the list of rules that means the same.
 * Returns 0 or -ENOMEM.
 */
int draft_to_rules(struct draft *d);

/*
 * insert.c: write the scheme of each spec of a deny rule down, so that its text means the same as a
 * rule and to --net-deny. Returns 0 or -ENOMEM.
 */
int draft_spell_out(struct draft_rule *rule);

/* The host of that name, which a spec of the draft has. */
const struct draft_host *draft_host_find(const struct draft *d, const char *name);

#endif
