/* SPDX-License-Identifier: MIT */
/* What the options and a profile say about names. */
#include "policy/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/compile.h"
#include "policy/error.h"

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
	if (array_add_text(&d->dns.blocked, &d->dns.n_blocked, text))
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
	if (array_add_text(&d->dns.suffixes, &d->dns.n_suffixes, text))
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

bool draft_has_names(const struct draft *d)
{
	for (size_t i = 0; i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		for (size_t k = 0; k < rule->specs.n; k++)
			if (spec_has_name(&rule->specs.v[k]))
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
	if (d->learns || draft_fallback(d) != VERDICT_DENY || draft_has_names(d) || may_ask(d) ||
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
			if (spec_has_name(&rule->specs.v[k]))
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
