/* SPDX-License-Identifier: MIT */
#include "policy/lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/error.h"
#include "policy/suffix.h"

struct linter {
	const struct draft *draft;
	struct policy *policy;
	bool *wins; /* wins[N]: some request is decided by rule N */
	/*
	 * [own][enum direction][policy_family()]: what decides about addresses that are this
	 * machine's own, and about those that are not, as if each kind could be every address.
	 */
	struct table seen[2][2][2];
	struct prefix_list internal, multicast;
	lint_fn *fn;
	void *arg;
};

static const char *const names[LINT_COUNT] = {
	[LINT_SHADOWED] = "shadowed",          [LINT_NEVER_MATCHES] = "never-matches",
	[LINT_TCP_ONLY] = "tcp-only-deny",     [LINT_PUBLIC_SUFFIX] = "public-suffix",
	[LINT_EVERY_PORT] = "host-every-port",
};

const char *lint_name(enum lint_id id)
{
	return names[id];
}

__attribute__((format(printf, 4, 5))) static int warn(const struct linter *l, enum lint_id id,
						      int rule, const char *fmt, ...)
{
	struct lint_warning w = { .id = id, .rule = rule };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, ap);
	va_end(ap);
	return l->fn(l->arg, &w);
}

/* Whether all of the spec's addresses are in the list, and can be told without looking them up. */
static bool is_within(const struct spec *spec, const struct prefix_list *list, enum group group)
{
	if (spec->target == SPEC_GROUP)
		return group == GROUP_INTERNAL ? spec->group <= GROUP_INTERNAL
					       : spec->group == group;
	for (size_t i = 0; spec->target == SPEC_PREFIX && i < list->n; i++)
		if (list->v[i].len <= spec->prefix.len &&
		    prefix_holds(list->v[i], spec->prefix.addr))
			return true;
	return false;
}

/* Whether the compiled policy has everything that the spec is about, just as it will be judged. */
static bool is_complete(const struct spec *spec, enum direction dir)
{
	if (spec->target == SPEC_GROUP)
		return spec->group != GROUP_SELF;
	/* A rule for exactly 0.0.0.0 or :: matches past a rule that holds these, see decide.c. */
	if (spec->target == SPEC_PREFIX)
		return dir == DIR_IN || !addr_is_unspecified(spec->prefix.addr) ||
		       spec->prefix.len < addr_bits(spec->prefix.addr.family);
	if (spec->target == SPEC_PATH)
		return !strchr(spec->name, '$');
	return spec->target == SPEC_EVERY;
}

/* The index of the rule's first path. */
static size_t first_path(const struct policy *p, int rule)
{
	return rule > 1 ? p->rules[rule - 2].paths_end : 0;
}

/*
 * Whether the rule is about all of `e` wherever links lead: paths are matched as they really are,
 * and here as they are written.
 */
static bool is_certainly_about(const struct policy *p, int rule, const struct path_entry *e)
{
	if (*e->text == '@')
		return true;
	for (size_t i = first_path(p, rule); i < p->rules[rule - 1].paths_end; i++) {
		const struct path_entry *other = &p->paths[i];

		if (!strcmp(other->text, e->text) && other->prefix >= e->prefix)
			return true;
		if (other->prefix && (!*other->text || !strcmp(other->text, "/")))
			return true;
	}
	return false;
}

static void find_path_winners(struct linter *l)
{
	const struct policy *p = l->policy;

	for (size_t i = 0; i < p->n_paths; i++) {
		const struct path_entry *e = &p->paths[i];
		int winner = path_table_winner(&p->path_table, e);

		if (winner == e->rule || !is_certainly_about(p, winner, e))
			l->wins[e->rule] = true;
	}
}

static bool is_seen(const struct table_entry *e, bool own)
{
	if (own)
		return e->subject == SUBJECT_THIS_HOST ||
		       (e->subject == SUBJECT_ADDRESS && !e->prefix.len);
	return e->subject == SUBJECT_ADDRESS || e->subject == SUBJECT_PUBLIC;
}

static int find_winners(struct linter *l)
{
	const struct policy *p = l->policy;
	struct table_entry *chosen = reallocarray(NULL, p->n_entries + 1, sizeof(*chosen));
	int ret = chosen ? 0 : -ENOMEM;

	for (int i = 0; !ret && i < 8; i++) {
		bool own = i / 4;
		enum direction dir = i / 2 % 2;
		size_t n = 0;

		for (size_t k = 0; k < p->n_entries; k++) {
			const struct table_entry *e = &p->entries[k];

			if (is_seen(e, own) && p->rules[e->rule - 1].dir == dir &&
			    policy_family(e->prefix.addr) == i % 2)
				chosen[n++] = *e;
		}
		ret = table_build(&l->seen[own][dir][i % 2], chosen, n);
		if (!ret)
			ret = table_winners(&l->seen[own][dir][i % 2], l->wins);
	}
	free(chosen);
	return ret;
}

static bool is_shadowed(const struct linter *l, int number, const struct draft_rule *rule)
{
	for (size_t i = 0; i < rule->specs.n; i++)
		if (!is_complete(&rule->specs.v[i], rule->dir))
			return false;
	return !l->wins[number];
}

/* The first rule about the address that comes first in the rule. */
static int first_about_address(const struct linter *l, int number)
{
	const struct policy *p = l->policy;
	const struct policy_rule *rule = &p->rules[number - 1];
	const struct table_entry *entry = &p->entries[number > 1 ? p->rules[number - 2].end : 0];
	bool own = entry->subject == SUBJECT_THIS_HOST;

	return table_find(&l->seen[own][rule->dir][policy_family(entry->prefix.addr)],
			  entry->prefix.addr, entry->lo)
		.rule;
}

static int warn_shadowed(const struct linter *l, int number)
{
	const struct policy *p = l->policy;
	const struct policy_rule *rule = &p->rules[number - 1];
	size_t path = first_path(p, number);
	int first = path < rule->paths_end ? path_table_winner(&p->path_table, &p->paths[path])
					   : first_about_address(l, number);

	return warn(l, LINT_SHADOWED, number,
		    QUOTED " decides nothing: what it matches, earlier rules such as " QUOTED
			   " match: expected it before them",
		    rule->text, policy_rule_text(p, first));
}

/* Why no request is ever about the spec, or NULL. */
static const char *impossible(const struct linter *l, enum direction dir, const struct spec *spec)
{
	/* @public is without @this-host, and what is bound is an address of this machine. */
	if (dir == DIR_IN && spec->target == SPEC_GROUP && spec->group == GROUP_PUBLIC)
		return "no address of this machine is in @public: expected *";
	if (spec->protos == SPEC_ICMP && spec->target == SPEC_GROUP && spec->group == GROUP_SELF)
		return "nothing listens for icmp: expected tcp, udp or any";
	/* tcp_v4_connect() and tcp_v6_connect() answer ENETUNREACH. */
	if (spec->protos == SPEC_TCP && is_within(spec, &l->multicast, GROUP_MULTICAST))
		return "there is no TCP to a multicast address: expected udp://";
	return NULL;
}

static int check_matches(const struct linter *l, int number, const struct draft_rule *rule)
{
	const char *why = NULL;

	for (size_t i = 0; i < rule->specs.n; i++) {
		why = impossible(l, rule->dir, &rule->specs.v[i]);
		if (!why)
			return 0;
	}
	return warn(l, LINT_NEVER_MATCHES, number, QUOTED " never matches: %s", rule->text, why);
}

/* Whether a packet to an address of the spec goes through over udp. */
static bool allows_udp(const struct linter *l, const struct spec *spec)
{
	struct prefix_list group = { 0 };
	bool allows = false;
	size_t n = 1;
	const struct prefix *v = &spec->prefix;

	if (spec->target == SPEC_GROUP) {
		if (group_prefixes(spec->group, &group))
			group.n = 0;
		v = group.v;
		n = group.n;
	}
	for (size_t i = 0; !allows && i < n; i++) {
		struct endpoint e = endpoint_out(PROTO_UDP, v[i].addr, 443);

		allows = policy_decide(l->policy, NULL, &e).verdict == VERDICT_ALLOW;
	}
	prefix_list_free(&group);
	return allows;
}

static int check_tcp_only(const struct linter *l, int number, const struct draft_rule *rule)
{
	char text[PREFIX_TEXT_MAX];

	if (rule->verdict != VERDICT_DENY || rule->dir != DIR_OUT)
		return 0;
	for (size_t i = 0; i < rule->specs.n; i++) {
		const struct spec *spec = &rule->specs.v[i];
		const char *target = spec->target == SPEC_GROUP ? group_name(spec->group)
								: prefix_text(spec->prefix, text);

		if (spec->protos == SPEC_TCP && !spec->n_ports &&
		    is_within(spec, &l->internal, GROUP_INTERNAL) && allows_udp(l, spec))
			return warn(l, LINT_TCP_ONLY, number,
				    QUOTED " denies tcp alone, and udp goes through: expected "
					   "any://%s",
				    rule->text, target);
	}
	return 0;
}

static int check_names(const struct linter *l, int number, const struct draft_rule *rule)
{
	int ret = 0;

	if (rule->verdict != VERDICT_ALLOW)
		return 0;
	for (size_t i = 0; !ret && i < rule->specs.n; i++) {
		const struct spec *spec = &rule->specs.v[i];

		if (spec->target == SPEC_SUFFIX && suffix_is_public(spec->name))
			ret = warn(l, LINT_PUBLIC_SUFFIX, number,
				   QUOTED ": anybody can register a name below '%.100s': expected "
					  "a name of one owner",
				   rule->text, spec->name);
		if (!ret && spec_has_name(spec) && !spec->n_ports && spec->protos != SPEC_ICMP)
			ret = warn(l, LINT_EVERY_PORT, number,
				   QUOTED " allows every port of '%.100s': expected the ports "
					  "that are needed, such as %.100s:443",
				   rule->text, spec->name, spec->name);
	}
	return ret;
}

static int check_rules(const struct linter *l)
{
	int ret = 0;

	for (int n = 1; !ret && n <= (int)l->draft->rules.n; n++) {
		const struct draft_rule *rule = &l->draft->rules.v[n - 1];

		if (is_shadowed(l, n, rule)) {
			ret = warn_shadowed(l, n);
			continue;
		}
		ret = check_matches(l, n, rule);
		if (!ret)
			ret = check_tcp_only(l, n, rule);
		if (!ret)
			ret = check_names(l, n, rule);
	}
	return ret;
}

int lint(const struct draft *d, lint_fn *fn, void *arg)
{
	struct linter l = { .draft = d, .fn = fn, .arg = arg };
	int ret;

	l.wins = calloc(draft_n_rules(d) + 1, sizeof(*l.wins));
	ret = l.wins ? policy_compile(d, &l.policy) : -ENOMEM;
	if (!ret)
		ret = group_prefixes(GROUP_INTERNAL, &l.internal);
	if (!ret)
		ret = group_prefixes(GROUP_MULTICAST, &l.multicast);
	if (!ret)
		ret = find_winners(&l);
	if (!ret)
		find_path_winners(&l);
	if (!ret)
		ret = check_rules(&l);
	for (int i = 0; i < 8; i++)
		table_free(&l.seen[i / 4][i / 2 % 2][i % 2]);
	prefix_list_free(&l.internal);
	prefix_list_free(&l.multicast);
	policy_free(l.policy);
	free(l.wins);
	return ret;
}
