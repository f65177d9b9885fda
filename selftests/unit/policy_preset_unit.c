/* SPDX-License-Identifier: MIT */
/*
 * Presets and defaults: what is decided where no rule matches.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "selftests/unit/policies.h"

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
