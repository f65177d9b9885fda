/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "policy/compile.h"

enum { DNS_PORT = 53 };

static struct table_match earlier(struct table_match a, struct table_match b)
{
	return b.rule && (!a.rule || b.rule < a.rule) ? b : a;
}

static struct table_match find(const struct policy *p, const struct endpoint *e)
{
	const struct table *t = &p->tables[e->dir][policy_family(e->addr)];
	uint32_t what = service(e->proto, e->proto == PROTO_ICMP ? 0 : e->port);
	struct table_match match = table_find(t, e->addr, what);

	/* A rule for exactly 0.0.0.0 or :: means what was asked for, not where Linux sends it. */
	if (e->unspecified) {
		struct addr asked = { .family = e->addr.family };

		match = earlier(match, table_find_single(t, asked, what));
	}
	return match;
}

static struct decision by_rule(const struct policy *p, int rule)
{
	return (struct decision){
		.verdict = p->rules[rule - 1].verdict,
		.reason = REASON_RULE,
		.rule = rule,
	};
}

static struct decision by_default(const struct policy *p)
{
	return (struct decision){ .verdict = p->fallback, .reason = REASON_DEFAULT };
}

static struct decision by_match(const struct policy *p, struct table_match match)
{
	return match.rule ? by_rule(p, match.rule) : by_default(p);
}

/* deny before ask before allow. */
static struct decision stricter(struct decision a, struct decision b)
{
	static const int strictness[] = {
		[VERDICT_ALLOW] = 0,
		[VERDICT_ASK] = 1,
		[VERDICT_DENY] = 2,
	};

	return strictness[b.verdict] > strictness[a.verdict] ? b : a;
}

/* The rule that is implied between the user's own and those of a preset. */
static bool is_implied_dns(const struct policy *p, const struct endpoint *e, struct decision d)
{
	if (d.verdict != VERDICT_DENY || (d.reason == REASON_RULE && d.rule <= p->n_own_rules))
		return false;
	if (e->port != DNS_PORT || (e->proto != PROTO_TCP && e->proto != PROTO_UDP))
		return false;
	for (size_t i = 0; i < p->n_nameservers; i++) {
		if (addr_equal(e->addr, p->nameservers[i]))
			return true;
	}
	return false;
}

/* Sockets outside the sandbox can act for whoever reaches them: only a rule opens them. */
static struct decision decide_unix(const struct policy *p, const struct endpoint *e)
{
	int rule = e->name ? path_table_find(&p->path_table, e->name) : 0;

	if (rule)
		return by_rule(p, rule);
	return (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_UNIX_DEFAULT };
}

static struct decision decide_out(const struct policy *p, const struct endpoint *e)
{
	struct table_match match = find(p, e);
	struct decision d = by_match(p, match);
	unsigned int gateway;
	struct addr v4;

	/* The gateway sends it on to the IPv4 address; a rule within its range knows that. */
	gateway = addr_embedded_v4(e->addr, &v4);
	if (gateway && !(d.verdict == VERDICT_ALLOW && match.rule && match.len >= gateway)) {
		struct endpoint inner = endpoint_out(e->proto, v4, e->port);

		d = stricter(d, by_match(p, find(p, &inner)));
	}
	if (is_implied_dns(p, e, d))
		return (struct decision){ .verdict = VERDICT_ALLOW, .reason = REASON_IMPLIED_DNS };
	return d;
}

static struct decision decide_in(const struct policy *p, const struct endpoint *e)
{
	bool listed = p->bind_ports[e->port / 8] & 1 << e->port % 8;
	struct table_match match = find(p, e);
	bool own, allow;

	if (match.rule)
		return by_rule(p, match.rule);
	/*
	 * A client's own port, and what nobody outside this machine can reach. A listen on a socket
	 * without a port is not a client's: only `*` lists the port that it will get.
	 */
	own = e->port == 0 && !e->listening;
	allow = own || addr_is_loopback(e->addr);
	if (p->bind == BIND_ALLOW)
		allow |= listed;
	else if (p->bind == BIND_DENY)
		allow = own || !listed;
	return (struct decision){
		.verdict = allow ? VERDICT_ALLOW : VERDICT_DENY,
		.reason = REASON_BIND_DEFAULT,
	};
}

struct decision policy_decide(const struct policy *p, const struct names *names,
			      const struct endpoint *e)
{
	(void)names;

	switch (e->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_ICMP:
		break;
	case PROTO_UNIX:
		return decide_unix(p, e);
	case PROTO_DNS:
		return by_default(p);
	default:
		return (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_PROTOCOL };
	}
	if (e->addr.family != 4 && e->addr.family != 6)
		return (struct decision){
			.verdict = VERDICT_DENY,
			.reason = REASON_ERROR,
			.error = EAFNOSUPPORT,
		};
	return e->dir == DIR_OUT ? decide_out(p, e) : decide_in(p, e);
}
