/* SPDX-License-Identifier: MIT */
#include "policy/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/compile.h"
#include "policy/error.h"

enum { DNS_PORT = 53, DNS_TLS_PORT = 853 };

/* Where browsers and tools find DNS over HTTPS. */
static const char *const encrypted_names[] = {
	"dns.google",
	"dns64.dns.google",
	"dns.google.com",
	"cloudflare-dns.com",
	"mozilla.cloudflare-dns.com",
	"chrome.cloudflare-dns.com",
	"security.cloudflare-dns.com",
	"family.cloudflare-dns.com",
	"one.one.one.one",
	"1dot1dot1dot1.cloudflare-dns.com",
	"dns.quad9.net",
	"dns9.quad9.net",
	"dns10.quad9.net",
	"dns11.quad9.net",
	"doh.opendns.com",
	"doh.familyshield.opendns.com",
	"doh.umbrella.com",
	"dns.adguard.com",
	"dns.adguard-dns.com",
	"unfiltered.adguard-dns.com",
	"family.adguard-dns.com",
	"dns.nextdns.io",
	"firefox.dns.nextdns.io",
	"chromium.dns.nextdns.io",
	"doh.cleanbrowsing.org",
	"freedns.controld.com",
	"dns.controld.com",
	"doh.mullvad.net",
	"dns.mullvad.net",
	"doh.dns.sb",
	"doh.xfinity.com",
	"dns.switch.ch",
	"dns.alidns.com",
	"doh.pub",
	"dns.pub",
};

/* ---- the options ------------------------------------------------------- */

static int add_text(char ***texts, size_t *n, const char *text)
{
	char **larger = array_room(*texts, *n, sizeof(**texts));

	if (!larger)
		return -ENOMEM;
	*texts = larger;
	larger[*n] = strdup(text);
	return larger[(*n)++] ? 0 : -ENOMEM;
}

int draft_block_domain(struct draft *d, const char *text, struct policy_error *err)
{
	char name[DOMAIN_TEXT_MAX];
	struct prefix prefix;

	/* Nobody asks for it by that name, so that nothing would be blocked. */
	if (!prefix_parse(text, &prefix))
		return policy_error_set(
			err, QUOTED ": not a name: an address is denied by --rule 'deny %.50s'",
			text, text);
	if (*text == '.' || !strncmp(text, "*.", 2))
		return policy_error_set(
			err, QUOTED ": every name below a domain: use --block-suffix", text);
	if (domain_normalise(text, name))
		return policy_error_set(
			err, QUOTED ": not a name: expected one such as example.com", text);
	if (add_text(&d->dns.blocked, &d->dns.n_blocked, text))
		return -ENOMEM;
	return domain_map_add(&d->dns.block, name, DOMAIN_EXACT, 1);
}

int draft_block_suffix(struct draft *d, const char *text, struct policy_error *err)
{
	const char *below = *text == '.' ? text + 1 : !strncmp(text, "*.", 2) ? text + 2 : NULL;
	char name[DOMAIN_TEXT_MAX];

	if (!below || domain_normalise(below, name))
		return policy_error_set(
			err, QUOTED ": not a suffix: expected one such as .example.com", text);
	if (add_text(&d->dns.suffixes, &d->dns.n_suffixes, text))
		return -ENOMEM;
	return domain_map_add(&d->dns.block, name, DOMAIN_SUFFIX, 1);
}

int draft_block_list(struct draft *d, const char *text, size_t size, struct policy_error *err)
{
	struct domain_fault fault;
	int ret = domain_map_add_list(&d->dns.block, text, size, 1, &fault);

	if (ret == -EINVAL)
		return policy_error_set(err,
					"%u: " QUOTED ": expected a name, or an address and names "
					"as in hosts(5)",
					fault.line, fault.text);
	return ret;
}

/* Which of `words`, which end with NULL, `text` is: to *out, from 0. Returns 0 or -EINVAL. */
static int choose(struct draft *d, const char *text, const char *const *words, const char *expected,
		  int *out, struct policy_error *err)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]))
			continue;
		*out = i;
		d->dns.given = true;
		return 0;
	}
	return policy_error_set(err, QUOTED ": invalid value: expected %s", text, expected);
}

int draft_resolve(struct draft *d, const char *text, struct policy_error *err)
{
	static const char *const words[] = { "needed", "all", "none", NULL };
	int i = 0, ret = choose(d, text, words, "needed, all or none", &i, err);

	if (!ret) {
		d->dns.settings.resolve = (enum dns_resolve)i;
		d->dns.has_resolve = true;
	}
	return ret;
}

int draft_denied(struct draft *d, const char *text, struct policy_error *err)
{
	static const char *const words[] = { "zero", "nxdomain", "refused", NULL };
	int i = 0, ret = choose(d, text, words, "zero, nxdomain or refused", &i, err);

	if (!ret)
		d->dns.settings.denied = (enum dns_denied)i;
	return ret;
}

int draft_rebind_protection(struct draft *d, const char *text, struct policy_error *err)
{
	static const char *const words[] = { "true", "false", NULL };
	int i = 0, ret = choose(d, text, words, "true or false", &i, err);

	if (!ret)
		d->dns.settings.rebinding = i == 1;
	return ret;
}

int draft_encrypted(struct draft *d, const char *text, struct policy_error *err)
{
	static const char *const words[] = { "block", "allow", NULL };
	int i = 0, ret = choose(d, text, words, "block or allow", &i, err);

	if (!ret)
		d->dns.settings.encrypted = i == 1;
	return ret;
}

/* IP, IP:PORT or [IPV6]:PORT; `text` is cut up. Returns 0 or -EINVAL. */
static int parse_server(char *text, struct dns_server *out)
{
	char *port = NULL;
	char *end;
	unsigned long n = DNS_PORT;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
	} else if (strchr(text, ':') == strrchr(text, ':') && strchr(text, ':')) {
		port = strchr(text, ':');
		*port++ = '\0';
	}
	if (port) {
		if (!*port || strlen(port) > 5 || port[strspn(port, "0123456789")])
			return -EINVAL;
		n = strtoul(port, NULL, 10);
	}
	if (!n || n > UINT16_MAX || addr_parse(text, &out->addr))
		return -EINVAL;
	out->port = (uint16_t)n;
	return 0;
}

int draft_upstream(struct draft *d, const char *text, struct policy_error *err)
{
	struct dns_draft *dns = &d->dns;
	struct dns_server *servers = array_room(dns->upstream, dns->n_upstream, sizeof(*servers));
	struct dns_server server;
	char copy[64];

	if (!servers)
		return -ENOMEM;
	dns->upstream = servers;
	if (strlen(text) < sizeof(copy))
		strcpy(copy, text);
	if (strlen(text) >= sizeof(copy) || parse_server(copy, &server))
		return policy_error_set(err,
					QUOTED ": not a name server: expected IP, IP:PORT or "
					       "[IPV6]:PORT",
					text);
	servers[dns->n_upstream++] = server;
	dns->given = true;
	return 0;
}

/* A host, a suffix, an address or a CIDR, and no more than that. */
static bool is_pattern(const char *text)
{
	const char *name = *text == '.' ? text + 1 : !strncmp(text, "*.", 2) ? text + 2 : text;
	char normal[DOMAIN_TEXT_MAX];
	struct prefix prefix;

	return !prefix_parse(text, &prefix) || !domain_normalise(name, normal);
}

int draft_allow_host(struct draft *d, const char *text, struct policy_error *err)
{
	enum draft_family before = d->family;
	bool only_hosts = before == FAMILY_NONE || d->only_hosts;
	char *rule;
	int ret;

	if (!is_pattern(text))
		return policy_error_set(err,
					QUOTED ": expected a host, *.suffix, an address or a CIDR; "
					       "--net-allow takes ports",
					text);
	if (asprintf(&rule,
		     before == FAMILY_RULES ? "allow tcp://%s,udp://%s" : "tcp://%s,udp://%s", text,
		     text) < 0)
		return -ENOMEM;
	ret = before == FAMILY_RULES ? draft_rule(d, rule, err) : draft_allow(d, rule, err);
	free(rule);
	if (!ret)
		d->only_hosts = only_hosts;
	return ret;
}

void dns_draft_free(struct dns_draft *d)
{
	for (size_t i = 0; i < d->n_blocked; i++)
		free(d->blocked[i]);
	for (size_t i = 0; i < d->n_suffixes; i++)
		free(d->suffixes[i]);
	free(d->blocked);
	free(d->suffixes);
	free(d->upstream);
	domain_map_free(&d->block);
}

static bool has_name(const struct spec *spec)
{
	return spec->target == SPEC_HOST || spec->target == SPEC_SUFFIX;
}

static bool has_names(const struct draft *d)
{
	for (size_t i = 0; i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		for (size_t k = 0; k < rule->specs.n; k++)
			if (has_name(&rule->specs.v[k]))
				return true;
	}
	return d->dns.block.used > 0;
}

static bool may_ask(const struct draft *d)
{
	for (size_t i = 0; i < draft_n_rules(d); i++)
		if (draft_rule_at(d, i)->verdict == VERDICT_ASK)
			return true;
	return false;
}

int draft_needs_sinkhole(const struct draft *d)
{
	if (d->learns || draft_fallback(d) != VERDICT_DENY || has_names(d) || may_ask(d) ||
	    d->dns.given)
		return 1;
	return draft_implies_dns(d);
}

bool draft_only_blocks(const struct draft *d)
{
	return d->dns.block.used && d->family == FAMILY_NONE && !d->has_default && !d->learns;
}

bool draft_relies_on_sinkhole(const struct draft *d)
{
	for (size_t i = 0; i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		for (size_t k = 0; rule->verdict == VERDICT_DENY && k < rule->specs.n; k++)
			if (has_name(&rule->specs.v[k]))
				return true;
	}
	return d->dns.block.used > 0 || d->dns.settings.resolve == DNS_NONE;
}

void draft_set_sinkhole(struct draft *d)
{
	d->dns.settings.sinkhole = true;
}

bool draft_has_sinkhole(const struct draft *d)
{
	return d->dns.settings.sinkhole;
}

/* ---- the snapshot ------------------------------------------------------ */

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
	if (add_text(&dns->hosts, &dns->n_hosts, name))
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
		if (!has_name(spec) || (!permits && spec->n_ports))
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
	p->dns.has_names = has_names(d);
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

/* ---- decisions --------------------------------------------------------- */

static struct decision refusal(enum reason reason, const char *name)
{
	return (struct decision){ .verdict = VERDICT_DENY, .reason = reason, .name = name };
}

static struct decision by_rule(const struct policy *p, int rule)
{
	return (struct decision){
		.verdict = p->rules[rule - 1].verdict,
		.reason = REASON_RULE,
		.rule = rule,
	};
}

static bool is_encrypted_dns(const struct policy *p, const char *name)
{
	if (!p->dns.has_names || p->dns.settings.encrypted ||
	    domain_map_find(&p->dns.direct_names, name).value)
		return false;
	for (size_t i = 0; i < sizeof(encrypted_names) / sizeof(encrypted_names[0]); i++)
		if (!strcmp(name, encrypted_names[i]))
			return true;
	return false;
}

/* The first rule that is about the name, or about everything; 0 if there is none. */
static int find_rule(const struct dns_policy *dns, const char *name)
{
	int rule = domain_map_find(&dns->named, name).value;

	if (!rule || (dns->at_large && dns->at_large < rule))
		rule = dns->at_large;
	return rule;
}

struct decision policy_resolve(const struct policy *p, const char *name)
{
	const struct dns_policy *dns = &p->dns;
	struct domain_match blocked = domain_map_find(&dns->blocked, name);
	int rule = find_rule(dns, name);

	if (p->panic)
		return refusal(REASON_PANIC, NULL);
	if (blocked.value)
		return refusal(REASON_BLOCKED, blocked.name);
	if (dns->settings.resolve == DNS_NONE)
		return refusal(REASON_NONE_RESOLVED, name);
	if (is_encrypted_dns(p, name))
		return refusal(REASON_ENCRYPTED_DNS, NULL);
	if (rule && p->rules[rule - 1].verdict == VERDICT_DENY)
		return by_rule(p, rule);
	/* Whether a connection is asked about is seen when it is made. */
	if (rule)
		return (struct decision){
			.verdict = VERDICT_ALLOW,
			.reason = REASON_RULE,
			.rule = rule,
		};
	if (p->fallback == VERDICT_DENY && dns->settings.resolve == DNS_NEEDED)
		return refusal(REASON_NOT_NEEDED, name);
	return (struct decision){
		.verdict = VERDICT_ALLOW,
		.reason = p->learns ? REASON_LEARN : REASON_DEFAULT,
	};
}

struct decision policy_resolve_alias(const struct policy *p, const char *name)
{
	struct domain_match blocked = domain_map_find(&p->dns.blocked, name);
	int rule = find_rule(&p->dns, name);

	if (p->panic)
		return refusal(REASON_PANIC, NULL);
	if (blocked.value)
		return refusal(REASON_BLOCKED, blocked.name);
	if (is_encrypted_dns(p, name))
		return refusal(REASON_ENCRYPTED_DNS, NULL);
	if (rule && p->rules[rule - 1].verdict == VERDICT_DENY)
		return by_rule(p, rule);
	return (struct decision){ .verdict = VERDICT_ALLOW, .reason = REASON_DEFAULT };
}

bool policy_is_about(const struct policy *p, const char *name)
{
	return domain_map_find(&p->names, name).value != 0;
}

enum dns_denied policy_denied(const struct policy *p, const char *name)
{
	char prefix[DOMAIN_TEXT_MAX];
	char *dot;

	if (strlen(name) >= sizeof(prefix))
		return p->dns.settings.denied;
	strcpy(prefix, name);
	while ((dot = strrchr(prefix, '.'))) {
		int rule;

		*dot = '\0';
		rule = domain_map_find(&p->dns.named, prefix).value;
		if (rule && p->rules[rule - 1].verdict != VERDICT_DENY)
			return DNS_NXDOMAIN;
	}
	return p->dns.settings.denied;
}

bool policy_is_rebinding(const struct policy *p, const struct live *live, const char *name,
			 struct addr addr)
{
	const struct dns_policy *dns = &p->dns;
	int family = policy_family(addr);
	struct addr v4;

	if (dns->settings.rebinding || domain_is_local(name))
		return false;
	if (addr_embedded_v4(addr, &v4) && policy_is_rebinding(p, live, name, v4))
		return true;
	if (addr_is_unspecified(addr))
		return false; /* how other sinkholes say no: connecting to it is refused */
	if (table_find(&dns->literal[family], addr, 0).rule)
		return false;
	if (policy_is_this_host(p, live, addr))
		return !dns->own_literal;
	return table_find(&dns->internal[family], addr, 0).rule;
}

const struct dns_server *policy_upstream(const struct policy *p, size_t *n)
{
	*n = p->dns.n_upstream;
	return p->dns.upstream;
}

const char *policy_host(const struct policy *p, size_t i)
{
	return i < p->dns.n_hosts ? p->dns.hosts[i] : NULL;
}

bool policy_has_sinkhole(const struct policy *p)
{
	return p->dns.settings.sinkhole;
}

bool dns_closes(const struct policy *p, const struct endpoint *e)
{
	struct addr asked = { .family = e->addr.family };
	uint32_t what = service(e->proto, e->proto == PROTO_ICMP ? 0 : e->port);
	const struct table *t = &p->tables[SUBJECT_ADDRESS][DIR_OUT][policy_family(asked)];

	return e->unspecified && p->dns.settings.sinkhole &&
	       !table_find_single(t, asked, what).rule;
}

bool dns_decide(const struct policy *p, const struct endpoint *e, struct decision *out)
{
	const struct dns_policy *dns = &p->dns;
	struct table_match match;

	if (!dns->settings.sinkhole || (e->proto != PROTO_TCP && e->proto != PROTO_UDP))
		return false;
	if (e->port != DNS_PORT &&
	    (e->port != DNS_TLS_PORT || !dns->has_names || dns->settings.encrypted))
		return false;
	match = table_find(&dns->written[policy_family(e->addr)], e->addr,
			   service(e->proto, e->port));
	if (match.rule)
		*out = by_rule(p, match.rule);
	else if (e->port == DNS_PORT)
		*out = (struct decision){ .verdict = VERDICT_ALLOW, .reason = REASON_SINKHOLE };
	else
		*out = refusal(REASON_ENCRYPTED_DNS, NULL);
	return true;
}
