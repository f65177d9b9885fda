/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "policy/compile.h"
#include "policy/names.h"

static struct table_match earlier(struct table_match a, struct table_match b)
{
	if (b.rule && b.rule == a.rule)
		return b.len > a.len ? b : a;
	return b.rule && (!a.rule || b.rule < a.rule) ? b : a;
}

static uint32_t service_of(const struct endpoint *e)
{
	return service(e->proto, e->proto == PROTO_ICMP ? 0 : e->port);
}

static const struct table *table_of(const struct policy *p, enum subject subject,
				    const struct endpoint *e)
{
	return &p->tables[subject][e->dir][policy_family(e->addr)];
}

/* Some rule's words are about exactly this address, although they do not have its number. */
static struct table_match as_single(struct table_match match, struct addr a)
{
	match.len = addr_bits(a.family);
	return match;
}

bool policy_is_this_host(const struct policy *p, const struct live *live, struct addr a)
{
	if (live && live->host != LIVE_HOST_LISTED)
		return live->host == LIVE_HOST_EVERY;
	return addr_set_has(live && live->this_host ? live->this_host : &p->this_host, a);
}

bool policy_name_holds(const struct policy *p, struct prefix entry, const char *name)
{
	struct domain_walk walk = domain_walk_begin(name);
	int number;

	while ((number = domain_walk_next(&p->names, &walk)))
		if (addr_equal(entry.addr, policy_name(number)))
			return true;
	return false;
}

static struct table_match find_name(const struct policy *p, const char *name, uint32_t what)
{
	const struct table *t = &p->tables[SUBJECT_NAME][DIR_OUT][1];
	struct domain_walk walk = domain_walk_begin(name);
	struct table_match match = { 0 };
	int number;

	while ((number = domain_walk_next(&p->names, &walk)))
		match = earlier(match, table_find(t, policy_name(number), what));
	return match;
}

/*
 * By the names that `named` has. Whoever owns a name chooses its address, so it does not count as
 * one that the rule is about.
 */
static struct table_match find_names(const struct policy *p, const struct live *live,
				     const struct endpoint *e, struct addr named)
{
	struct table_match match = { 0 };
	const char *name;
	uint32_t at = 0;

	if (!p->n_names || !live || !live->names || e->dir != DIR_OUT)
		return match;
	while ((name = names_next(live->names, named, live->now, &at)))
		match = earlier(match, find_name(p, name, service_of(e)));
	match.len = 0;
	return match;
}

/* By what the address is right now. */
static struct table_match find_live(const struct policy *p, const struct live *live,
				    const struct endpoint *e)
{
	const struct table *own = table_of(p, SUBJECT_THIS_HOST, e);
	const struct table *public = table_of(p, SUBJECT_PUBLIC, e);
	struct table_match match = find_names(p, live, e, e->addr);

	if (own->n_intervals || public->n_intervals) {
		struct table_match found;

		if (policy_is_this_host(p, live, e->addr))
			found = as_single(table_find(own, e->addr, service_of(e)), e->addr);
		else
			found = table_find(public, e->addr, service_of(e));
		match = earlier(match, found);
	}
	return match;
}

/* By everything but what listens there. */
static struct table_match find_known(const struct policy *p, const struct live *live,
				     const struct endpoint *e)
{
	const struct table *t = table_of(p, SUBJECT_ADDRESS, e);
	uint32_t what = service_of(e);
	struct table_match match = earlier(table_find(t, e->addr, what), find_live(p, live, e));

	/* A rule for exactly 0.0.0.0 or :: means what was asked for, not where Linux sends it. */
	if (e->unspecified) {
		struct addr asked = { .family = e->addr.family };

		match = earlier(match, table_find_single(t, asked, what));
	}
	return match;
}

static struct table_match find_self(const struct policy *p, const struct endpoint *e)
{
	return as_single(table_find(table_of(p, SUBJECT_SELF, e), e->addr, service_of(e)), e->addr);
}

static struct table_match find(const struct policy *p, const struct live *live,
			       const struct endpoint *e)
{
	struct table_match match = find_known(p, live, e);

	return e->self ? earlier(match, find_self(p, e)) : match;
}

bool policy_asks_self(const struct policy *p, const struct live *live, const struct endpoint *e)
{
	struct table_match match;
	int rule;

	if (!p->tables[SUBJECT_SELF][DIR_OUT][0].n_intervals || e->dir != DIR_OUT ||
	    (e->proto != PROTO_TCP && e->proto != PROTO_UDP) || !addr_is_loopback(e->addr))
		return false;
	rule = find_self(p, e).rule;
	match = rule ? find_known(p, live, e) : (struct table_match){ 0 };
	return rule && (!match.rule || rule < match.rule);
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
	return (struct decision){
		.verdict = p->fallback,
		.reason = p->learns ? REASON_LEARN : REASON_DEFAULT,
	};
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
	if (d.verdict == VERDICT_ALLOW || (d.reason == REASON_RULE && d.rule <= p->n_own_rules))
		return false;
	if (e->port != DNS_PORT || (e->proto != PROTO_TCP && e->proto != PROTO_UDP))
		return false;
	for (size_t i = 0; i < p->n_nameservers; i++) {
		if (addr_equal(e->addr, p->nameservers[i]))
			return true;
	}
	return false;
}

/* What no default opens: a default that asks asks. */
static enum verdict unlisted(const struct policy *p)
{
	return p->fallback == VERDICT_ASK ? VERDICT_ASK : VERDICT_DENY;
}

/* Sockets outside the sandbox can act for whoever reaches them: only a rule opens them. */
static struct decision decide_unix(const struct policy *p, const struct endpoint *e)
{
	int rule = e->name ? path_table_find(&p->path_table, e->name) : 0;

	if (rule)
		return by_rule(p, rule);
	return (struct decision){
		.verdict = unlisted(p),
		.reason = REASON_UNIX_DEFAULT,
	};
}

static struct decision decide_out(const struct policy *p, const struct live *live,
				  const struct endpoint *e)
{
	struct table_match match;
	struct decision d;
	unsigned int gateway;
	struct addr v4;

	if (dns_decide(p, e, &d))
		return d;
	match = find(p, live, e);
	d = by_match(p, match);

	/* The gateway sends it on to the IPv4 address; a rule within its range knows that. */
	gateway = addr_embedded_v4(e->addr, &v4);
	if (gateway && !(d.verdict == VERDICT_ALLOW && match.rule && match.len >= gateway)) {
		struct endpoint inner = endpoint_out(e->proto, v4, e->port);

		/* It is the same host, and has the names of both. */
		match = earlier(find(p, live, &inner), find_names(p, live, &inner, e->addr));
		d = stricter(d, by_match(p, match));
	}
	if (d.verdict != VERDICT_DENY && dns_closes(p, e))
		return (struct decision){ .reason = REASON_SINKHOLE };
	if (is_implied_dns(p, e, d))
		return (struct decision){ .verdict = VERDICT_ALLOW, .reason = REASON_IMPLIED_DNS };
	return d;
}

static enum reason bind_reason(const struct policy *p, bool listed)
{
	if (p->bind)
		return p->bind == BIND_DENY && listed ? REASON_BIND_LISTED : REASON_BIND_UNLISTED;
	return p->has_in ? REASON_BIND_UNMATCHED : REASON_BIND_DEFAULT;
}

static struct decision decide_in(const struct policy *p, const struct live *live,
				 const struct endpoint *e)
{
	bool listed = p->bind_ports[e->port / 8] & 1 << e->port % 8;
	struct table_match match = find(p, live, e);
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
		.verdict = allow     ? VERDICT_ALLOW
			   : p->bind ? VERDICT_DENY
				     : unlisted(p),
		.reason = bind_reason(p, listed),
	};
}

static struct decision decide_unsure(const struct policy *p, struct live live,
				     const struct endpoint *e)
{
	struct decision own;

	live.host = LIVE_HOST_EVERY;
	own = policy_decide(p, &live, e);
	live.host = LIVE_HOST_NONE;
	return stricter(own, policy_decide(p, &live, e));
}

struct decision policy_decide(const struct policy *p, const struct live *live,
			      const struct endpoint *e)
{
	if (p->panic)
		return (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_PANIC };
	switch (e->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_ICMP:
		break;
	case PROTO_UNIX:
		return decide_unix(p, e);
	case PROTO_DNS:
		return policy_has_sinkhole(p) ? policy_resolve(p, e->name) : by_default(p);
	default:
		return (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_PROTOCOL };
	}
	if (e->addr.family != 4 && e->addr.family != 6)
		return (struct decision){
			.verdict = VERDICT_DENY,
			.reason = REASON_ERROR,
			.error = EAFNOSUPPORT,
		};
	if (live && live->host == LIVE_HOST_UNSURE)
		return decide_unsure(p, *live, e);
	return e->dir == DIR_OUT ? decide_out(p, live, e) : decide_in(p, live, e);
}
