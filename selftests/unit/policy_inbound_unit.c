/* SPDX-License-Identifier: MIT */
/*
 * What a policy lets listen and bind.
 */
#include <criterion/criterion.h>

#include "selftests/unit/policies.h"

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

Test(policy, an_inbound_wildcard_is_itself)
{
	struct policy *p = rules(TEXTS("deny in 127.0.0.1", "allow in 0.0.0.0:80"));

	expect_decision(p, "in tcp 0.0.0.0 80", "allow (rule 2: allow in 0.0.0.0:80)");
	expect_decision(p, "in tcp 127.0.0.1 80", "deny (rule 1: deny in 127.0.0.1)");
	expect_decision(p, "in tcp 0.0.0.0 81", "deny (bind-default)");
	policy_free(p);
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
