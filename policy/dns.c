/* SPDX-License-Identifier: MIT */
#include "policy/dns.h"

#include <string.h>

#include "policy/compile.h"

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
