/* SPDX-License-Identifier: MIT */
#include "core/option.h"

#include <stdio.h>
#include <string.h>

#include "core/escape.h"
#include "policy/addr.h"
#include "policy/explain.h"
#include "policy/pathname.h"
#include "policy/spec.h"

/* The length of what snprintf(3) wrote, given what it returned. */
static size_t written(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static size_t option_bind(const struct endpoint *e, char *buf, size_t size)
{
	if (e->port == 0)
		return written(snprintf(buf, size, "--net-allow-bind '*'"), size);
	return written(snprintf(buf, size, "--net-allow-bind %u", e->port), size);
}

static size_t option_connect(const struct endpoint *e, char *buf, size_t size)
{
	const struct addr unspecified = { .family = e->addr.family };
	char addr[ADDR_TEXT_MAX], scheme[16] = "", port[8] = "";

	if (e->proto != PROTO_TCP)
		snprintf(scheme, sizeof(scheme), "%s://", proto_name(e->proto));
	/* A spec cannot name port 0: without a port it means all of them. */
	if (e->port != 0)
		snprintf(port, sizeof(port), ":%u", e->port);
	/* A rule for loopback is about more than what was asked for. */
	addr_text(e->unspecified ? unspecified : e->addr, addr);
	return written(snprintf(buf, size,
				e->addr.family == 6 ? "--net-allow %s[%s]%s" : "--net-allow %s%s%s",
				scheme, addr, port),
		       size);
}

/* Whether a name stands for itself in a terminal and in a quoted word of a shell. */
static bool is_plain(const char *name)
{
	size_t n;
	uint32_t c;

	for (; *name; name += n) {
		n = escape_decode(name, &c);
		if (!n || !escape_printable(c) || c == '\'')
			return false;
	}
	return true;
}

static size_t option_unix(const struct endpoint *e, char *buf, size_t size)
{
	static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789/@._-+:,=%";
	char path[2 * ENDPOINT_NAME_MAX];
	const char *quote;
	int n;

	if (!e->name || !is_plain(e->name))
		return 0;
	quote = e->name[strspn(e->name, harmless)] ? "'" : "";
	n = snprintf(buf, size, "--net-allow %sunix:%s%s", quote, pathname_write(e->name, path),
		     quote);
	if (n > 0 && (size_t)n < size)
		return (size_t)n;
	buf[0] = '\0'; /* cut, it would be another rule */
	return 0;
}

/* What a rule can be about is a name that needs no quotes. */
static size_t option_name(const struct record *r, char *buf, size_t size)
{
	const char *name = r->endpoint.name;

	if (r->decision.reason != REASON_NOT_NEEDED || !name || !spec_is_host(name))
		return 0;
	return written(snprintf(buf, size, "--allow-host %s", name), size);
}

static size_t option_rule(const struct endpoint *e, char *buf, size_t size)
{
	char rule[EXPLAIN_HINT_MAX];
	int n;

	explain_hint(e, VERDICT_DENY, rule);
	n = is_plain(rule) ? snprintf(buf, size, "--rule '%s'", rule) : 0;
	if (n > 0 && (size_t)n < size)
		return (size_t)n;
	buf[0] = '\0'; /* cut, it would be another rule */
	return 0;
}

/* Whether a rule, put before a preset's, or what a list does not have is all that is missing. */
static bool can_be_added(const struct option_policy *p, const struct record *r)
{
	switch (r->decision.reason) {
	case REASON_DEFAULT:
	case REASON_BIND_DEFAULT:
	case REASON_BIND_UNMATCHED:
	case REASON_BIND_UNLISTED:
	case REASON_UNIX_DEFAULT:
		return true;
	case REASON_ASK_NOBODY:
	case REASON_ASK_TIMEOUT:
	case REASON_ASK_FULL:
		/* One of the rules may ask, and would go before. */
		return p->family != FAMILY_RULES || !p->own_rules;
	case REASON_RULE:
		/* Later generations may number them in another way. */
		return p->family == FAMILY_RULES && r->decision.rule > p->own_rules &&
		       r->generation == 1;
	default:
		return false;
	}
}

struct option_policy option_policy(const struct draft *d)
{
	return (struct option_policy){
		.family = d->family == FAMILY_NONE && d->has_default && d->fallback == VERDICT_ALLOW
				  ? FAMILY_RULES
				  : d->family,
		.has_in = d->has_in,
		.sinkhole = draft_has_sinkhole(d),
		.own_rules = (int)d->rules.n,
	};
}

size_t option_to_allow(const struct option_policy *p, const struct record *r, char *buf,
		       size_t size)
{
	const struct endpoint *e = &r->endpoint;
	bool by_rule = e->dir == DIR_IN ? p->has_in : p->family == FAMILY_RULES;

	buf[0] = '\0';
	if (r->decision.verdict == VERDICT_ALLOW)
		return 0;
	if (e->proto == PROTO_DNS)
		return p->family == FAMILY_DENY ? 0 : option_name(r, buf, size);
	if (e->unspecified && p->sinkhole)
		return 0;
	if (!can_be_added(p, r) || (!e->addr.family && e->proto != PROTO_UNIX) ||
	    (e->proto == PROTO_UNIX && !e->name))
		return 0;
	if (by_rule)
		return option_rule(e, buf, size);
	if (e->dir == DIR_IN)
		return option_bind(e, buf, size);
	if (p->family == FAMILY_DENY)
		return 0;
	if (e->proto == PROTO_UNIX)
		return option_unix(e, buf, size);
	return option_connect(e, buf, size);
}
