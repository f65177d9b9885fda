/* SPDX-License-Identifier: MIT */
/*
 * Policies: what is decided about which endpoint, and by which rule.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/live.h"
#include "policy/names.h"
#include "policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A list of option texts, for readable rows. */
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct addr addr(const char *text)
{
	struct addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

/* "tcp 1.2.3.4 80" or "in tcp 1.2.3.4 80" */
static struct endpoint endpoint(const char *text)
{
	static const struct {
		const char *name;
		enum proto proto;
	} protos[] = { { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "icmp", PROTO_ICMP } };
	bool in = !strncmp(text, "in ", 3);
	char proto[8];
	char address[50];
	int port = 0;

	cr_assert_geq(sscanf(text + (in ? 3 : 0), "%7s %49s %d", proto, address, &port), 2, "%s",
		      text);
	for (size_t i = 0; i < COUNT(protos); i++) {
		if (!strcmp(proto, protos[i].name))
			return (in ? endpoint_in : endpoint_out)(protos[i].proto, addr(address),
								 port);
	}
	cr_assert_fail("%s", text);
	return (struct endpoint){ 0 };
}

/* What the decision says, as a line has it: "deny (rule 2: deny 10.0.0.0/8)", "allow (default)". */
static const char *decide(const struct policy *p, const char *text)
{
	static char line[300];
	struct endpoint e = endpoint(text);
	struct decision d = policy_decide(p, NULL, &e);

	if (d.reason == REASON_RULE)
		snprintf(line, sizeof(line), "%s (rule %d: %s)", verdict_name(d.verdict), d.rule,
			 policy_rule_text(p, d.rule));
	else
		snprintf(line, sizeof(line), "%s (%s)", verdict_name(d.verdict),
			 reason_name(d.reason));
	return line;
}

static void expect_decision(const struct policy *p, const char *text, const char *wanted)
{
	const char *seen = decide(p, text);

	cr_expect_str_eq(seen, wanted, "%s: %s, not %s", text, seen, wanted);
}

static struct draft *new_draft(void)
{
	struct draft *d = draft_new();

	cr_assert(d);
	return d;
}

static void must(int ret, const struct policy_error *err)
{
	cr_assert_eq(ret, 0, "%d: %s", ret, err->text);
}

static struct policy *compile(struct draft *d)
{
	struct policy *p = NULL;

	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	return p;
}

static struct policy *options(int (*add)(struct draft *, const char *, struct policy_error *),
			      const char *const *texts)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();

	for (; *texts; texts++)
		must(add(d, *texts, &err), &err);
	return compile(d);
}

static struct policy *allow(const char *const *texts)
{
	return options(draft_allow, texts);
}

static struct policy *deny(const char *const *texts)
{
	return options(draft_deny, texts);
}

static struct policy *rules(const char *const *texts)
{
	return options(draft_rule, texts);
}

static struct policy *preset(const char *name)
{
	return options(draft_preset, TEXTS(name));
}

/* The option was refused with -EINVAL and a message with these words. */
static void expect_refused(int ret, const struct policy_error *err, const char *const *words)
{
	cr_expect_eq(ret, -EINVAL, "%d: %s", ret, *words);
	for (; *words; words++)
		cr_expect(strstr(err->text, *words), "'%s' lacks '%s'", err->text, *words);
}

Test(policy, empty_denies_everything)
{
	struct policy *p = compile(new_draft());

	expect_decision(p, "tcp 1.2.3.4 80", "deny (default)");
	expect_decision(p, "udp ::1 80", "deny (default)");
	expect_decision(p, "icmp 1.2.3.4", "deny (default)");
	cr_expect_eq(policy_rules(p), 0);
	policy_free(p);
}

Test(policy, allow_list)
{
	struct policy *p = allow(TEXTS("10.0.0.0/8:80,443", "udp://1.1.1.1:53", "[fc00::/7]"));

	expect_decision(p, "tcp 10.3.7.9 80", "allow (rule 1: allow 10.0.0.0/8:80,443)");
	expect_decision(p, "tcp 10.3.7.9 443", "allow (rule 1: allow 10.0.0.0/8:80,443)");
	expect_decision(p, "tcp 10.3.7.9 81", "deny (default)");
	expect_decision(p, "tcp 11.0.0.1 80", "deny (default)");
	expect_decision(p, "udp 10.3.7.9 80", "deny (default)");
	expect_decision(p, "icmp 10.3.7.9", "deny (default)");
	expect_decision(p, "udp 1.1.1.1 53", "allow (rule 2: allow udp://1.1.1.1:53)");
	expect_decision(p, "tcp 1.1.1.1 53", "deny (default)");
	expect_decision(p, "tcp fd00::1 1", "allow (rule 3: allow [fc00::/7])");
	expect_decision(p, "tcp 2001:db8::1 1", "deny (default)");
	cr_expect_eq(policy_rules(p), 3);
	policy_free(p);
}

Test(policy, deny_list)
{
	struct policy *p = deny(TEXTS("10.0.0.0/8", ":25"));

	expect_decision(p, "tcp 10.0.0.1 443", "deny (rule 1: deny 10.0.0.0/8)");
	expect_decision(p, "tcp 10.0.0.1 0", "deny (rule 1: deny 10.0.0.0/8)");
	expect_decision(p, "udp 10.0.0.1 443", "allow (default)");
	expect_decision(p, "icmp 10.0.0.1", "allow (default)");
	expect_decision(p, "tcp 8.8.8.8 443", "allow (default)");
	expect_decision(p, "tcp 8.8.8.8 25", "deny (rule 2: deny :25)");
	expect_decision(p, "tcp 2001:db8::1 25", "deny (rule 2: deny :25)");
	expect_decision(p, "tcp 8.8.8.8 80", "allow (default)");
	policy_free(p);
}

Test(policy, several_specs_of_one_option_are_one_rule)
{
	struct policy *p = deny(TEXTS("127.0.0.1,10.0.0.0/8,192.168.0.0/16:22,443", ":25"));
	const char *rule = "deny (rule 1: deny 127.0.0.1,10.0.0.0/8,192.168.0.0/16:22,443)";

	expect_decision(p, "tcp 127.0.0.1 80", rule);
	expect_decision(p, "tcp 10.1.1.1 80", rule);
	expect_decision(p, "tcp 192.168.1.1 22", rule);
	expect_decision(p, "tcp 192.168.1.1 80", "allow (default)");
	expect_decision(p, "tcp 1.1.1.1 25", "deny (rule 2: deny :25)");
	policy_free(p);
}

Test(policy, the_first_rule_that_matches_decides)
{
	struct policy *p = allow(TEXTS("10.0.0.0/8:80", "10.0.0.1", "*:80", "10.0.0.0/8"));

	expect_decision(p, "tcp 10.0.0.1 80", "allow (rule 1: allow 10.0.0.0/8:80)");
	expect_decision(p, "tcp 10.0.0.1 81", "allow (rule 2: allow 10.0.0.1)");
	expect_decision(p, "tcp 11.0.0.1 80", "allow (rule 3: allow *:80)");
	expect_decision(p, "tcp 10.0.0.2 81", "allow (rule 4: allow 10.0.0.0/8)");
	policy_free(p);
}

Test(policy, families_of_addresses_never_mix)
{
	struct policy *p = allow(TEXTS("0.0.0.0/0:1", "[::/0]:2", "[::ffff:0:0/96]:3"));
	expect_decision(p, "tcp 8.8.8.8 1", "allow (rule 1: allow 0.0.0.0/0:1)");
	expect_decision(p, "tcp ::1 1", "deny (default)");
	expect_decision(p, "tcp 2001:db8::1 2", "allow (rule 2: allow [::/0]:2)");
	expect_decision(p, "tcp 8.8.8.8 2", "deny (default)");
	expect_decision(p, "tcp ::ffff:8.8.8.8 2", "deny (default)");
	expect_decision(p, "tcp 8.8.8.8 3", "allow (rule 3: allow [::ffff:0:0/96]:3)");
	expect_decision(p, "tcp ::ffff:8.8.8.8 3", "allow (rule 3: allow [::ffff:0:0/96]:3)");
	expect_decision(p, "tcp ::1 3", "deny (default)");
	policy_free(p);
}

Test(policy, any_spec_covers_icmp_without_ports)
{
	struct policy *p = allow(TEXTS("any://1.1.1.1", "any://2.2.2.2:53", "icmp://*"));

	expect_decision(p, "icmp 1.1.1.1", "allow (rule 1: allow any://1.1.1.1)");
	expect_decision(p, "udp 1.1.1.1 9", "allow (rule 1: allow any://1.1.1.1)");
	expect_decision(p, "tcp 2.2.2.2 53", "allow (rule 2: allow any://2.2.2.2:53)");
	expect_decision(p, "udp 2.2.2.2 53", "allow (rule 2: allow any://2.2.2.2:53)");
	expect_decision(p, "icmp 2.2.2.2", "allow (rule 3: allow icmp://*)");
	expect_decision(p, "icmp 2001:db8::1", "allow (rule 3: allow icmp://*)");
	expect_decision(p, "tcp 3.3.3.3 53", "deny (default)");
	policy_free(p);
}

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
		"ff02::1",
		"203.0.113.7",
	};
	static const char *const external[] = {
		"1.1.1.1",   "11.0.0.1",   "172.32.0.1",  "192.169.0.1", "126.255.255.255",
		"128.0.0.1", "100.63.0.1", "100.128.0.1", "1.0.0.0",     "223.255.255.255",
		"::2",       "fe00::1",    "2001:db8::1", "fec0::1",
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
		  { "10.9.9.9", "100.127.0.1", "fdff::1" },
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

Test(policy, what_a_draft_refuses)
{
	static const struct {
		bool deny;
		const char *text, *word;
	} rows[] = {
		{ true, "evil.com", "--block-domain" },
		{ true, "evil.com:443", "--block-domain" },
		{ true, "1.2.3.4,.evil.com", "--block-domain" },
		{ true, "", "empty rule" },
		{ true, "udp://", "empty rule" },
		{ true, "icmp://", "needs a host" },
		{ true, "unix:/run/bus", "denied anyway" },
		{ true, "1.2.3.4,unix:@name", "denied anyway" },
		{ false, "unix:/run/*/bus", "at the end only" },
		{ false, "unix:**", "at the end only" },
		{ false, "unix:/run/$", "$NAME" },
		{ false, "unix:/run/${UID}/bus", "$NAME" },
		{ false, "example.com:0", "port 0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = new_draft();

		cr_expect_eq((rows[i].deny ? draft_deny : draft_allow)(d, rows[i].text, &err),
			     -EINVAL, "%s", rows[i].text);
		cr_expect(strstr(err.text, rows[i].word), "'%s': %s", rows[i].text, err.text);
		cr_expect(strstr(err.text, rows[i].text), "'%s': %s", rows[i].text, err.text);
		cr_expect_eq(draft_hosts(d), 0);
		draft_free(d);
	}
}

Test(policy, allow_and_deny_lists_exclude_each_other)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_allow(d, "1.2.3.4", &err), &err);
	cr_expect_eq(draft_deny(d, "10.0.0.0/8", &err), -EINVAL);
	cr_expect(strstr(err.text, "mutually exclusive"), "%s", err.text);
	cr_expect(strstr(err.text, "--rule"), "%s", err.text);
	cr_expect(strstr(err.text, "10.0.0.0/8"), "%s", err.text);
	p = compile(d);
	expect_decision(p, "tcp 1.2.3.4 80", "allow (rule 1: allow 1.2.3.4)");
	expect_decision(p, "tcp 9.9.9.9 80", "deny (default)");
	policy_free(p);
}

Test(policy, a_refused_option_does_not_choose_the_family)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	cr_expect_eq(draft_deny(d, "evil.com", &err), -EINVAL);
	must(draft_allow(d, "1.2.3.4", &err), &err);
	p = compile(d);
	expect_decision(p, "tcp 9.9.9.9 80", "deny (default)");
	policy_free(p);
}

Test(policy, inbound_without_options)
{
	struct policy *p = allow(TEXTS("any://*"));

	expect_decision(p, "in tcp 127.0.0.1 8080", "allow (bind-default)");
	expect_decision(p, "in udp ::1 53", "allow (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 0", "allow (bind-default)");
	expect_decision(p, "in udp 192.0.2.1 0", "allow (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 8080", "deny (bind-default)");
	expect_decision(p, "in tcp :: 8080", "deny (bind-default)");
	expect_decision(p, "in tcp 192.0.2.1 8080", "deny (bind-default)");
	policy_free(p);
}

Test(policy, other_protocols)
{
	struct endpoint e = { .proto = PROTO_UNIX, .name = "/run/bus" };
	struct policy *p = deny(TEXTS("10.0.0.0/8"));
	struct decision d = policy_decide(p, NULL, &e);

	cr_expect_eq(d.verdict, VERDICT_DENY);
	cr_expect_eq(d.reason, REASON_UNIX_DEFAULT);
	e = (struct endpoint){ .proto = PROTO_DNS, .name = "example.com" };
	d = policy_decide(p, NULL, &e);
	cr_expect_eq(d.verdict, VERDICT_ALLOW);
	cr_expect_eq(d.reason, REASON_DEFAULT);
	e = (struct endpoint){ .proto = PROTO_COUNT };
	d = policy_decide(p, NULL, &e);
	cr_expect_eq(d.verdict, VERDICT_DENY);
	cr_expect_eq(d.reason, REASON_PROTOCOL);
	e = (struct endpoint){ .proto = PROTO_TCP, .port = 80 };
	d = policy_decide(p, NULL, &e);
	cr_expect_eq(d.verdict, VERDICT_DENY);
	cr_expect_eq(d.reason, REASON_ERROR);
	cr_expect_eq(d.error, EAFNOSUPPORT);
	policy_free(p);
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

Test(policy, rules_are_ordered)
{
	struct policy *p = rules(TEXTS("deny 10.0.0.5", "allow 10.0.0.0/8:443"));

	expect_decision(p, "tcp 10.0.0.5 443", "deny (rule 1: deny 10.0.0.5)");
	expect_decision(p, "tcp 10.0.0.6 443", "allow (rule 2: allow 10.0.0.0/8:443)");
	expect_decision(p, "tcp 10.0.0.6 80", "deny (default)");
	policy_free(p);

	p = rules(TEXTS("allow 10.0.0.0/8:443", "deny 10.0.0.5"));
	expect_decision(p, "tcp 10.0.0.5 443", "allow (rule 1: allow 10.0.0.0/8:443)");
	expect_decision(p, "tcp 10.0.0.6 443", "allow (rule 1: allow 10.0.0.0/8:443)");
	expect_decision(p, "tcp 10.0.0.5 80", "deny (rule 2: deny 10.0.0.5)");
	policy_free(p);
}

Test(policy, a_rule_without_a_scheme)
{
	struct policy *p =
		rules(TEXTS("deny 10.0.0.1", "allow 10.0.0.2", "deny *:25", "allow any://*"));

	expect_decision(p, "tcp 10.0.0.1 1", "deny (rule 1: deny 10.0.0.1)");
	expect_decision(p, "udp 10.0.0.1 1", "deny (rule 1: deny 10.0.0.1)");
	expect_decision(p, "icmp 10.0.0.1", "deny (rule 1: deny 10.0.0.1)");
	expect_decision(p, "tcp 10.0.0.2 1", "allow (rule 2: allow 10.0.0.2)");
	expect_decision(p, "udp 10.0.0.2 1", "allow (rule 4: allow any://*)");
	expect_decision(p, "udp 10.0.0.2 25", "deny (rule 3: deny *:25)");
	policy_free(p);
}

Test(policy, directions_of_rules)
{
	struct policy *p = rules(TEXTS("allow out 10.0.0.1", "allow  in\t*:8080",
				       "deny in 127.0.0.1:22", "allow in any://[::1]"));

	expect_decision(p, "tcp 10.0.0.1 8080", "allow (rule 1: allow out 10.0.0.1)");
	expect_decision(p, "tcp 10.0.0.2 8080", "deny (default)");
	expect_decision(p, "in tcp 0.0.0.0 8080", "allow (rule 2: allow  in\t*:8080)");
	expect_decision(p, "in udp 0.0.0.0 8080", "deny (bind-default)");
	expect_decision(p, "in tcp 10.0.0.1 8081", "deny (bind-default)");
	expect_decision(p, "in tcp 127.0.0.1 22", "deny (rule 3: deny in 127.0.0.1:22)");
	expect_decision(p, "in udp 127.0.0.1 22", "deny (rule 3: deny in 127.0.0.1:22)");
	expect_decision(p, "in udp 127.0.0.1 23", "allow (bind-default)");
	expect_decision(p, "in udp ::1 53", "allow (rule 4: allow in any://[::1])");
	expect_decision(p, "in udp 0.0.0.0 0", "allow (bind-default)");
	policy_free(p);
}

Test(policy, an_inbound_wildcard_is_itself)
{
	struct policy *p = rules(TEXTS("deny in 127.0.0.1", "allow in 0.0.0.0:80"));

	expect_decision(p, "in tcp 0.0.0.0 80", "allow (rule 2: allow in 0.0.0.0:80)");
	expect_decision(p, "in tcp 127.0.0.1 80", "deny (rule 1: deny in 127.0.0.1)");
	expect_decision(p, "in tcp 0.0.0.0 81", "deny (bind-default)");
	policy_free(p);
}

Test(policy, wrong_rules)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "", "empty rule" },
		{ "  ", "empty rule" },
		{ "allow", "empty rule" },
		{ "allow in", "empty rule" },
		{ "permit 1.2.3.4", "expected allow, deny or ask" },
		{ "ALLOW 1.2.3.4", "expected allow, deny or ask" },
		{ "1.2.3.4", "unknown action '1.2.3.4'" },
		{ "allow up 1.2.3.4", "blank" },
		{ "allow 1.2.3.4:0", "port 0" },
		{ "deny sctp://1.2.3.4", "unknown scheme 'sctp'" },
		{ "allow in icmp://*", "not a local address" },
		{ "allow in example.com:80", "not a local address" },
		{ "deny in .example.com", "not a local address" },
		{ "allow in @self", "a group other than @self" },
		{ "allow in unix:/run/bus", "not a local address" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = new_draft();

		expect_refused(draft_rule(d, rows[i].text, &err), &err, TEXTS(rows[i].word));
		draft_free(d);
	}
}

Test(policy, presets)
{
	static const char *const internal[] = {
		"10.0.0.1", "172.16.0.1", "192.168.0.1",     "127.0.0.1", "169.254.0.1",
		"::1",      "fc00::1",    "169.254.169.254", "fe80::1",   "100.100.100.200",
		"ff02::1",  "224.0.0.1",
	};
	struct policy *none = preset("none");
	struct policy *all = preset("allow-all");
	struct policy *public = preset("public-only");
	char text[100];

	for (size_t i = 0; i < COUNT(internal); i++) {
		static const char *const protos[] = { "tcp", "udp", "icmp" };

		for (size_t k = 0; k < COUNT(protos); k++) {
			snprintf(text, sizeof(text), "%s %s 80", protos[k], internal[i]);
			expect_decision(none, text, "deny (rule 1: deny any://*)");
			expect_decision(all, text, "allow (rule 1: allow any://*)");
			expect_decision(public, text, "deny (rule 1: deny any://private)");
		}
	}
	expect_decision(none, "tcp 1.1.1.1 443", "deny (rule 1: deny any://*)");
	expect_decision(none, "in tcp 0.0.0.0 443", "deny (bind-default)");
	expect_decision(all, "in tcp 0.0.0.0 443", "allow (rule 2: allow in any://*)");
	expect_decision(public, "tcp 1.1.1.1 443", "allow (rule 2: allow any://*)");
	expect_decision(public, "icmp 2606:4700::1111", "allow (rule 2: allow any://*)");
	policy_free(none);
	policy_free(all);
	policy_free(public);
}

Test(policy, preset_non_local)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_preset(d, "non-local", &err), &err);
	must(draft_this_host_add(d, addr("192.168.1.5")), &err);
	p = compile(d);
	expect_decision(p, "tcp 0.0.0.0 80", "deny (rule 1: deny any://@loopback)");
	expect_decision(p, "icmp fe80::1", "deny (rule 2: deny any://@link-local)");
	expect_decision(p, "udp 100.100.100.200 80", "deny (rule 3: deny any://@metadata)");
	expect_decision(p, "tcp 192.168.1.5 80", "deny (rule 4: deny any://@this-host)");
	expect_decision(p, "tcp 192.168.1.6 80", "allow (rule 5: allow any://*)");
	policy_free(p);
}

Test(policy, preset_allow_all_includes_unix_sockets)
{
	struct endpoint e = { .proto = PROTO_UNIX, .name = "/run/bus" };
	struct policy *p = preset("allow-all");
	struct decision d = policy_decide(p, NULL, &e);

	cr_expect_eq(d.verdict, VERDICT_ALLOW);
	cr_expect_str_eq(policy_rule_text(p, d.rule), "allow unix:*");
	policy_free(p);
}

/* What is decided about a socket's name. */
static const char *decide_unix(const struct policy *p, const char *name)
{
	static char line[300];
	struct endpoint e = { .proto = PROTO_UNIX, .name = name };
	struct decision d = policy_decide(p, NULL, &e);

	snprintf(line, sizeof(line), "%s %d", verdict_name(d.verdict), d.rule);
	if (d.reason != REASON_RULE)
		cr_expect_eq(d.reason, REASON_UNIX_DEFAULT, "%s", name);
	return line;
}

Test(policy, unix_sockets_have_rules_of_their_own)
{
	static const char *const rows[][2] = {
		{ "/run/bus", "deny 1" },     { "/run/bush", "allow 3" }, { "/run/", "allow 3" },
		{ "/run", "deny 0" },         { "/run/a/b", "deny 2" },   { "/run/a/", "deny 2" },
		{ "/run/a", "allow 3" },      { "/run/a/x", "deny 2" },   { "@name", "allow 5" },
		{ "@name2", "deny 0" },       { "@n/1", "allow 6" },      { "@n/", "allow 6" },
		{ "/srv/x,y", "allow 7" },    { "@", "deny 0" },          { "/", "deny 0" },
		{ "/run/zz/top", "allow 3" },
	};
	struct policy *p =
		rules(TEXTS("deny unix:/run/bus", "deny unix:/run/a/*", "allow unix:/run/*",
			    "allow unix:/run/a/x", "allow 1.2.3.4,unix:@name", "allow unix:@n/*",
			    "allow unix:/srv/x,y", "deny unix:/run/zz/*"));

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_str_eq(decide_unix(p, rows[i][0]), rows[i][1], "%s: %s", rows[i][0],
				 decide_unix(p, rows[i][0]));
	policy_free(p);

	/* No default opens one. */
	p = deny(TEXTS("10.0.0.0/8"));
	cr_expect_str_eq(decide_unix(p, "/run/bus"), "deny 0");
	policy_free(p);
	p = rules(TEXTS("allow unix:*"));
	cr_expect_str_eq(decide_unix(p, "/run/bus"), "allow 1");
	cr_expect_str_eq(decide_unix(p, "@name"), "allow 1");
	policy_free(p);
	p = allow(TEXTS("unix:@*"));
	cr_expect_str_eq(decide_unix(p, "/run/bus"), "deny 0");
	cr_expect_str_eq(decide_unix(p, "@name"), "allow 1");
	policy_free(p);
}

Test(policy, unix_paths_mean_what_the_caller_says_they_are)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_allow(d, "unix:/var/run/bus", &err), &err);
	must(draft_allow(d, "unix:$A/*", &err), &err);
	must(draft_allow(d, "unix:$B", &err), &err);
	must(draft_allow(d, "unix:/var/run/bus", &err), &err);
	must(draft_allow(d, "unix:@name", &err), &err);
	cr_assert_eq(draft_paths(d), 3);
	cr_expect_str_eq(draft_path(d, 0), "/var/run/bus");
	cr_expect_str_eq(draft_path(d, 1), "$A/*");
	cr_assert_eq(draft_path_set(d, 0, "/run/bus"), 0);
	cr_assert_eq(draft_path_set(d, 1, "/a/"), 0);
	p = compile(d);
	cr_expect_str_eq(decide_unix(p, "/run/bus"), "allow 1");
	cr_expect_str_eq(decide_unix(p, "/var/run/bus"), "deny 0");
	cr_expect_str_eq(decide_unix(p, "/a/b"), "allow 2");
	/* Of $B nobody knows what it is. */
	cr_expect_str_eq(decide_unix(p, "$B"), "deny 0");
	cr_expect_str_eq(policy_rule_text(p, 2), "allow unix:$A/*");
	policy_free(p);
}

/* What a reader of the rules would find, one after the other. */
static int first_path_rule(char (*texts)[24], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const char *path = texts[i] + strlen("allow unix:");
		size_t len = strlen(path);

		if (path[len - 1] == '*' ? !strncmp(path, name, len - 1) : !strcmp(path, name))
			return i + 1;
	}
	return 0;
}

Test(policy, the_first_of_many_paths_wins)
{
	static char texts[400][24];
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	char name[10] = "/", wanted[20];
	unsigned seed = 1;
	struct policy *p;

	for (size_t i = 0; i < COUNT(texts); i++) {
		int len = 0;

		for (seed = seed * 1103515245 + 12345; len < (int)(seed >> 16) % 6; len++)
			name[1 + len] = 'a' + (seed >> (20 + len)) % 2;
		name[1 + len] = '\0';
		snprintf(texts[i], sizeof(texts[i]), "allow unix:%s%s", name,
			 (seed >> 28) % 3 ? "" : "*");
		must(draft_rule(d, texts[i], &err), &err);
	}
	p = compile(d);
	for (int bits = 0; bits < 1 << 7; bits++) {
		for (int len = 0; len <= 7; len++) {
			int rule;

			for (int i = 0; i < len; i++)
				name[1 + i] = 'a' + (bits >> i) % 2;
			name[1 + len] = '\0';
			rule = first_path_rule(texts, COUNT(texts), name);
			snprintf(wanted, sizeof(wanted), "%s %d", rule ? "allow" : "deny", rule);
			cr_expect_str_eq(decide_unix(p, name), wanted, "%s", name);
		}
	}
	policy_free(p);
}

Test(policy, a_preset_comes_after_every_rule)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_rule(d, "allow 10.0.0.1", &err), &err);
	must(draft_preset(d, "public-only", &err), &err);
	must(draft_rule(d, "deny 1.1.1.1", &err), &err);
	p = compile(d);
	cr_expect_eq(policy_rules(p), 4);
	expect_decision(p, "tcp 10.0.0.1 80", "allow (rule 1: allow 10.0.0.1)");
	expect_decision(p, "tcp 1.1.1.1 80", "deny (rule 2: deny 1.1.1.1)");
	expect_decision(p, "tcp 10.0.0.2 80", "deny (rule 3: deny any://private)");
	expect_decision(p, "tcp 2.2.2.2 80", "allow (rule 4: allow any://*)");
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

Test(policy, defaults)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();
	struct policy *p;

	must(draft_rule(d, "deny 10.0.0.0/8", &err), &err);
	must(draft_default(d, "allow", &err), &err);
	p = compile(d);
	expect_decision(p, "tcp 10.0.0.1 80", "deny (rule 1: deny 10.0.0.0/8)");
	expect_decision(p, "tcp 1.1.1.1 80", "allow (default)");
	expect_decision(p, "in tcp 1.1.1.1 80", "deny (bind-default)");
	policy_free(p);

	d = new_draft();
	must(draft_default(d, "deny", &err), &err);
	must(draft_rule(d, "allow 10.0.0.0/8", &err), &err);
	p = compile(d);
	expect_decision(p, "tcp 1.1.1.1 80", "deny (default)");
	policy_free(p);
}

Test(policy, families_of_options_exclude_each_other)
{
	static const struct {
		const char *option, *other;
		const char *text;
		int (*add)(struct draft *, const char *, struct policy_error *);
	} options[] = {
		{ "--net-allow", "--net-allow", "1.2.3.4", draft_allow },
		{ "--net-deny", "--net-deny", "1.2.3.4", draft_deny },
		{ "--rule", "--rule", "deny 1.2.3.4", draft_rule },
		{ "--preset", "--rule", "none", draft_preset },
	};

	for (size_t i = 0; i < COUNT(options); i++) {
		for (size_t k = 0; k < COUNT(options); k++) {
			struct policy_error err = { "" };
			struct draft *d = new_draft();
			int ret;

			must(options[i].add(d, options[i].text, &err), &err);
			ret = options[k].add(d, options[k].text, &err);
			if (i == k || (i >= 2 && k >= 2)) {
				cr_expect_eq(ret, i == 3 && k == 3 ? -EINVAL : 0, "%s %s",
					     options[i].option, options[k].option);
			} else {
				expect_refused(ret, &err,
					       TEXTS("mutually exclusive", options[i].option,
						     options[k].text, "--rule"));
			}
			draft_free(d);
		}
	}
}

Test(policy, what_a_default_goes_with)
{
	static const struct {
		const char *text;
		int (*add)(struct draft *, const char *, struct policy_error *);
		const char *verdict;
		const char *word; /* or NULL: accepted */
	} rows[] = {
		{ "1.2.3.4", draft_allow, "deny", NULL },
		{ "1.2.3.4", draft_allow, "allow", "--net-allow" },
		{ "1.2.3.4", draft_deny, "allow", NULL },
		{ "1.2.3.4", draft_deny, "deny", "--net-deny" },
		{ "allow 1.2.3.4", draft_rule, "allow", NULL },
		{ "allow 1.2.3.4", draft_rule, "deny", NULL },
		{ "public-only", draft_preset, "deny", "--preset" },
		{ "none", draft_preset, "allow", "--preset" },
		{ "allow 1.2.3.4", draft_rule, "ask", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = new_draft();

		must(rows[i].add(d, rows[i].text, &err), &err);
		if (rows[i].word)
			expect_refused(draft_default(d, rows[i].verdict, &err), &err,
				       TEXTS(rows[i].word, rows[i].verdict));
		else
			must(draft_default(d, rows[i].verdict, &err), &err);
		draft_free(d);

		if (!strcmp(rows[i].verdict, "ask"))
			continue;
		d = new_draft();
		must(draft_default(d, rows[i].verdict, &err), &err);
		if (rows[i].word)
			expect_refused(rows[i].add(d, rows[i].text, &err), &err,
				       TEXTS(rows[i].text, "--default"));
		else
			must(rows[i].add(d, rows[i].text, &err), &err);
		draft_free(d);
	}
}

Test(policy, unknown_preset)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();

	expect_refused(draft_preset(d, "lan", &err), &err,
		       TEXTS("'lan'", "none", "allow-all", "public-only", "non-local"));
	draft_free(d);
}

Test(policy, a_listen_without_a_port)
{
	static const struct {
		int (*add)(struct draft *, const char *, struct policy_error *);
		const char *text, *addr;
		enum verdict verdict;
	} rows[] = {
		{ draft_allow, "*", "0.0.0.0", VERDICT_DENY },
		{ draft_allow, "*", "127.0.0.1", VERDICT_ALLOW },
		{ draft_allow_bind, "8080", "0.0.0.0", VERDICT_DENY },
		{ draft_allow_bind, "*", "0.0.0.0", VERDICT_ALLOW },
		{ draft_deny_bind, "8080", "0.0.0.0", VERDICT_ALLOW },
		{ draft_deny_bind, "*", "127.0.0.1", VERDICT_DENY },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = options(rows[i].add, TEXTS(rows[i].text));
		struct endpoint e = endpoint_in(PROTO_TCP, addr(rows[i].addr), 0);

		e.listening = true;
		cr_expect_eq(policy_decide(p, NULL, &e).verdict, rows[i].verdict, "%s, %s",
			     rows[i].text, rows[i].addr);
		policy_free(p);
	}
}

Test(policy, ports_that_may_be_bound)
{
	struct policy *p = options(draft_allow_bind, TEXTS("8080, 9000-9005", "53"));

	expect_decision(p, "in tcp 0.0.0.0 8080", "allow (bind-default)");
	expect_decision(p, "in udp 192.0.2.1 9005", "allow (bind-default)");
	expect_decision(p, "in udp :: 53", "allow (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 9006", "deny (bind-default)");
	expect_decision(p, "in tcp 127.0.0.1 9006", "allow (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 0", "allow (bind-default)");
	policy_free(p);

	p = options(draft_allow_bind, TEXTS("*"));
	expect_decision(p, "in tcp 0.0.0.0 65535", "allow (bind-default)");
	policy_free(p);

	p = options(draft_deny_bind, TEXTS("8080,22"));
	expect_decision(p, "in tcp 0.0.0.0 8080", "deny (bind-default)");
	expect_decision(p, "in udp 127.0.0.1 22", "deny (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 23", "allow (bind-default)");
	expect_decision(p, "tcp 1.1.1.1 80", "deny (default)");
	policy_free(p);

	p = options(draft_deny_bind, TEXTS("*"));
	expect_decision(p, "in tcp 127.0.0.1 1", "deny (bind-default)");
	expect_decision(p, "in tcp 0.0.0.0 0", "allow (bind-default)");
	policy_free(p);
}

Test(policy, wrong_bind_options)
{
	static const struct {
		const char *ports, *word;
	} rows[] = {
		{ "", "invalid port" },    { "http", "invalid port" },  { "0", "port 0" },
		{ "80,", "invalid port" }, { "*,80", "cannot mix" },    { "90-80", "invalid port" },
		{ ":80", "invalid port" }, { "65536", "invalid port" }, { "8 0", "invalid port" },
	};
	struct policy_error err = { "" };
	struct draft *d = new_draft();

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_refused(draft_allow_bind(d, rows[i].ports, &err), &err,
			       TEXTS(rows[i].word, rows[i].ports));

	must(draft_allow_bind(d, "80", &err), &err);
	expect_refused(draft_deny_bind(d, "81", &err), &err,
		       TEXTS("mutually exclusive", "--net-allow-bind", "'81'"));
	expect_refused(draft_rule(d, "allow in :81", &err), &err,
		       TEXTS("mutually exclusive", "--net-allow-bind"));
	expect_refused(draft_preset(d, "allow-all", &err), &err, TEXTS("mutually exclusive"));
	must(draft_rule(d, "allow :81", &err), &err);
	must(draft_preset(d, "public-only", &err), &err);
	draft_free(d);

	d = new_draft();
	must(draft_rule(d, "deny in :81", &err), &err);
	expect_refused(draft_allow_bind(d, "80", &err), &err, TEXTS("mutually exclusive", "'in'"));
	draft_free(d);
}
