/* SPDX-License-Identifier: MIT */
/* What the rules say about names, made into tables that decide. */
#include "policy/dns.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/array.h"
#include "policy/compile.h"

/* Whether a spec is about so much of the internet that no list of names could stand for it. */
static bool is_at_large(const struct spec *spec)
{
	enum { AT_LARGE_BITS = 8 }; /* no network is larger, but those made up to mean all */

	return spec->target == SPEC_EVERY ||
	       (spec->target == SPEC_GROUP && spec->group == GROUP_PUBLIC) ||
	       (spec->target == SPEC_PREFIX && spec->prefix.len < AT_LARGE_BITS);
}

static int add_host(struct dns_policy *dns, const char *name, int rule)
{
	if (domain_map_get(&dns->direct_names, name, DOMAIN_EXACT))
		return 0;
	if (array_add_text(&dns->hosts, &dns->n_hosts, name))
		return -ENOMEM;
	return domain_map_add(&dns->direct_names, name, DOMAIN_EXACT, rule);
}

/* What rule number `number` says about names. */
static int add_names(struct policy *p, const struct draft_rule *rule, int number)
{
	struct dns_policy *dns = &p->dns;
	int ret = 0;

	for (size_t i = 0; !ret && i < rule->specs.n; i++) {
		const struct spec *spec = &rule->specs.v[i];
		bool permits = rule->verdict != VERDICT_DENY;

		if (permits && is_at_large(spec)) {
			p->rules[number - 1].at_large = true;
			if (!dns->at_large)
				dns->at_large = number;
		}
		/* A name that is refused on some ports has a use on the others. */
		if (!spec_has_name(spec) || (!permits && spec->n_ports))
			continue;
		ret = domain_map_add(&dns->named, spec->name,
				     spec->target == SPEC_HOST ? DOMAIN_EXACT : DOMAIN_SUFFIX,
				     number);
		if (!ret && permits && spec->target == SPEC_HOST)
			ret = add_host(dns, spec->name, number);
	}
	return ret;
}

static bool writes_port(const struct table_entry *e, uint16_t port)
{
	return e->lo == e->hi && (uint16_t)e->lo == port && e->lo >> 16 <= PROTO_UDP;
}

/* The entries of rules that write one of the ports, in one table a family. */
static int compile_written(struct policy *p, struct table_entry *chosen)
{
	int ret = 0;

	for (int family = 0; !ret && family < 2; family++) {
		size_t n = 0;

		for (size_t i = 0; i < p->n_entries; i++) {
			const struct table_entry *e = &p->entries[i];

			if (e->subject <= SUBJECT_PUBLIC && p->rules[e->rule - 1].dir == DIR_OUT &&
			    policy_family(e->prefix.addr) == family &&
			    (writes_port(e, DNS_PORT) || writes_port(e, DNS_TLS_PORT)))
				chosen[n++] = *e;
		}
		ret = table_build(&p->dns.written[family], chosen, n);
	}
	return ret;
}

/* Prefixes as a table of their own, of one family. */
static int compile_prefixes(const struct prefix_list *list, int family, struct table *out)
{
	struct table_entry *entries = reallocarray(NULL, list->n + 1, sizeof(*entries));
	size_t n = 0;
	int ret;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (policy_family(list->v[i].addr) == family)
			entries[n++] = (struct table_entry){ .prefix = list->v[i], .rule = 1 };
	ret = table_build(out, entries, n);
	free(entries);
	return ret;
}

static int compile_sets(const struct prefix_list *list, struct table out[2])
{
	int ret = compile_prefixes(list, 0, &out[0]);

	return ret ? ret : compile_prefixes(list, 1, &out[1]);
}

/* The addresses that rules allow by number, or by a group; *own: this machine's are among them. */
static int literal_prefixes(const struct draft *d, struct prefix_list *out, bool *own)
{
	int ret = 0;

	for (size_t i = 0; i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		for (size_t k = 0; !ret && k < rule->specs.n; k++) {
			const struct spec *spec = &rule->specs.v[k];

			if (rule->verdict == VERDICT_DENY || rule->dir != DIR_OUT)
				continue;
			if (spec->target == SPEC_GROUP && group_has_this_host(spec->group))
				*own = true;
			if (spec->target == SPEC_GROUP)
				ret = group_prefixes(spec->group, out);
			else if (spec->target == SPEC_PREFIX)
				ret = prefix_list_add(out, spec->prefix);
		}
	}
	return ret;
}

static int compile_internal(const struct draft *d, struct dns_policy *dns)
{
	struct prefix_list literal = { 0 }, internal = { 0 };
	int ret = literal_prefixes(d, &literal, &dns->own_literal);

	if (!ret)
		ret = group_prefixes(GROUP_INTERNAL, &internal);
	if (!ret)
		ret = compile_sets(&literal, dns->literal);
	if (!ret)
		ret = compile_sets(&internal, dns->internal);
	prefix_list_free(&literal);
	prefix_list_free(&internal);
	return ret;
}

static int copy_upstream(const struct dns_draft *from, struct dns_policy *to)
{
	to->upstream = reallocarray(NULL, from->n_upstream + 1, sizeof(*to->upstream));
	if (!to->upstream)
		return -ENOMEM;
	for (; to->n_upstream < from->n_upstream; to->n_upstream++)
		to->upstream[to->n_upstream] = from->upstream[to->n_upstream];
	return 0;
}

int dns_compile(const struct draft *d, struct policy *p)
{
	struct table_entry *chosen;
	int ret;

	p->dns.settings = d->dns.settings;
	if (!d->dns.settings.sinkhole)
		return 0;
	p->dns.has_names = draft_has_names(d);
	chosen = reallocarray(NULL, p->n_entries + 1, sizeof(*chosen));
	ret = chosen ? compile_written(p, chosen) : -ENOMEM;
	free(chosen);
	for (size_t i = 0; !ret && i < draft_n_rules(d); i++)
		if (draft_rule_at(d, i)->dir == DIR_OUT)
			ret = add_names(p, draft_rule_at(d, i), (int)i + 1);
	if (!ret)
		ret = compile_internal(d, &p->dns);
	if (!ret)
		ret = copy_upstream(&d->dns, &p->dns);
	if (!ret)
		ret = domain_map_copy(&d->dns.block, &p->dns.blocked);
	return ret;
}

void dns_policy_free(struct dns_policy *dns)
{
	domain_map_free(&dns->blocked);
	domain_map_free(&dns->named);
	domain_map_free(&dns->direct_names);
	for (size_t i = 0; i < dns->n_hosts; i++)
		free(dns->hosts[i]);
	free(dns->hosts);
	for (int family = 0; family < 2; family++) {
		table_free(&dns->written[family]);
		table_free(&dns->literal[family]);
		table_free(&dns->internal[family]);
	}
	free(dns->upstream);
}
