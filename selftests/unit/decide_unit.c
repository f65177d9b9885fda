/* SPDX-License-Identifier: MIT */
/*
 * policy_decide() against a second evaluator that is too simple to be wrong: random policies, each
 * rule asked in turn whether it matches. A failure names the seed of its policy.
 */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/explain.h"
#include "policy/live.h"
#include "policy/names.h"
#include "policy/policy.h"
#include "selftests/unit/sanitized.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	POLICIES = SANITIZED ? 600 : 3000, /* memory is looked after, and seven times as slow */
	ENDPOINTS = 100,                   /* for each policy */
	RULES_MAX = 300,                   /* of every 50th policy; the others have few */
	FEW_RULES = 24,
	SPECS_MAX = 3,
	PORTS_MAX = 3,
};

enum target { EVERY, PREFIX, LOOPBACK, INTERNAL, PUBLIC, THIS_HOST, SELF, HOST, SUFFIX };

/* A spec as it was made up, of which the text is written. */
struct made_spec {
	unsigned int protos;
	enum target target;
	int family;
	uint8_t bytes[16];
	unsigned int len;
	int n_ports; /* 0: every port */
	int lo[PORTS_MAX], hi[PORTS_MAX];
};

struct made_rule {
	enum verdict verdict;
	enum direction dir;
	int n_specs;
	struct made_spec specs[SPECS_MAX];
	char text[600];
};

struct made_policy {
	uint64_t seed;
	enum verdict fallback;
	int n_rules;
	struct made_rule rules[RULES_MAX];
};

/* What is asked, before the policy's own code has seen it. */
struct question {
	enum direction dir;
	enum proto proto;
	int family;
	uint8_t bytes[16];
	int port;
};

static uint64_t state;

/* xorshift64*, Vigna 2016. */
static uint32_t random_below(uint32_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 32) % n;
}

/* Addresses that crowd where rules are, and those with a meaning of their own. */
static int random_addr(uint8_t bytes[static 16])
{
	static const char *const v4[] = { "0.0.0.0",   "127.0.0.1", "127.0.0.0",  "255.255.255.255",
					  "0.0.0.1",   "8.8.8.8",   "10.0.0.0",   "10.128.0.0",
					  "224.0.0.0", "240.1.2.3", "192.168.0.0" };
	static const char *const v6[] = { "::",
					  "::1",
					  "::2",
					  "64:ff9b::",
					  "2002::",
					  "64:ff9b::7f00:0",
					  "2001:db8::",
					  "2001:db8:8000::",
					  "fe80::",
					  "2002:a00::",
					  "64:ff9b::a00:0",
					  "fd00::",
					  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	bool is_v4 = random_below(2);
	int flips = random_below(4);

	memset(bytes, 0, 16);
	if (is_v4)
		inet_pton(AF_INET, v4[random_below(COUNT(v4))], bytes);
	else
		inet_pton(AF_INET6, v6[random_below(COUNT(v6))], bytes);
	for (int i = 0; i < flips; i++) {
		int bit = random_below(is_v4 ? 32 : 128);

		if (random_below(2))
			bit |= is_v4 ? 24 : 120;
		bytes[bit / 8] ^= 0x80 >> bit % 8;
	}
	return is_v4 ? 4 : 6;
}

static int random_port(void)
{
	static const int ports[] = { 1, 22, 53, 80, 81, 443, 8080, 65535 };

	return ports[random_below(COUNT(ports))];
}

/* Whether the first `len` bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	for (unsigned int bit = 0; bit < len; bit++) {
		if ((a[bit / 8] ^ b[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

/* A text that starts with a v4-mapped address would mean IPv4: make up no such one. */
static bool is_mapped(int family, const uint8_t *bytes)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return family == 6 && same_bits(bytes, prefix, 96);
}

static void make_spec(struct made_spec *s, enum direction dir, enum verdict verdict)
{
	static const unsigned int masks[] = { 1 << PROTO_TCP, 1 << PROTO_UDP, 1 << PROTO_ICMP,
					      1 << PROTO_TCP | 1 << PROTO_UDP | 1 << PROTO_ICMP };
	static const enum target targets[] = { EVERY,     PREFIX,   PREFIX,   PREFIX,
					       PREFIX,    LOOPBACK, INTERNAL, PUBLIC,
					       THIS_HOST, SELF,     HOST,     SUFFIX };

	memset(s, 0, sizeof(*s));
	do {
		s->protos = masks[random_below(COUNT(masks))];
	} while (dir == DIR_IN && s->protos == 1 << PROTO_ICMP);
	if (dir == DIR_IN)
		s->protos &= ~(1u << PROTO_ICMP);
	/* The last ones are not for binding: names, which cannot be denied, and what listens. */
	s->target = targets[random_below(COUNT(targets) - (dir == DIR_IN             ? 3
							   : verdict == VERDICT_DENY ? 2
										     : 0))];
	do {
		s->family = random_addr(s->bytes);
	} while (is_mapped(s->family, s->bytes));
	s->len = random_below(3)  ? random_below(s->family == 4 ? 33 : 129)
		 : s->family == 4 ? 32
				  : 128;
	if (s->protos == 1 << PROTO_ICMP || !random_below(3))
		return;
	s->n_ports = 1 + random_below(PORTS_MAX);
	for (int i = 0; i < s->n_ports; i++) {
		int a = random_port();
		int b = random_below(2) ? random_port() : a;

		s->lo[i] = a < b ? a : b;
		s->hi[i] = a < b ? b : a;
	}
	s->protos &= ~(1u << PROTO_ICMP);
}

static void append(char *buf, size_t size, const char *text)
{
	strncat(buf, text, size - strlen(buf) - 1);
}

static void write_spec(const struct made_spec *s, char *buf, size_t size)
{
	static const char *const names[] = {
		[EVERY] = "*",
		[LOOPBACK] = "@loopback",
		[INTERNAL] = "private",
		[PUBLIC] = "@public",
		[THIS_HOST] = "@this-host",
		[SELF] = "@self",
		[HOST] = "odd.made.test",
		[SUFFIX] = ".made.test",
	};
	char text[INET6_ADDRSTRLEN];
	char piece[80];

	append(buf, size,
	       s->protos & 1 << PROTO_TCP && s->protos & 1 << PROTO_UDP ? "any"
	       : s->protos & 1 << PROTO_TCP                             ? "tcp"
	       : s->protos & 1 << PROTO_UDP                             ? "udp"
									: "icmp");
	append(buf, size, "://");
	if (s->target == PREFIX) {
		inet_ntop(s->family == 4 ? AF_INET : AF_INET6, s->bytes, text, sizeof(text));
		snprintf(piece, sizeof(piece), s->family == 4 ? "%s/%u" : "[%s/%u]", text, s->len);
		append(buf, size, piece);
	} else {
		append(buf, size, names[s->target]);
	}
	for (int i = 0; i < s->n_ports; i++) {
		snprintf(piece, sizeof(piece), "%c%d-%d", i ? ',' : ':', s->lo[i], s->hi[i]);
		append(buf, size, piece);
	}
}

static void make_rule(struct made_rule *r)
{
	r->verdict = random_below(2) ? VERDICT_ALLOW : VERDICT_DENY;
	r->dir = random_below(8) ? DIR_OUT : DIR_IN;
	r->n_specs = 1 + random_below(SPECS_MAX);
	snprintf(r->text, sizeof(r->text), "%s %s ", verdict_name(r->verdict),
		 r->dir == DIR_IN ? "in" : "out");
	for (int i = 0; i < r->n_specs; i++) {
		make_spec(&r->specs[i], r->dir, r->verdict);
		append(r->text, sizeof(r->text), i ? "," : "");
		write_spec(&r->specs[i], r->text, sizeof(r->text));
	}
}

static void make_policy(struct made_policy *m, uint64_t seed)
{
	m->seed = seed;
	state = seed;
	m->fallback = random_below(2) ? VERDICT_ALLOW : VERDICT_DENY;
	m->n_rules = random_below(1 + (seed % 50 ? FEW_RULES : RULES_MAX));
	for (int i = 0; i < m->n_rules; i++)
		make_rule(&m->rules[i]);
}

/* Half of the questions are about an address that a rule has. */
static struct question make_question(const struct made_policy *m)
{
	static const enum proto protos[] = { PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_ICMP };
	struct question q = { .dir = random_below(8) ? DIR_OUT : DIR_IN };

	/* The last one is not for binding. */
	q.proto = protos[random_below(q.dir == DIR_IN ? 3 : 4)];
	q.family = random_addr(q.bytes);
	if (m->n_rules && random_below(2)) {
		const struct made_rule *r = &m->rules[random_below(m->n_rules)];
		const struct made_spec *s = &r->specs[random_below(r->n_specs)];

		q.family = s->family;
		memcpy(q.bytes, s->bytes, sizeof(q.bytes));
		if (random_below(2))
			q.bytes[random_below(s->family == 4 ? 4 : 16)] ^= 1 << random_below(8);
	}
	q.port = q.proto == PROTO_ICMP ? 0 : random_port() - (int)random_below(2);
	return q;
}

static bool in_one_of(int family, const uint8_t *bytes, const char *const *prefixes)
{
	for (; *prefixes; prefixes++) {
		uint8_t prefix[16];
		char text[50];
		unsigned int len;

		cr_assert_eq(sscanf(*prefixes, "%49[^/]/%u", text, &len), 2);
		if (inet_pton(family == 4 ? AF_INET : AF_INET6, text, prefix) == 1 &&
		    same_bits(bytes, prefix, len))
			return true;
	}
	return false;
}

static bool is_internal(int family, const uint8_t *bytes)
{
	/* 02, and the only cloud metadata addresses that are in none of these. */
	static const char *const prefixes[] = {
		"127.0.0.0/8",   "::1/128",          "10.0.0.0/8",
		"172.16.0.0/12", "192.168.0.0/16",   "100.64.0.0/10",
		"fc00::/7",      "169.254.0.0/16",   "fe80::/10",
		"224.0.0.0/4",   "ff00::/8",         "0.0.0.0/8",
		"240.0.0.0/4",   "168.63.129.16/32", "192.0.0.192/32",
		"fec0::/10",     "64:ff9b:1::/48",   NULL,
	};

	return in_one_of(family, bytes, prefixes);
}

static const char *const loopbacks[] = { "127.0.0.0/8", "::1/128", NULL };

/* The facts of the day: every other address is this machine's, and every third has a name. */
static bool is_this_host(const uint8_t *bytes)
{
	return (bytes[1] ^ bytes[3] ^ bytes[15]) & 1;
}

static const char *name_of(const uint8_t *bytes)
{
	static const char *const names[] = { "odd.made.test", "even.made.test", NULL };

	return names[(bytes[0] + bytes[3] + bytes[15]) % 3];
}

/* The sandbox listens on some ports of every loopback address. */
static bool is_self(int family, const uint8_t *bytes, enum proto proto, int port)
{
	return in_one_of(family, bytes, loopbacks) && proto != PROTO_ICMP && port % 2;
}

/* `name` may be NULL. */
static bool target_matches(const struct made_spec *s, int family, const uint8_t *bytes, bool self,
			   const char *name)
{
	static const char *const nobody[] = { "::/128", NULL };

	switch (s->target) {
	case EVERY:
		return true;
	case PREFIX:
		return s->family == family && same_bits(s->bytes, bytes, s->len);
	case LOOPBACK:
		return in_one_of(family, bytes, loopbacks);
	case INTERNAL:
		return is_internal(family, bytes) || is_this_host(bytes);
	case PUBLIC:
		return !is_internal(family, bytes) && !in_one_of(family, bytes, nobody) &&
		       !is_this_host(bytes);
	case THIS_HOST:
		return is_this_host(bytes);
	case SELF:
		return self;
	case HOST:
		return name && !strcmp(name, "odd.made.test");
	case SUFFIX:
		return name;
	}
	return false;
}

static bool port_matches(const struct made_spec *s, int port)
{
	for (int i = 0; i < s->n_ports; i++) {
		if (s->lo[i] <= port && port <= s->hi[i])
			return true;
	}
	return !s->n_ports;
}

/*
 * The first rule for the question, and the longest prefix of it that matches; or 0. `outer` is the
 * question whose address has this one inside, or NULL.
 */
static int first_match(const struct made_policy *m, const struct question *q,
		       const struct question *outer, unsigned int *len)
{
	unsigned int bits = q->family == 4 ? 32 : 128;
	bool self;
	static const uint8_t zero[16];
	bool unspecified = q->dir == DIR_OUT && !memcmp(q->bytes, zero, 16);
	uint8_t bytes[16];

	memcpy(bytes, q->bytes, 16);
	if (unspecified) {
		bytes[0] = q->family == 4 ? 127 : 0;
		bytes[q->family == 4 ? 3 : 15] = 1;
	}
	self = !outer && q->dir == DIR_OUT && is_self(q->family, bytes, q->proto, q->port);
	for (int i = 0; i < m->n_rules; i++) {
		bool matches = false;

		*len = 0;
		for (int k = 0; k < m->rules[i].n_specs; k++) {
			const struct made_spec *s = &m->rules[i].specs[k];
			bool literal = unspecified && s->target == PREFIX &&
				       s->family == q->family && !memcmp(s->bytes, zero, 16) &&
				       s->len == (s->family == 4 ? 32 : 128);

			if (m->rules[i].dir != q->dir || !(s->protos & 1 << q->proto) ||
			    !port_matches(s, q->port))
				continue;
			if (!literal &&
			    !target_matches(s, q->family, bytes, self, name_of(bytes)) &&
			    !(outer && s->target >= HOST &&
			      target_matches(s, 0, bytes, false, name_of(outer->bytes))))
				continue;
			matches = true;
			if (s->target == PREFIX && s->len > *len)
				*len = s->len;
			/* By another property than the number, it is about this very address. */
			if (s->target == THIS_HOST || s->target == SELF ||
			    (s->target == INTERNAL && is_this_host(bytes)))
				*len = bits;
		}
		if (matches)
			return i + 1;
	}
	return 0;
}

static enum verdict verdict_of(const struct made_policy *m, int rule)
{
	return rule ? m->rules[rule - 1].verdict : m->fallback;
}

/* The rule that decides, or 0, and the verdict. */
static int oracle(const struct made_policy *m, const struct question *q, enum verdict *verdict)
{
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };
	struct question inner = *q;
	unsigned int len, ignored;
	unsigned int gateway = 0;
	int rule = first_match(m, q, NULL, &len);
	int other;

	*verdict = verdict_of(m, rule);
	if (q->dir == DIR_IN) {
		static const uint8_t one[16] = { [15] = 1 };
		bool loopback = q->family == 4 ? q->bytes[0] == 127 : !memcmp(q->bytes, one, 16);

		if (!rule)
			*verdict = loopback || !q->port ? VERDICT_ALLOW : VERDICT_DENY;
		return rule;
	}
	if (q->family == 6 && !memcmp(q->bytes, nat64, 12))
		gateway = 96;
	else if (q->family == 6 && q->bytes[0] == 0x20 && q->bytes[1] == 0x02)
		gateway = 16;
	/* The groups that cover these ranges are wider than they are. */
	if (!gateway || (rule && *verdict == VERDICT_ALLOW && len >= gateway))
		return rule;
	inner.family = 4;
	memset(inner.bytes, 0, 16);
	memcpy(inner.bytes, q->bytes + (gateway == 96 ? 12 : 2), 4);
	other = first_match(m, &inner, q, &ignored);
	if (*verdict == VERDICT_ALLOW && verdict_of(m, other) == VERDICT_DENY) {
		*verdict = VERDICT_DENY;
		return other;
	}
	return rule;
}

static struct endpoint endpoint_of(const struct question *q)
{
	struct addr a = q->family == 4 ? addr_from_v4(q->bytes) : addr_from_v6(q->bytes);
	struct endpoint e =
		(q->dir == DIR_IN ? endpoint_in : endpoint_out)(q->proto, a, (uint16_t)q->port);

	e.self = e.dir == DIR_OUT && is_self(e.addr.family, e.addr.bytes, q->proto, q->port);
	return e;
}

struct facts {
	struct addr_set this_host;
	struct live live;
};

static struct facts *facts_new(void)
{
	struct facts *f = calloc(1, sizeof(*f));

	cr_assert(f);
	f->live.this_host = &f->this_host;
	f->live.names = names_new();
	cr_assert(f->live.names);
	return f;
}

static void facts_free(struct facts *f)
{
	addr_set_free(&f->this_host);
	names_free((struct names *)f->live.names);
	free(f);
}

/* What there is to say of an address, and of the one inside it. */
static void learn(struct facts *f, struct addr a)
{
	struct addr inner;

	if (is_this_host(a.bytes))
		cr_assert_eq(addr_set_add(&f->this_host, a), 0);
	if (name_of(a.bytes))
		cr_assert_eq(names_bind((struct names *)f->live.names, a, name_of(a.bytes), 1), 0);
	if (addr_embedded_v4(a, &inner))
		learn(f, endpoint_out(PROTO_TCP, inner, 0).addr);
}

static struct policy *compile(const struct made_policy *m, const char *first)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p = NULL;

	cr_assert(d);
	cr_assert_eq(draft_default(d, verdict_name(m->fallback), &err), 0, "%s", err.text);
	if (first)
		cr_assert_eq(draft_rule(d, first, &err), 0, "%s: %s", first, err.text);
	for (int i = 0; i < m->n_rules; i++)
		cr_assert_eq(draft_rule(d, m->rules[i].text, &err), 0, "seed %lu, %s: %s", m->seed,
			     m->rules[i].text, err.text);
	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	return p;
}

/* The decision hangs on whether the sandbox listens there just if policy_asks_self() says so. */
static void expect_self_asked(const struct policy *p, const struct live *live,
			      const struct endpoint *e)
{
	struct endpoint with = *e, without = *e;

	if (e->dir == DIR_IN || e->proto == PROTO_ICMP || !addr_is_loopback(e->addr))
		return;
	with.self = true;
	without.self = false;
	cr_assert_eq(policy_asks_self(p, live, e),
		     policy_decide(p, live, &with).rule != policy_decide(p, live, &without).rule);
}

Test(decide, agrees_with_a_linear_search)
{
	static struct made_policy m;

	for (uint64_t seed = 1; seed <= POLICIES; seed++) {
		struct facts *f = facts_new();
		struct policy *p;

		make_policy(&m, seed);
		p = compile(&m, NULL);
		for (int i = 0; i < ENDPOINTS; i++) {
			struct question q = make_question(&m);
			struct endpoint e = endpoint_of(&q);
			struct decision seen;
			enum verdict verdict;
			char *answer;
			int rule;

			if (is_mapped(q.family, q.bytes))
				continue;
			learn(f, e.addr);
			seen = policy_decide(p, &f->live, &e);
			rule = oracle(&m, &q, &verdict);
			answer = explain_answer(p, &f->live, &e);
			cr_assert(seen.verdict == verdict && seen.rule == rule,
				  "seed %lu, question %d: '%s', but the oracle says %s by rule %d",
				  seed, i, answer, verdict_name(verdict), rule);
			free(answer);
			expect_self_asked(p, &f->live, &e);
		}
		facts_free(f);
		policy_free(p);
	}
}

Test(decide, the_hint_flips_the_verdict)
{
	static struct made_policy m;

	for (uint64_t seed = 1; seed <= POLICIES; seed++) {
		char hint[EXPLAIN_HINT_MAX];
		struct decision before, after;
		struct facts *f = facts_new();
		struct policy *p;
		struct question q;
		struct endpoint e;

		make_policy(&m, seed);
		q = make_question(&m);
		e = endpoint_of(&q);
		learn(f, e.addr);
		p = compile(&m, NULL);
		before = policy_decide(p, &f->live, &e);
		policy_free(p);
		p = compile(&m, explain_hint(&e, before.verdict, hint));
		after = policy_decide(p, &f->live, &e);
		policy_free(p);
		cr_assert(after.verdict != before.verdict && after.rule == 1, "seed %lu: %s", seed,
			  hint);
		facts_free(f);
	}
}

/* The first line of why with "match" has the number of the rule that decided. */
Test(decide, why_agrees_with_the_decision)
{
	static struct made_policy m;

	for (uint64_t seed = 1; seed <= POLICIES; seed++) {
		struct facts *f = facts_new();
		struct policy *p;

		make_policy(&m, seed);
		p = compile(&m, NULL);
		for (int i = 0; i < 10; i++) {
			struct question q = make_question(&m);
			struct endpoint e = endpoint_of(&q);
			struct decision d;
			struct addr v4;
			char *why, *match;

			learn(f, e.addr);
			d = policy_decide(p, &f->live, &e);
			why = explain_why(p, &f->live, &e);
			cr_assert(why);
			match = strstr(why, "\tmatch\t");
			while (match && match > why && match[-1] != '\n')
				match--;
			if (!addr_embedded_v4(e.addr, &v4))
				cr_assert_eq(match ? atoi(match) : 0, d.rule, "seed %lu: %s", seed,
					     why);
			free(why);
		}
		facts_free(f);
		policy_free(p);
	}
}

/* The order that sorting must keep: many rules for the same few addresses and ports. */
Test(decide, a_hundred_thousand_rules_keep_first_match)
{
	enum { N = 100000 };
	static int first[16][16];
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p;
	char text[60];

	cr_assert(d);
	state = 1;
	for (int i = 1; i <= N; i++) {
		int a = random_below(16);
		int b = random_below(16);

		if (!first[a][b])
			first[a][b] = i;
		snprintf(text, sizeof(text), "deny 10.0.%d.0/24:%d", a, 1000 + b);
		cr_assert_eq(draft_rule(d, text, &err), 0, "%s", err.text);
	}
	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	for (int a = 0; a < 16; a++) {
		for (int b = 0; b < 16; b++) {
			struct endpoint e;
			struct addr addr;

			snprintf(text, sizeof(text), "10.0.%d.7", a);
			cr_assert_eq(addr_parse(text, &addr), 0);
			e = endpoint_out(PROTO_UDP, addr, 1000 + b);
			cr_expect_eq(policy_decide(p, NULL, &e).rule, first[a][b]);
		}
	}
	policy_free(p);
}
