/* SPDX-License-Identifier: MIT */
#include "policy/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"

static int add_entry(struct policy *p, struct table_entry entry)
{
	struct table_entry *entries = array_room(p->entries, p->n_entries, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	p->entries = entries;
	entries[p->n_entries++] = entry;
	return 0;
}

static int add_path(struct policy *p, const struct draft *d, const struct spec *spec, int rule)
{
	struct path_entry *paths = array_room(p->paths, p->n_paths, sizeof(*paths));
	int ret;

	if (!paths)
		return -ENOMEM;
	p->paths = paths;
	paths[p->n_paths] = (struct path_entry){ .rule = rule };
	ret = pathnames_entry(&d->paths, spec->name, &paths[p->n_paths]);
	if (ret > 0)
		p->n_paths++;
	return ret < 0 ? ret : 0;
}

/* The addresses that a spec is about. Returns 0 or -ENOMEM; `out` is to be freed in any case. */
static int spec_prefixes(const struct draft *d, const struct spec *spec, struct prefix_list *out)
{
	const struct prefix_list *host;
	int ret = 0;

	switch (spec->target) {
	case SPEC_EVERY:
		ret = prefix_list_add(out, (struct prefix){ .addr.family = 4 });
		return ret ? ret : prefix_list_add(out, (struct prefix){ .addr.family = 6 });
	case SPEC_PREFIX:
		return prefix_list_add(out, spec->prefix);
	case SPEC_GROUP:
		return group_prefixes(spec->group, out);
	case SPEC_HOST:
		host = &draft_host_find(d, spec->name)->prefixes;
		for (size_t i = 0; !ret && i < host->n; i++)
			ret = prefix_list_add(out, host->v[i]);
		return ret;
	case SPEC_SUFFIX:
	case SPEC_PATH:
		break; /* no addresses */
	}
	return 0;
}

/* Add the entries of a spec of rule number `rule` for one prefix. */
static int add_prefix(struct policy *p, const struct spec *spec, enum subject subject,
		      struct prefix prefix, int rule)
{
	static const struct port_range all = { 0, UINT16_MAX };
	const struct port_range *ports = spec->n_ports ? spec->ports : &all;
	size_t n = spec->n_ports ? spec->n_ports : 1;
	/* Whoever owns a name chooses its address: the rule is not about that one. */
	uint8_t exact = spec->target == SPEC_HOST ? 0 : prefix.len;
	int ret = 0;

	for (enum proto proto = PROTO_TCP; proto <= PROTO_ICMP; proto++) {
		if (!(spec->protos & 1u << proto))
			continue;
		for (size_t i = 0; !ret && i < n; i++)
			ret = add_entry(p, (struct table_entry){
						   .prefix = prefix,
						   .lo = service(proto, ports[i].lo),
						   .hi = service(proto, ports[i].hi),
						   .rule = rule,
						   .exact = exact,
						   .subject = subject,
					   });
	}
	return ret;
}

static int add_every(struct policy *p, const struct spec *spec, enum subject subject, int rule)
{
	int ret = add_prefix(p, spec, subject, (struct prefix){ .addr.family = 4 }, rule);

	return ret ? ret : add_prefix(p, spec, subject, (struct prefix){ .addr.family = 6 }, rule);
}

struct addr policy_name(int number)
{
	struct addr a = { .family = 6 };

	for (size_t i = 0; i < sizeof(number); i++)
		a.bytes[sizeof(a.bytes) - 1 - i] = (uint8_t)((unsigned)number >> 8 * i);
	return a;
}

/* A host or what is below a domain, by the names that its address has. */
static int add_name(struct policy *p, const struct spec *spec, int rule)
{
	enum domain_kind kind = spec->target == SPEC_HOST ? DOMAIN_EXACT : DOMAIN_SUFFIX;
	int number = domain_map_get(&p->names, spec->name, kind);

	if (!number) {
		number = ++p->n_names;
		if (domain_map_add(&p->names, spec->name, kind, number))
			return -ENOMEM;
	}
	return add_prefix(p, spec, SUBJECT_NAME, prefix_of(policy_name(number)), rule);
}

/* What of a spec is no address as such, and what it is depends on the time. */
static int add_live(struct policy *p, const struct spec *spec, int rule)
{
	switch (spec->target) {
	case SPEC_GROUP:
		if (group_has_this_host(spec->group))
			return add_every(p, spec, SUBJECT_THIS_HOST, rule);
		if (spec->group == GROUP_SELF)
			return add_every(p, spec, SUBJECT_SELF, rule);
		return 0;
	case SPEC_HOST:
	case SPEC_SUFFIX:
		return add_name(p, spec, rule);
	default:
		return 0;
	}
}

static int add_spec(struct policy *p, const struct draft *d, const struct spec *spec, int rule)
{
	bool public = spec->target == SPEC_GROUP && spec->group == GROUP_PUBLIC;
	struct prefix_list prefixes = { 0 };
	int ret;

	if (spec->target == SPEC_PATH)
		return add_path(p, d, spec, rule);
	ret = spec_prefixes(d, spec, &prefixes);
	for (size_t i = 0; !ret && i < prefixes.n; i++)
		ret = add_prefix(p, spec, public ? SUBJECT_PUBLIC : SUBJECT_ADDRESS, prefixes.v[i],
				 rule);
	prefix_list_free(&prefixes);
	return ret ? ret : add_live(p, spec, rule);
}

static int compile_rules(const struct draft *d, struct policy *p)
{
	int ret = 0;

	p->n_own_rules = d->rules.n;
	p->rules = reallocarray(NULL, draft_n_rules(d) + 1, sizeof(*p->rules));
	if (!p->rules)
		return -ENOMEM;
	while (!ret && (size_t)p->n_rules < draft_n_rules(d)) {
		const struct draft_rule *from = draft_rule_at(d, p->n_rules);
		struct policy_rule *rule = &p->rules[p->n_rules++];

		*rule = (struct policy_rule){
			.verdict = from->verdict,
			.dir = from->dir,
			.text = strdup(from->text),
		};
		if (!rule->text)
			return -ENOMEM;
		for (size_t i = 0; !ret && i < from->specs.n; i++)
			ret = add_spec(p, d, &from->specs.v[i], p->n_rules);
		rule->end = p->n_entries;
		rule->paths_end = p->n_paths;
	}
	return ret;
}

/* Build the table of one subject, direction and family; `chosen` has room for all entries. */
static int compile_table(struct policy *p, enum subject subject, enum direction dir, int family,
			 struct table_entry *chosen)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_entries; i++) {
		const struct table_entry *e = &p->entries[i];

		if (e->subject == (int)subject && p->rules[e->rule - 1].dir == dir &&
		    policy_family(e->prefix.addr) == family)
			chosen[n++] = *e;
	}
	return table_build(&p->tables[subject][dir][family], chosen, n);
}

static int compile_tables(struct policy *p)
{
	struct table_entry *chosen = reallocarray(NULL, p->n_entries + 1, sizeof(*chosen));
	int ret = 0;

	if (!chosen)
		return -ENOMEM;
	for (int i = 0; !ret && i < 4 * SUBJECT_COUNT; i++)
		ret = compile_table(p, i / 4, i / 2 % 2, i % 2, chosen);
	free(chosen);
	return ret ? ret : path_table_build(&p->path_table, p->paths, p->n_paths);
}

static void compile_bind(const struct draft *d, struct policy *p)
{
	p->has_in = d->has_in;
	p->bind = d->bind;
	for (size_t i = 0; i < d->binds.n; i++) {
		const struct spec *spec = &d->binds.v[i].specs.v[0];

		if (!spec->n_ports)
			memset(p->bind_ports, 0xff, sizeof(p->bind_ports));
		for (size_t k = 0; k < spec->n_ports; k++) {
			for (int port = spec->ports[k].lo; port <= spec->ports[k].hi; port++)
				p->bind_ports[port / 8] |= 1 << port % 8;
		}
	}
}

/* Whether the prefix has an address in common with one of the list's, sorted and disjoint. */
static bool overlaps(struct prefix p, const struct prefix_list *list)
{
	size_t at = 0;
	size_t end = list->n;

	while (at < end) {
		size_t mid = at + (end - at) / 2;

		if (prefix_compare(list->v[mid], p) < 0)
			at = mid + 1;
		else
			end = mid;
	}
	return (at < list->n && prefix_holds(p, list->v[at].addr)) ||
	       (at > 0 && prefix_holds(list->v[at - 1], p.addr));
}

/* Whether the prefix is one address, and this machine's own. */
static bool is_own(const struct draft *d, struct prefix p)
{
	return p.len == addr_bits(p.addr.family) && addr_set_has(&d->this_host, p.addr);
}

/* Whether a spec is about a public address: 1, 0 or -ENOMEM. */
static int is_public(const struct draft *d, const struct spec *spec,
		     const struct prefix_list *public)
{
	struct prefix_list prefixes = { 0 };
	int ret;

	ret = spec_prefixes(d, spec, &prefixes);
	for (size_t i = 0; !ret && i < prefixes.n; i++)
		ret = overlaps(prefixes.v[i], public) && !is_own(d, prefixes.v[i]);
	prefix_list_free(&prefixes);
	return ret;
}

int draft_implies_dns(const struct draft *d)
{
	struct prefix_list public = { 0 };
	int ret;

	if (draft_fallback(d) == VERDICT_ALLOW || d->dns.settings.sinkhole)
		return 0;
	if (draft_fallback(d) == VERDICT_ASK || d->n_hosts || d->has_suffix)
		return 1;
	ret = group_prefixes(GROUP_PUBLIC, &public);
	for (size_t i = 0; !ret && i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		if (rule->verdict == VERDICT_DENY || rule->dir == DIR_IN)
			continue;
		for (size_t k = 0; !ret && k < rule->specs.n; k++)
			ret = is_public(d, &rule->specs.v[k], &public);
	}
	prefix_list_free(&public);
	return ret;
}

static int compile_nameservers(const struct draft *d, struct policy *p)
{
	int ret = draft_implies_dns(d);

	if (ret <= 0)
		return ret;
	p->nameservers = reallocarray(NULL, d->nameservers.n + 1, sizeof(*p->nameservers));
	if (!p->nameservers)
		return -ENOMEM;
	for (; p->n_nameservers < d->nameservers.n; p->n_nameservers++)
		p->nameservers[p->n_nameservers] = d->nameservers.v[p->n_nameservers].addr;
	return 0;
}

int policy_compile(const struct draft *d, struct policy **out)
{
	struct policy *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	p->fallback = d->learns ? VERDICT_ALLOW : draft_fallback(d);
	p->learns = d->learns;
	p->panic = d->panic;
	compile_bind(d, p);
	ret = addr_set_copy(&d->this_host, &p->this_host);
	if (!ret)
		ret = compile_rules(d, p);
	if (!ret)
		ret = compile_tables(p);
	if (!ret)
		ret = compile_nameservers(d, p);
	if (!ret)
		ret = dns_compile(d, p);
	if (ret)
		policy_free(p);
	else
		*out = p;
	return ret;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n_rules; i++)
		free(p->rules[i].text);
	free(p->rules);
	free(p->entries);
	path_table_free(&p->path_table);
	for (size_t i = 0; i < p->n_paths; i++)
		free(p->paths[i].text);
	free(p->paths);
	for (int i = 0; i < 4 * SUBJECT_COUNT; i++)
		table_free(&p->tables[i / 4][i / 2 % 2][i % 2]);
	domain_map_free(&p->names);
	addr_set_free(&p->this_host);
	free(p->nameservers);
	dns_policy_free(&p->dns);
	free(p);
}

const char *policy_rule_text(const struct policy *p, int rule)
{
	return p->rules[rule - 1].text;
}

bool policy_panics(const struct policy *p)
{
	return p->panic;
}

enum verdict policy_fallback(const struct policy *p)
{
	return p->fallback;
}

const char *policy_fallback_name(const struct policy *p)
{
	if (p->panic)
		return reason_name(REASON_PANIC);
	return p->learns ? reason_name(REASON_LEARN) : verdict_name(p->fallback);
}

int policy_rules(const struct policy *p)
{
	return p->n_rules;
}

bool policy_implies_dns(const struct policy *p)
{
	return p->n_nameservers > 0;
}
