/* SPDX-License-Identifier: MIT */
#include "uring/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/names.h"
#include "uring/question.h"

enum { DNS_PORTS = 65536 };

struct question *question_take(struct dns *d)
{
	struct question *x = d->free;

	d->free = x->next_free;
	return x;
}

void question_release(struct question *x)
{
	struct dns *d = x->dns;

	x->next_free = d->free;
	d->free = x;
}

static const struct policy *policy_of(const struct question *x)
{
	return x->dns->engine->policy;
}

/* ---- answers ----------------------------------------------------------- */

/* How long an answer may be: a connection takes everything. */
static size_t room_of(const struct question *x)
{
	return x->origin.connection ? (size_t)PACKET_MAX : x->query.room;
}

/* An answer of our own; it says nothing about how long it holds. */
static void answer(struct question *x, int rcode, const struct addr *addrs, size_t n)
{
	struct dns *d = x->dns;
	size_t len = packet_answer(&x->query, rcode, addrs, n, 0, d->out, room_of(x));

	dns_reply(d, &x->origin, d->out, len);
}

static void record(const struct question *x, struct decision decision)
{
	struct record r = {
		.generation = x->dns->engine->generation,
		.endpoint = { .dir = DIR_OUT,
			      .proto = PROTO_DNS,
			      .addr = x->origin.asked,
			      .name = x->name },
		.decision = decision,
		.tid = x->origin.tid,
		.syscall = "query",
		.latency_ns = loop_now() - x->start,
	};

	if (decision.reason == REASON_RULE) {
		r.rule = policy_rule_text(policy_of(x), decision.rule);
		snapshot_hit(x->dns->engine->snapshot, decision.rule);
	}
	report_decision(x->dns->report, &r);
}

static void refuse(struct question *x, struct decision decision)
{
	static const struct addr nowhere[] = { { .family = 4 }, { .family = 6 } };

	record(x, decision);
	switch (policy_denied(policy_of(x), x->name)) {
	case DNS_ZERO:
		answer(x, ns_r_noerror, nowhere, 2);
		break;
	case DNS_NXDOMAIN:
		answer(x, ns_r_nxdomain, NULL, 0);
		break;
	case DNS_REFUSED:
		answer(x, ns_r_refused, NULL, 0);
		break;
	}
}

/* ---- what a name server says -------------------------------------------- */

static bool is_alias(const struct scan *s, const char *name)
{
	for (unsigned i = 0; i < s->aliases; i++)
		if (!strcasecmp(s->alias[i], name))
			return true;
	return false;
}

/* Follow CNAMEs, in whatever order they stand. */
static int follow(void *arg, const struct packet_record *r)
{
	struct scan *s = arg;

	if (r->type != ns_t_cname || s->aliases == sizeof(s->alias) / sizeof(s->alias[0]) ||
	    !is_alias(s, r->owner) || is_alias(s, r->target))
		return 0;
	strcpy(s->alias[s->aliases++], r->target);
	s->grown = true;
	return 0;
}

/* Nothing blocked and nothing internal may hide behind a permitted name. */
static int inspect(void *arg, const struct packet_record *r)
{
	struct scan *s = arg;
	const struct policy *p = policy_of(s->question);
	char name[DOMAIN_TEXT_MAX];

	if (r->target && !domain_normalise(r->target, name)) {
		s->refusal = policy_resolve_alias(p, name);
		if (s->refusal.verdict != VERDICT_ALLOW)
			return -EPERM;
	}
	if (r->addr.family &&
	    policy_is_rebinding(p, &s->question->dns->engine->live, s->question->name, r->addr)) {
		s->refusal =
			(struct decision){ .reason = REASON_REBIND, .name = s->question->name };
		return -EPERM;
	}
	return 0;
}

/* How long an address stays known after an answer for the name: not less than a minute, and grace.
 */
static uint64_t until(uint32_t ttl)
{
	enum { MIN = 60, GRACE = 60, MAX = 24 * 60 * 60 };
	uint64_t seconds = (ttl > MIN ? ttl : MIN) + (uint64_t)GRACE;

	return loop_now() + (seconds < MAX ? seconds : MAX) * 1000000000;
}

/* Names that rules are about are letters, digits and hyphens. Returns 0 or -ENOMEM. */
static int bind_name(const struct question *x, struct addr addr, uint32_t ttl)
{
	char name[DOMAIN_TEXT_MAX];

	if (domain_normalise(x->name, name) || addr_is_unspecified(addr))
		return 0;
	return names_bind(x->dns->engine->names, addr, name, until(ttl));
}

/*
 * The asked name means these addresses, but not those that only stand beside it, such as that of
 * its mail server.
 */
static int learn(void *arg, const struct packet_record *r)
{
	struct scan *s = arg;

	if (!r->addr.family || !is_alias(s, r->owner))
		return 0;
	if (!s->ttl || r->ttl < s->ttl)
		s->ttl = r->ttl;
	return bind_name(s->question, r->addr, r->ttl);
}

int scan_answer(struct scan *s, const uint8_t *wire, size_t len)
{
	int ret = 0;

	s->aliases = 1;
	strcpy(s->alias[0], s->question->query.name);
	do {
		s->grown = false;
		ret = packet_walk(wire, len, follow, s);
	} while (!ret && s->grown);
	if (!ret)
		ret = packet_walk(wire, len, inspect, s);
	return ret ? ret : packet_walk(wire, len, learn, s);
}

static void answered(void *arg, uint8_t *wire, size_t len)
{
	struct question *x = arg;
	struct dns *d = x->dns;
	struct scan scan = { .question = x };
	/* The policy may have changed meanwhile. */
	struct decision decision = policy_resolve(policy_of(x), x->name);
	int ret = -EBADMSG;

	if (decision.verdict == VERDICT_ALLOW && wire)
		ret = scan_answer(&scan, wire, len);
	if (decision.verdict != VERDICT_ALLOW) {
		refuse(x, decision);
	} else if (ret == -EPERM) {
		refuse(x, scan.refusal);
	} else {
		record(x, decision);
		len = ret ? 0 : packet_adapt(wire, len, &x->query, room_of(x));
		if (len)
			dns_reply(x->dns, &x->origin, wire, len);
		else
			answer(x, ns_r_servfail, NULL, 0);
	}
	question_release(x);
	/* Whoever is asking just now goes on by itself. */
	if (d->starved && !d->asking)
		dns_go_on(d);
}

/* ---- questions --------------------------------------------------------- */

/*
 * A name that this machine knows leaves it for nobody, so that no rule has to need it. Returns true
 * if it is one.
 */
static bool answer_locally(struct question *x, struct decision decision)
{
	struct addr addrs[HOSTS_ADDRESSES];
	size_t n;

	/* What holds for the end of an alias holds here: whether a rule speaks against the name. */
	if (policy_resolve_alias(policy_of(x), x->name).verdict != VERDICT_ALLOW)
		return false;
	n = hosts_find(&x->dns->hosts, x->name, addrs, HOSTS_ADDRESSES);
	if (!n)
		return false;
	if (decision.verdict != VERDICT_ALLOW)
		decision = (struct decision){ .verdict = VERDICT_ALLOW, .reason = REASON_HOSTS };
	for (size_t i = 0; i < n; i++)
		if (hosts_speaks_for(x->name, addrs[i]) && bind_name(x, addrs[i], 0))
			return false;
	record(x, decision);
	answer(x, ns_r_noerror, addrs, n);
	return true;
}

/* Returns true when the question waits for a name server. */
static bool begin(struct question *x)
{
	uint8_t wire[PACKET_QUERY_MAX];
	struct decision decision = policy_resolve(policy_of(x), x->name);
	size_t len;

	if (answer_locally(x, decision))
		return false;
	if (decision.verdict != VERDICT_ALLOW) {
		refuse(x, decision);
		return false;
	}
	len = packet_ask(&x->query, upstream_id(x->dns->upstream), wire);
	if (upstream_ask(x->dns->upstream, wire, len, answered, x) == 0)
		return true;
	record(x, decision);
	answer(x, ns_r_servfail, NULL, 0);
	return false;
}

static void ask(struct dns *d, const uint8_t *wire, size_t len, const struct origin *o)
{
	struct question *x = question_take(d);
	int ret = packet_read(wire, len, &x->query);

	x->origin = *o;
	x->start = loop_now();
	if (ret) {
		if (ret != PACKET_SILENCE)
			answer(x, -ret, NULL, 0);
		question_release(x);
		return;
	}
	/* No rule can be about what is no host name: it gets what is left to unnamed ones. */
	if (domain_normalise(x->query.name, x->name))
		strcpy(x->name, x->query.name);
	if (!begin(x))
		question_release(x);
}

void dns_ask(struct dns *d, const uint8_t *wire, size_t len, const struct origin *o)
{
	d->asking = true;
	ask(d, wire, len, o);
	d->asking = false;
}

/* ---- the sinkhole ------------------------------------------------------ */

void dns_note_asker(struct dns *d, enum proto proto, uint16_t port, pid_t tid)
{
	d->askers[proto][port] = tid;
}

int dns_serve(struct mirror *m, int server[static DNS_SERVERS])
{
	int ret = 0;

	for (int i = 0; i < DNS_SERVERS; i++)
		server[i] = -1;
	for (int i = 0; !ret && i < DNS_SERVERS; i++) {
		int fd = mirror_serve(m, i < 2 ? AF_INET : AF_INET6,
				      i % 2 ? SOCK_DGRAM : SOCK_STREAM, NS_DEFAULTPORT);

		if (fd >= 0)
			server[i] = fd;
		else if (fd != -EAFNOSUPPORT)
			ret = fd;
	}
	for (int i = 0; ret && i < DNS_SERVERS; i++)
		if (server[i] >= 0)
			close(server[i]);
	return ret;
}

static int allocate(struct dns *d)
{
	d->questions = calloc(DNS_QUESTIONS, sizeof(*d->questions));
	d->askers[PROTO_TCP] = calloc(DNS_PORTS, sizeof(pid_t));
	d->askers[PROTO_UDP] = calloc(DNS_PORTS, sizeof(pid_t));
	d->out = malloc(PACKET_MAX);
	if (!d->questions || !d->askers[PROTO_TCP] || !d->askers[PROTO_UDP] || !d->out)
		return -ENOMEM;
	for (int i = DNS_QUESTIONS - 1; i >= 0; i--) {
		d->questions[i].dns = d;
		d->questions[i].next_free = d->free;
		d->free = &d->questions[i];
	}
	return hosts_read(&d->hosts, "/etc/hosts");
}

int dns_new(const struct dns_config *config, struct dns **out)
{
	struct dns *d = calloc(1, sizeof(*d));
	const struct dns_server *servers;
	size_t n;
	int ret;

	if (!d)
		return -ENOMEM;
	d->engine = config->engine;
	d->loop = config->loop;
	d->stats = config->stats;
	d->report = config->report;
	servers = policy_upstream(d->engine->policy, &n);
	ret = allocate(d);
	if (!ret)
		ret = upstream_new(d->loop, servers, n, &d->upstream);
	if (!ret)
		ret = dns_listen(d, config->server);
	if (!ret)
		ret = refresh_start(d);
	if (ret)
		dns_free(d);
	else
		*out = d;
	return ret;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	refresh_stop(d);
	upstream_free(d->upstream);
	dns_close(d);
	hosts_free(&d->hosts);
	free(d->questions);
	free(d->askers[PROTO_TCP]);
	free(d->askers[PROTO_UDP]);
	free(d->out);
	free(d);
}
