/* SPDX-License-Identifier: MIT */
/*
 * What a decision costs: 100 000 rules of any shape decide within twice the time of ten, and load
 * in a second. Processor time is measured, and the least of several rounds counts, so that others
 * on the machine do not.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/addr.h"
#include "policy/lint.h"
#include "policy/live.h"
#include "policy/names.h"
#include "policy/policy.h"
#include "selftests/unit/sanitized.h"

enum {
	FEW = 10,
	MANY = SANITIZED ? 10000 : 100000, /* memory is looked after, and nothing measured */
	ENDPOINTS = 256,
	ROUNDS = SANITIZED ? 4 : 40,
	ASKS = 4096, /* decisions in a round */
	NS_SECOND = 1000000000,
};

/* Writes rule number `i`; what it is about is anything but the endpoints, mostly. */
typedef void write_fn(char *buf, size_t size, int i);

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * (int64_t)NS_SECOND + ts.tv_nsec;
}

static struct addr v4(uint32_t number)
{
	return addr_from_v4((uint8_t[]){ number >> 24, number >> 16, number >> 8, number });
}

/* Spread over the numbers, so that neighbours in one list are none in another. */
static uint32_t mix(uint32_t i)
{
	return i * 2654435761U;
}

static void make_draft(struct draft *d, write_fn *write, int n)
{
	struct policy_error err = { "" };
	char text[200];

	for (int i = 0; i < n; i++) {
		write(text, sizeof(text), i);
		cr_assert_eq(draft_rule(d, text, &err), 0, "%s", err.text);
	}
	for (size_t i = 0; i < draft_hosts(d); i++)
		cr_assert_eq(draft_host_add(d, i, v4(mix((uint32_t)i))), 0);
}

static struct policy *load(write_fn *write, int n)
{
	int64_t start = now();
	struct draft *d = draft_new();
	struct policy *p;

	cr_assert(d);
	make_draft(d, write, n);
	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	if (!SANITIZED)
		cr_expect_lt(now() - start, NS_SECOND, "%d rules take %ld ms to load", n,
			     (long)((now() - start) / 1000000));
	return p;
}

/*
 * What is asked: every fourth a listener of the sandbox, an address of this machine, one of IPv6,
 * and one anywhere, on ports that many rules have.
 */
static void make_endpoints(struct endpoint e[static ENDPOINTS], struct names *names,
			   struct addr_set *this_host)
{
	char name[64];

	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		struct addr a = v4(i % 4 ? mix(i * 389) : 0x7f000001);

		if (i % 4 == 2)
			a = addr_from_v6((uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, i, i * 7, i * 31 });
		e[i] = endpoint_out(PROTO_TCP, a, (uint16_t)(1 + mix(i) % 65535));
		e[i].self = i % 4 == 0;
		if (i % 4 == 1 && i < 64)
			cr_assert_eq(addr_set_add(this_host, a), 0);
		/* Of a rule that there always is: to find one costs more than to find none. */
		snprintf(name, sizeof(name), "host%u.domain%u.test", i % FEW, i % FEW * 31);
		if (i % 4)
			cr_assert_eq(names_bind(names, a, name, UINT64_MAX), 0);
	}
}

/* Nanoseconds for a decision. */
static double measure(const struct policy *p, const struct live *live,
		      const struct endpoint e[static ENDPOINTS])
{
	int64_t best = INT64_MAX;
	volatile int sink = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now();

		for (int i = 0; i < ASKS; i++)
			sink += (int)policy_decide(p, live, &e[i % ENDPOINTS]).verdict;
		start = now() - start;
		if (start < best)
			best = start;
	}
	(void)sink; /* clang sees no use in a sum */
	return (double)best / ASKS;
}

static void compare(const char *what, write_fn *write)
{
	struct names *names = names_new();
	struct addr_set this_host = { 0 };
	struct live live = { .this_host = &this_host, .names = names };
	struct endpoint e[ENDPOINTS];
	struct policy *few = load(write, FEW);
	struct policy *many = load(write, MANY);
	double before, after;

	cr_assert(names);
	make_endpoints(e, names, &this_host);
	before = measure(few, &live, e);
	after = measure(many, &live, e);
	printf("# %-20s %6.1f ns with %d rules, %6.1f ns with %d\n", what, before, FEW, after,
	       MANY);
	if (!SANITIZED)
		cr_expect_lt(after, 2 * before, "%s: %.1f ns with many rules, %.1f with few", what,
			     after, before);
	policy_free(few);
	policy_free(many);
	names_free(names);
	addr_set_free(&this_host);
}

static void write_addresses(char *buf, size_t size, int i)
{
	uint32_t a = mix((uint32_t)i);

	snprintf(buf, size, "deny any://%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
		 a & 255);
}

static void write_prefixes(char *buf, size_t size, int i)
{
	uint32_t a = mix((uint32_t)i);

	snprintf(buf, size, "deny any://%u.%u.%u.%u/%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
		 a & 255, 8 + a % 25);
}

static void write_v6(char *buf, size_t size, int i)
{
	uint32_t a = mix((uint32_t)i);

	snprintf(buf, size, "deny any://[2001:db8:%x:%x::/%u]", a >> 16, a & 0xffff, 32 + a % 33);
}

static void write_hosts(char *buf, size_t size, int i)
{
	snprintf(buf, size, "allow host%d.domain%d.test:443", i, i * 31);
}

static void write_suffixes(char *buf, size_t size, int i)
{
	snprintf(buf, size, "allow .domain%d.test:443,8443", i * 31);
}

static void write_ports(char *buf, size_t size, int i)
{
	snprintf(buf, size, "%s :%d", i % 2 ? "allow" : "deny", 1 + i % 65535);
}

static void write_ranges(char *buf, size_t size, int i)
{
	uint32_t lo = 1 + mix((uint32_t)i) % 60000;

	snprintf(buf, size, "%s any://*:%u-%u", i % 2 ? "allow" : "deny", lo,
		 lo + (uint32_t)i % 50);
}

static void write_ports_of_prefixes(char *buf, size_t size, int i)
{
	snprintf(buf, size, "deny any://10.0.0.0/%d:%d", 8 + i % 16, 1 + i / 16 * 7 % 65535);
}

/* Every one of them holds 127.0.0.1. */
static void write_nests(char *buf, size_t size, int i)
{
	snprintf(buf, size, "deny any://127.0.0.1/%d:%d", 1 + i % 32, 1 + i / 32 * 7 % 65535);
}

static void write_this_host(char *buf, size_t size, int i)
{
	snprintf(buf, size, "deny any://@this-host:%d", 1 + i % 65535);
}

static void write_private(char *buf, size_t size, int i)
{
	snprintf(buf, size, i < 100 ? "deny any://private:%d" : "deny any://*:%d", 1 + i % 65535);
}

static void write_self(char *buf, size_t size, int i)
{
	snprintf(buf, size, "allow any://@self:%d", 1 + i % 65535);
}

static void write_mixture(char *buf, size_t size, int i)
{
	static write_fn *const kinds[] = { write_addresses, write_prefixes, write_hosts,
					   write_suffixes,  write_ports,    write_this_host,
					   write_self,      write_v6 };

	kinds[i % 8](buf, size, i);
}

static void write_ports_and_prefixes(char *buf, size_t size, int i)
{
	(i % 2 ? write_ports : write_addresses)(buf, size, i / 2);
}

static int count(void *arg, const struct lint_warning *w)
{
	(void)w;
	++*(int *)arg;
	return 0;
}

/* Each rule may be hidden by every other one. */
Test(cost, of_warnings)
{
	struct draft *d = draft_new();
	int warnings = 0;
	int64_t start;

	cr_assert(d);
	make_draft(d, write_ports_and_prefixes, MANY);
	start = now();
	cr_assert_eq(lint(d, count, &warnings), 0);
	start = now() - start;
	printf("# %-20s %ld ms for %d rules\n", "warnings", (long)(start / 1000000), MANY);
	if (!SANITIZED)
		cr_expect_lt(start, 2 * (int64_t)NS_SECOND);
	draft_free(d);
}

#define COST(name)                                                                                 \
	Test(cost, of_##name)                                                                      \
	{                                                                                          \
		compare(#name, write_##name);                                                      \
	}

COST(addresses)
COST(prefixes)
COST(v6)
COST(hosts)
COST(suffixes)
COST(ports)
COST(ranges)
COST(ports_of_prefixes)
COST(nests)
COST(this_host)
COST(private)
COST(self)
COST(mixture)
