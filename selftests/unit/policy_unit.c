/* SPDX-License-Identifier: MIT */
/*
 * Policies: what is decided about which endpoint, and by which rule.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "selftests/unit/policies.h"

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

Test(policy, wrong_rules)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "", "empty rule" },
		{ "  ", "empty rule" },
		{ "allow", "'allow': empty rule" },
		{ "allow in ", "'allow in ': empty rule" },
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
