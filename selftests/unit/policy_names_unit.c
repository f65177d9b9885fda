/* SPDX-License-Identifier: MIT */
/*
 * Names in a policy, and the name servers that they need.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "policy/live.h"
#include "policy/names.h"
#include "selftests/unit/policies.h"

Test(policy, host_names)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_allow(d, "localhost:80,443", &err), &err);
	must(draft_allow(d, "b.example,1.2.3.4", &err), &err);
	must(draft_allow(d, "udp://LocalHost:53", &err), &err);
	cr_assert_eq(draft_hosts(d), 2);
	cr_expect_str_eq(draft_host(d, 0), "localhost");
	cr_expect_str_eq(draft_host(d, 1), "b.example");
	must(draft_host_add(d, 0, addr("127.0.0.1")), &err);
	must(draft_host_add(d, 0, addr("::1")), &err);
	must(draft_host_add(d, 1, addr("0.0.0.0")), &err);
	must(draft_host_add(d, 1, addr("::")), &err);
	p = compile(d);
	expect_decision(p, "tcp 127.0.0.1 80", "allow (rule 1: allow localhost:80,443)");
	expect_decision(p, "tcp ::1 443", "allow (rule 1: allow localhost:80,443)");
	expect_decision(p, "tcp 0.0.0.0 80", "allow (rule 1: allow localhost:80,443)");
	expect_decision(p, "udp ::1 53", "allow (rule 3: allow udp://LocalHost:53)");
	expect_decision(p, "tcp 127.0.0.2 80", "deny (default)");
	expect_decision(p, "tcp 127.0.0.1 81", "deny (default)");
	expect_decision(p, "tcp :: 81", "deny (default)");
	expect_decision(p, "tcp 1.2.3.4 80", "allow (rule 2: allow b.example,1.2.3.4)");
	policy_free(p);
}

/* Its owner can let a name mean any address, also one behind a gateway. */
Test(policy, a_name_does_not_speak_for_the_address_behind_a_gateway)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_rule(d, "deny any://private", &err), &err);
	must(draft_rule(d, "allow a.example:80", &err), &err);
	must(draft_host_add(d, 0, addr("64:ff9b::10.0.0.1")), &err);
	must(draft_host_add(d, 0, addr("64:ff9b::1.1.1.1")), &err);
	must(draft_host_add(d, 0, addr("1.1.1.1")), &err);
	p = compile(d);
	expect_decision(p, "tcp 64:ff9b::10.0.0.1 80", "deny (rule 1: deny any://private)");
	expect_decision(p, "tcp 64:ff9b::1.1.1.1 80", "allow (rule 2: allow a.example:80)");
	policy_free(p);
}

/* By what the sandbox resolved: literal names, and every name below a domain, but not itself. */
Test(policy, live_names)
{
	struct policy *p = rules(TEXTS("deny any://private", "allow .b.example:443,*.c.example",
				       "allow udp://x.b.example", "deny any://*"));
	struct names *names = names_new();
	struct live live = { .names = names, .now = 10 };
	static const struct {
		const char *addr, *name;
		uint64_t until;
		const char *text, *wanted;
	} rows[] = {
		{ "1.1.1.1", "www.b.example", 11, "tcp 1.1.1.1 443", "allow 2" },
		{ "1.1.1.1", "www.b.example", 11, "tcp 1.1.1.1 80", "deny 4" },
		{ "1.1.1.1", "www.b.example", 11, "udp 1.1.1.1 443", "deny 4" },
		{ "1.1.1.2", "www.b.example", 10, "tcp 1.1.1.2 443", "deny 4" },
		{ "1.1.1.3", "b.example", 11, "tcp 1.1.1.3 443", "deny 4" },
		{ "1.1.1.4", "xb.example", 11, "tcp 1.1.1.4 443", "deny 4" },
		{ "1.1.1.5", "a.very.long.way.down.c.example", 11, "tcp 1.1.1.5 1", "allow 2" },
		{ "2001:db8::1", "x.b.example", 11, "udp 2001:db8::1 1", "allow 3" },
		{ "1.1.1.6", "y.x.b.example", 11, "udp 1.1.1.6 1", "deny 4" },
		{ "10.0.0.1", "www.b.example", 11, "tcp 10.0.0.1 443", "deny 1" },
		{ "64:ff9b::1.2.3.4", "www.b.example", 11, "tcp 64:ff9b::1.2.3.4 443", "allow 2" },
		{ "64:ff9b::10.2.3.4", "www.b.example", 11, "tcp 64:ff9b::10.2.3.4 443", "deny 1" },
		{ "1.1.1.7", "www.b.example", 11, "in tcp 1.1.1.7 443", "deny 0" },
	};

	cr_assert(names);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct endpoint e = endpoint(rows[i].text);
		struct decision d;
		char seen[20];

		cr_assert_eq(names_bind(names, addr(rows[i].addr), rows[i].name, rows[i].until), 0);
		d = policy_decide(p, &live, &e);
		snprintf(seen, sizeof(seen), "%s %d", verdict_name(d.verdict), d.rule);
		cr_expect_str_eq(seen, rows[i].wanted, "row %zu: %s", i, seen);
		/* Without what is live nobody has a name. */
		cr_expect_eq(policy_decide(p, NULL, &e).verdict, VERDICT_DENY);
	}
	names_free(names);
	policy_free(p);
}

Test(policy, addresses_need_no_lookup)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();

	must(draft_allow(d, "1.2.3.4,10.0.0.0/8:80,udp://1.1.1.1:53", &err), &err);
	must(draft_allow(d, "*", &err), &err);
	must(draft_allow(d, "private", &err), &err);
	cr_expect_eq(draft_hosts(d), 0);
	draft_free(d);
}

Test(policy, name_servers_are_implied)
{
	static const struct {
		const char *spec;
		bool implied;
	} rows[] = {
		{ "example.com:443", true },
		{ ".example.com:443", true },
		{ "@self", false },
		{ "@this-host", false },
		{ "*", true },
		{ ":443", true },
		{ "icmp://*", true },
		{ "1.1.1.1", true },
		{ "8.0.0.0/5", true },
		{ "2001:db8::1", true },
		{ "@public:80", true },
		{ "10.0.0.0/8", false },
		{ "private", false },
		{ "::1", false },
		{ "203.0.113.0/24", true },
		{ "203.0.113.9", false },
		{ "10.0.0.0/8,1.1.1.1", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = new_draft();
		struct policy *p;

		must(draft_allow(d, rows[i].spec, &err), &err);
		must(draft_this_host_add(d, addr("203.0.113.9")), &err);
		must(draft_nameserver_add(d, addr("192.0.2.53")), &err);
		must(draft_nameserver_add(d, addr("::ffff:192.0.2.54")), &err);
		must(draft_nameserver_add(d, addr("0.0.0.0")), &err);
		p = compile(d);
		cr_expect_eq(policy_implies_dns(p), rows[i].implied, "%s", rows[i].spec);
		if (rows[i].implied) {
			expect_decision(p, "udp 192.0.2.53 53", "allow (implied-dns)");
			expect_decision(p, "udp 192.0.2.54 53", "allow (implied-dns)");
			expect_decision(p, "udp 0.0.0.0 53", "allow (implied-dns)");
			expect_decision(p, "udp 192.0.2.55 53", "deny (default)");
			expect_decision(p, "udp 192.0.2.53 54", "deny (default)");
		} else {
			expect_decision(p, "udp 192.0.2.53 53", "deny (default)");
			expect_decision(p, "tcp 192.0.2.53 53", "deny (default)");
		}
		policy_free(p);
	}
}

Test(policy, a_deny_list_implies_no_name_server)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_deny(d, "192.0.2.0/24,udp://192.0.2.0/24", &err), &err);
	must(draft_nameserver_add(d, addr("192.0.2.53")), &err);
	p = compile(d);
	cr_expect(!policy_implies_dns(p));
	expect_decision(p, "udp 192.0.2.53 53",
			"deny (rule 1: deny 192.0.2.0/24,udp://192.0.2.0/24)");
	policy_free(p);
}

Test(policy, name_servers_are_implied_before_a_preset)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_rule(d, "deny 192.168.1.2", &err), &err);
	must(draft_preset(d, "public-only", &err), &err);
	must(draft_nameserver_add(d, addr("127.0.0.53")), &err);
	must(draft_nameserver_add(d, addr("192.168.1.1")), &err);
	must(draft_nameserver_add(d, addr("192.168.1.2")), &err);
	p = compile(d);
	expect_decision(p, "udp 127.0.0.53 53", "allow (implied-dns)");
	expect_decision(p, "tcp 192.168.1.1 53", "allow (implied-dns)");
	expect_decision(p, "udp 192.168.1.1 54", "deny (rule 2: deny any://private)");
	expect_decision(p, "udp 192.168.1.2 53", "deny (rule 1: deny 192.168.1.2)");
	policy_free(p);

	d = new_draft();
	must(draft_preset(d, "none", &err), &err);
	must(draft_nameserver_add(d, addr("127.0.0.53")), &err);
	p = compile(d);
	expect_decision(p, "udp 127.0.0.53 53", "deny (rule 1: deny any://*)");
	policy_free(p);
}
