/* SPDX-License-Identifier: MIT */
/*
 * Groups of addresses, and addresses that mean something else than they say.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "policy/addr.h"
#include "policy/live.h"
#include "selftests/unit/policies.h"

Test(policy, private_is_every_internal_group)
{
	static const char *const internal[] = {
		"10.0.0.1",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"100.64.0.1",
		"127.0.0.1",
		"127.255.255.254",
		"169.254.1.1",
		"169.254.169.254",
		"100.100.100.200",
		"168.63.129.16",
		"fd00:ec2::254",
		"224.0.0.1",
		"239.255.255.250",
		"255.255.255.255",
		"240.0.0.1",
		"0.0.0.0",
		"0.1.2.3",
		"::",
		"::1",
		"fc00::1",
		"fd12::1",
		"fe80::1",
		"febf::1",
		"fec0::2",
		"feff::1",
		"64:ff9b:1::a00:1",
		"ff02::1",
		"203.0.113.7",
	};
	static const char *const external[] = {
		"1.1.1.1",   "11.0.0.1",   "172.32.0.1",  "192.169.0.1",  "126.255.255.255",
		"128.0.0.1", "100.63.0.1", "100.128.0.1", "1.0.0.0",      "223.255.255.255",
		"::2",       "fe00::1",    "2001:db8::1", "64:ff9b:2::1",
	};
	static const char *const protos[] = { "tcp", "udp", "icmp" };
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;
	char text[100];

	must(draft_deny(d, "private", &err), &err);
	must(draft_this_host_add(d, addr("203.0.113.7")), &err);
	p = compile(d);
	for (size_t k = 0; k < COUNT(protos); k++) {
		for (size_t i = 0; i < COUNT(internal); i++) {
			snprintf(text, sizeof(text), "%s %s 80", protos[k], internal[i]);
			expect_decision(p, text, "deny (rule 1: deny private)");
		}
		for (size_t i = 0; i < COUNT(external); i++) {
			snprintf(text, sizeof(text), "%s %s 80", protos[k], external[i]);
			expect_decision(p, text, "allow (default)");
		}
	}
	policy_free(p);
}

Test(policy, every_group_means_what_its_name_says)
{
	static const struct {
		const char *group;
		const char *in[4];
		const char *out[4];
	} rows[] = {
		{ "@loopback", { "127.9.9.9", "::1", "0.0.0.0", "::" }, { "128.0.0.1", "::2" } },
		{ "@private",
		  { "10.9.9.9", "100.127.0.1", "fdff::1", "fec0::2" },
		  { "127.0.0.1", "fe80::1" } },
		{ "@link-local", { "169.254.169.254", "fe80::1" }, { "169.253.0.1", "fec0::1" } },
		{ "@metadata",
		  { "169.254.169.254", "100.100.100.200", "fd00:ec2::254" },
		  { "169.254.169.253", "100.100.100.201", "fd00:ec2::253" } },
		{ "@multicast", { "224.0.0.1", "255.255.255.255", "ff02::fb" }, { "240.0.0.1" } },
		{ "@this-host", { "192.0.2.1", "2001:db8::1" }, { "192.0.2.2", "127.0.0.1" } },
		{ "@public",
		  { "1.1.1.1", "2001:db8::2", "192.0.2.0" },
		  { "192.0.2.1", "2001:db8::1", "10.0.0.1", "240.0.0.1" } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = new_draft();
		struct policy *p;
		char text[100];
		char wanted[100];

		must(draft_allow(d, rows[i].group, &err), &err);
		must(draft_this_host_add(d, addr("192.0.2.1")), &err);
		must(draft_this_host_add(d, addr("2001:db8::1")), &err);
		p = compile(d);
		snprintf(wanted, sizeof(wanted), "allow (rule 1: allow %s)", rows[i].group);
		for (size_t k = 0; k < 4 && rows[i].in[k]; k++) {
			snprintf(text, sizeof(text), "tcp %s 80", rows[i].in[k]);
			expect_decision(p, text, wanted);
		}
		for (size_t k = 0; k < 4 && rows[i].out[k]; k++) {
			snprintf(text, sizeof(text), "tcp %s 80", rows[i].out[k]);
			expect_decision(p, text, "deny (default)");
		}
		policy_free(p);
	}
}

Test(policy, an_unspecified_destination_is_loopback)
{
	struct policy *p = deny(TEXTS("127.0.0.1", "[::1]:80"));

	expect_decision(p, "tcp 0.0.0.0 80", "deny (rule 1: deny 127.0.0.1)");
	expect_decision(p, "tcp :: 80", "deny (rule 2: deny [::1]:80)");
	expect_decision(p, "tcp :: 81", "allow (default)");
	expect_decision(p, "tcp ::ffff:0.0.0.0 80", "deny (rule 1: deny 127.0.0.1)");
	expect_decision(p, "tcp 0.0.0.1 80", "allow (default)");
	policy_free(p);

	p = deny(TEXTS("0.0.0.0/8"));
	expect_decision(p, "tcp 0.0.0.0 80", "allow (default)");
	expect_decision(p, "tcp 0.0.0.1 80", "deny (rule 1: deny 0.0.0.0/8)");
	policy_free(p);
}

Test(policy, a_rule_for_the_unspecified_address_is_literal)
{
	struct policy *p = allow(TEXTS("0.0.0.0:80", "::", "127.0.0.1"));
	expect_decision(p, "tcp 0.0.0.0 80", "allow (rule 1: allow 0.0.0.0:80)");
	expect_decision(p, "tcp 127.0.0.1 80", "allow (rule 3: allow 127.0.0.1)");
	expect_decision(p, "tcp 0.0.0.0 81", "allow (rule 3: allow 127.0.0.1)");
	expect_decision(p, "tcp :: 80", "allow (rule 2: allow ::)");
	expect_decision(p, "tcp ::1 80", "deny (default)");
	policy_free(p);
}

Test(policy, an_address_behind_a_gateway_is_judged_twice)
{
	struct policy *p = deny(TEXTS("10.0.0.0/8", "[2002::/16]:25", "127.0.0.1"));

	expect_decision(p, "tcp 64:ff9b::10.0.0.1 80", "deny (rule 1: deny 10.0.0.0/8)");
	expect_decision(p, "tcp 2002:a00:1::1 80", "deny (rule 1: deny 10.0.0.0/8)");
	expect_decision(p, "tcp 2002:a00:1::1 25", "deny (rule 2: deny [2002::/16]:25)");
	expect_decision(p, "tcp 64:ff9b::1.1.1.1 80", "allow (default)");
	expect_decision(p, "tcp 64:ff9b:: 80", "deny (rule 3: deny 127.0.0.1)");
	policy_free(p);

	p = allow(TEXTS("1.1.1.1", "[::/0]:80", "64:ff9b::10.0.0.0/104", "2002:a00:1::/48"));
	expect_decision(p, "tcp 64:ff9b::1.1.1.1 80", "allow (rule 2: allow [::/0]:80)");
	expect_decision(p, "tcp 64:ff9b::1.1.1.1 81", "deny (default)");
	expect_decision(p, "tcp 64:ff9b::2.2.2.2 80", "deny (default)");
	expect_decision(p, "tcp 64:ff9b::10.1.1.1 81",
			"allow (rule 3: allow 64:ff9b::10.0.0.0/104)");
	expect_decision(p, "tcp 2002:a00:1::9 81", "allow (rule 4: allow 2002:a00:1::/48)");
	expect_decision(p, "tcp 2002:a00:2::9 81", "deny (default)");
	expect_decision(p, "tcp 1.1.1.1 81", "allow (rule 1: allow 1.1.1.1)");
	policy_free(p);

	p = allow(TEXTS("2000::/3"));
	expect_decision(p, "tcp 2003::1 80", "allow (rule 1: allow 2000::/3)");
	expect_decision(p, "tcp 2002:101:101::1 80", "deny (default)");
	policy_free(p);

	p = allow(TEXTS("2002::/16"));
	expect_decision(p, "tcp 2002:101:101::1 80", "allow (rule 1: allow 2002::/16)");
	policy_free(p);
}

/* An address of this machine comes and goes; the policy stays. */
Test(policy, live_addresses_of_this_machine)
{
	struct policy *p = rules(TEXTS("deny any://@this-host:22", "allow @public:443",
				       "deny private", "allow any://*"));
	struct addr_set set = { 0 };
	struct live live = { .this_host = &set };
	static const struct {
		const char *text;
		int before, after;
	} rows[] = {
		{ "tcp 203.0.113.7 22", 4, 1 },          { "tcp 203.0.113.7 443", 2, 3 },
		{ "udp 203.0.113.7 443", 4, 3 },         { "icmp 203.0.113.7", 4, 3 },
		{ "tcp 203.0.113.8 22", 4, 4 },          { "tcp ::ffff:203.0.113.7 22", 4, 1 },
		{ "tcp 2001:db8::7 22", 4, 1 },          { "tcp 2001:db8::7 443", 2, 3 },
		{ "tcp 64:ff9b::203.0.113.7 22", 4, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct endpoint e = endpoint(rows[i].text);

		cr_expect_eq(policy_decide(p, &live, &e).rule, rows[i].before, "%s", rows[i].text);
	}
	cr_assert_eq(addr_set_add(&set, addr("203.0.113.7")), 0);
	cr_assert_eq(addr_set_add(&set, addr("2001:db8::7")), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct endpoint e = endpoint(rows[i].text);

		cr_expect_eq(policy_decide(p, &live, &e).rule, rows[i].after, "%s", rows[i].text);
	}
	addr_set_free(&set);
	policy_free(p);
}

/* While it is not known which addresses are this machine's, nothing is let through for that. */
Test(policy, unsure_addresses_of_this_machine)
{
	static const struct {
		const char *rules[4];
		const char *wanted;
	} rows[] = {
		{ { "deny @this-host", "allow *" }, "deny (rule 1: deny @this-host)" },
		{ { "allow @this-host" }, "deny (default)" },
		{ { "allow @public" }, "deny (default)" },
		{ { "allow :443", "deny @this-host" }, "allow (rule 1: allow :443)" },
		{ { "deny private", "allow @public" }, "deny (rule 1: deny private)" },
	};
	struct live live = { .host = LIVE_HOST_UNSURE };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = rules(rows[i].rules);
		struct endpoint e = endpoint("tcp 1.1.1.1 443");
		struct decision d = policy_decide(p, &live, &e);
		char seen[100];

		if (d.reason == REASON_RULE)
			snprintf(seen, sizeof(seen), "%s (rule %d: %s)", verdict_name(d.verdict),
				 d.rule, policy_rule_text(p, d.rule));
		else
			snprintf(seen, sizeof(seen), "%s (%s)", verdict_name(d.verdict),
				 reason_name(d.reason));
		cr_expect_str_eq(seen, rows[i].wanted, "row %zu: %s", i, seen);
		policy_free(p);
	}
}

/* A loopback address on which the sandbox listens: who asks knows, and is told when to look. */
Test(policy, what_the_sandbox_listens_on)
{
	struct policy *p =
		rules(TEXTS("deny 127.0.0.1:25", "allow any://@self", "allow 127.0.0.1:80"));
	static const struct {
		const char *text;
		bool asks;
		int rule, rule_of_self;
	} rows[] = {
		{ "tcp 127.0.0.1 8080", true, 0, 2 },
		{ "udp ::1 8080", true, 0, 2 },
		{ "tcp 0.0.0.0 8080", true, 0, 2 },
		{ "tcp 127.0.0.1 80", true, 3, 2 },
		{ "tcp 127.0.0.1 25", false, 1, 1 },
		{ "tcp 10.0.0.1 8080", false, 0, 0 },
		{ "icmp 127.0.0.1", false, 0, 0 },
		{ "in tcp 127.0.0.1 8080", false, 0, 0 },
		{ "tcp 64:ff9b::127.0.0.1 8080", false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct endpoint e = endpoint(rows[i].text);

		cr_expect_eq(policy_asks_self(p, NULL, &e), rows[i].asks, "%s", rows[i].text);
		cr_expect_eq(policy_decide(p, NULL, &e).rule, rows[i].rule, "%s", rows[i].text);
		e.self = rows[i].asks;
		cr_expect_eq(policy_decide(p, NULL, &e).rule, rows[i].rule_of_self, "%s",
			     rows[i].text);
	}
	policy_free(p);
}
