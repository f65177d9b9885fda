/* SPDX-License-Identifier: MIT */
/*
 * The profile of what was seen allows exactly that.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/draft.h"
#include "policy/explain.h"
#include "policy/learned.h"
#include "policy/profile.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define SEEN         "curl, 1 time, first at 1970-01-01 00:00:00Z"

/* "tcp 192.0.2.1 443", of a process called curl that has sent something. */
static struct learned flow(const char *endpoint)
{
	struct learned f = { .verdict = VERDICT_ALLOW, .sends = true, .count = 1, .comm = "curl" };
	struct policy_error err;
	char name[DOMAIN_TEXT_MAX];

	cr_assert_eq(explain_parse(strdup(endpoint), name, &f.endpoint, &err), 1, "%s", err.text);
	if (f.endpoint.proto == PROTO_DNS)
		f.endpoint.name = strdup(f.endpoint.name);
	return f;
}

static struct learned named(const char *endpoint, const char *host)
{
	struct learned f = flow(endpoint);

	f.host = host;
	return f;
}

static struct learned udp_connect(const char *endpoint)
{
	struct learned f = flow(endpoint);

	f.sends = false;
	return f;
}

static struct learned denied(const char *endpoint)
{
	struct learned f = flow(endpoint);

	f.verdict = VERDICT_DENY;
	return f;
}

/* The policy of a profile; nothing is resolved. */
static struct policy *compile(const char *text)
{
	struct draft *d = draft_new();
	struct policy_error err = { "" };
	struct policy *policy;
	struct profile p;

	cr_assert_eq(profile_read(text, strlen(text), &p, &err), 0, "%s: %s", text, err.text);
	cr_assert_eq(profile_add(&p, d, &err), 0, "%s: %s", text, err.text);
	profile_free(&p);
	cr_assert_eq(policy_compile(d, &policy), 0);
	draft_free(d);
	return policy;
}

static void expect(const char *text, const struct learned *flows, size_t n, const char *wanted)
{
	struct learned_result result;
	struct policy_error err = { "" };
	struct policy *have = compile(text);

	cr_assert_eq(learned_profile(text, strlen(text), have, flows, n, &result, &err), 0, "%s",
		     err.text);
	cr_expect_str_eq(result.text, wanted);
	free(result.text);
	policy_free(have);
}

Test(learned, ports_of_a_destination_are_one_rule)
{
	struct learned flows[] = {
		flow("tcp 192.0.2.1 443"),  flow("tcp 192.0.2.1 80"), flow("udp 192.0.2.1 53"),
		flow("tcp 2001:db8::1 22"), flow("icmp 192.0.2.2 0"), flow("tcp 192.0.2.2 80"),
	};

	flows[0].first = 100;
	flows[0].count = 3;
	flows[1].first = 86400;
	strcpy(flows[1].comm, "wget");
	expect("", flows, COUNT(flows),
	       "[network]\nrules = [\n"
	       "\t\"allow 192.0.2.1:80,443\", # curl and others, 4 times, first at 1970-01-01 "
	       "00:01:40Z\n"
	       "\t\"allow 192.0.2.2:80\", # " SEEN "\n"
	       "\t\"allow [2001:db8::1]:22\", # " SEEN "\n"
	       "\t\"allow icmp://192.0.2.2\", # " SEEN "\n"
	       "\t\"allow udp://192.0.2.1:53\", # " SEEN "\n"
	       "]\n");
}

Test(learned, names_where_they_were_used)
{
	struct learned flows[] = {
		named("tcp 192.0.2.1 443", "a.test"),
		named("tcp 192.0.2.9 80", "a.test"),
		named("tcp 192.0.2.1 22", "no host at all"),
		flow("dns a.test"),
		flow("dns only.test"),
	};

	expect("", flows, COUNT(flows),
	       "[network]\nrules = [\n\t\"allow 192.0.2.1:22\", # " SEEN "\n"
	       "\t\"allow a.test:80,443\", # curl, 2 times, first at 1970-01-01 00:00:00Z\n"
	       "\t# only.test: " SEEN "; looked up, and nothing was connected by that name\n]\n");
}

Test(learned, what_is_there_is_not_added)
{
	static const char text[] = "# Mine.\n[network]\nallow = [\n  'a.test:443', # by hand\n"
				   "  '10.0.0.0/8:1-99'\n]\n";
	struct learned flows[] = {
		named("tcp 192.0.2.1 443", "a.test"),
		flow("tcp 10.1.2.3 80"),
		flow("tcp 10.1.2.3 100"),
		named("tcp 192.0.2.1 80", "a.test"),
		flow("in tcp 127.0.0.1 80"),
	};

	expect(text, flows, COUNT(flows),
	       "# Mine.\n[network]\nallow = [\n  'a.test:443', # by hand\n  '10.0.0.0/8:1-99',\n"
	       "\t\"10.1.2.3:100\", # " SEEN "\n\t\"a.test:80\", # " SEEN "\n]\n");
	expect(text, flows, 2, text);
}

Test(learned, only_for_the_user_to_judge)
{
	struct learned flows[] = {
		denied("unix /run/dbus"),
		flow("unix /run/ours"),
		flow("unix /run/$x*"),
		flow("tcp 192.0.2.1 443"),
		udp_connect("udp 192.0.2.1 443"),
		udp_connect("udp 192.0.2.3 443"),
		denied("tcp 192.0.2.4 1"),
		denied("in tcp 0.0.0.0 90"),
		flow("icmp 192.0.2.5 0"),
	};

	flows[8].count = 0;
	expect("", flows, COUNT(flows),
	       "[network]\nrules = [\n"
	       "\t\"allow 192.0.2.1:443\", # " SEEN "\n"
	       "\t\"allow udp://192.0.2.3:443\", # " SEEN "\n"
	       "\t\"allow unix:/run/ours\", # " SEEN "\n"
	       "\t# \"allow udp://192.0.2.1:443\", " SEEN
	       "; only connected, as is done to sort addresses\n"
	       "\t# unix:/run/$x*: " SEEN "; cannot be written as a rule\n"
	       "\t# \"allow unix:/run/dbus\", " SEEN
	       "; a service of this machine may run programs outside the sandbox\n"
	       "]\n");
}

Test(learned, what_was_bound)
{
	struct learned flows[] = {
		flow("in tcp 0.0.0.0 8080"),
		flow("in udp 192.0.2.1 8080"),
		flow("in tcp :: 80"),
		flow("in tcp 127.0.0.1 1"),
	};

	flows[3].endpoint.port = 9;
	expect("[network]\nallow_bind = [80]\n", flows, COUNT(flows),
	       "[network]\nallow_bind = [80,\n\t\"8080\", # curl, 2 times, first at 1970-01-01 "
	       "00:00:00Z\n]\n");
	expect("[network]\nrules = ['deny in :1']\n", flows, 3,
	       "[network]\nrules = ['deny in :1',\n"
	       "\t\"allow in 0.0.0.0:8080\", # " SEEN "\n\t\"allow in [::]:80\", # " SEEN "\n"
	       "\t\"allow in udp://192.0.2.1:8080\", # " SEEN "\n]\n");
}

Test(learned, the_sandbox_itself_at_whichever_port)
{
	struct learned flows[] = { flow("tcp 127.0.0.1 40001"), flow("udp ::1 40002") };

	flows[0].endpoint.self = flows[1].endpoint.self = true;
	expect("", flows, COUNT(flows),
	       "[network]\nrules = [\n\t\"allow @self\", # " SEEN
	       "\n\t\"allow udp://@self\", # " SEEN "\n]\n");
}

/* Names of processes and paths come from the command. */
Test(learned, evidence_is_one_printable_line)
{
	struct learned flows[] = { flow("tcp 192.0.2.1 1"), denied("unix /run/x") };

	flows[1].endpoint.name = "/run/\n\"] #\x1b\xff";
	strcpy(flows[0].comm, "a\n\"]\x1b\xff");
	expect("", flows, COUNT(flows),
	       "[network]\nrules = [\n\t\"allow 192.0.2.1:1\", # a?\"]??, 1 time, first at "
	       "1970-01-01 00:00:00Z\n"
	       "\t# unix:/run/?\"] #??: " SEEN "; cannot be written as a rule\n]\n");
}

/* A line of a profile has a limit. */
Test(learned, many_ports)
{
	enum { PORTS = 20000 };
	struct learned *flows = calloc(PORTS, sizeof(*flows));
	struct policy *none = compile(""), *policy;
	struct learned_result result;
	struct policy_error err = { "" };

	for (int i = 0; i < PORTS; i++) {
		flows[i] = flow("tcp 192.0.2.1 1");
		flows[i].endpoint.port = (uint16_t)(2 * i + 1);
	}
	cr_assert_eq(learned_profile("", 0, none, flows, PORTS, &result, &err), 0, "%s", err.text);
	cr_expect_eq(result.n_rules, PORTS / 100);
	policy = compile(result.text);
	for (int i = 0; i < PORTS; i++) {
		cr_assert_eq(policy_decide(policy, NULL, &flows[i].endpoint).verdict,
			     VERDICT_ALLOW);
		flows[i].endpoint.port++;
		cr_assert_eq(policy_decide(policy, NULL, &flows[i].endpoint).verdict, VERDICT_DENY);
	}
	policy_free(policy);
	policy_free(none);
	free(result.text);
	free(flows);
}

static void expect_refusal(const char *text, const char *why)
{
	struct policy_error err = { "" };

	cr_expect_eq(learned_check(text, strlen(text), &err), -EINVAL, "%s", text);
	cr_expect(strstr(err.text, why), "'%s' has no '%s'", err.text, why);
}

Test(learned, nothing_to_learn)
{
	struct policy_error err = { "" };

	cr_expect_eq(learned_check("", 0, &err), 0, "%s", err.text);
	expect_refusal("[network]\npreset = 'public-only'\n", "preset 'public-only'");
	expect_refusal("[network]\ndefault = 'allow'\n", "allows what no rule matches");
	expect_refusal("[network]\ndeny = [':1']\n", "allows what no rule matches");
	expect_refusal("network.default = 'deny'\n", "a layout that cannot be added to");
	expect_refusal("[network]\nallow = [':x']\n", "2:10: network.allow");
}

Test(learned, no_rule_matches_while_learning)
{
	struct learned f = flow("tcp 192.0.2.1 443");
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p;
	struct decision decision;
	struct profile rest = { 0 };
	char *text;

	cr_assert_eq(draft_rule(d, "deny 192.0.2.2", &err), 0);
	cr_assert_eq(draft_default(d, "ask", &err), 0);
	draft_set_learning(d);
	cr_assert_eq(policy_compile(d, &p), 0);
	decision = policy_decide(p, NULL, &f.endpoint);
	cr_expect_eq(decision.verdict, VERDICT_ALLOW);
	cr_expect_eq(decision.reason, REASON_LEARN);
	cr_expect_str_eq(policy_fallback_name(p), "learn");
	f = flow("tcp 192.0.2.2 443");
	cr_expect_eq(policy_decide(p, NULL, &f.endpoint).verdict, VERDICT_DENY);
	f = flow("in tcp 0.0.0.0 443");
	cr_expect_eq(policy_decide(p, NULL, &f.endpoint).verdict, VERDICT_DENY);
	f = flow("unix /run/x");
	cr_expect_eq(policy_decide(p, NULL, &f.endpoint).verdict, VERDICT_DENY);
	text = profile_write(d, &rest);
	cr_expect(strstr(text, "default = \"ask\""), "%s", text);
	free(text);
	policy_free(p);
	draft_free(d);
}
