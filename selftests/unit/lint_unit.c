/* SPDX-License-Identifier: MIT */
/*
 * Warnings: for each one rules that deserve it, and rules that are near and do not.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/draft.h"
#include "policy/lint.h"
#include "policy/suffix.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

typedef int add_fn(struct draft *d, const char *text, struct policy_error *err);

/* The warnings as "RULE ID, RULE ID"; the text of the last one. */
static char seen[1000], last[400];

static int note(void *arg, const struct lint_warning *w)
{
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "%s%d %s", n ? ", " : "", w->rule, lint_name(w->id));
	snprintf(last, sizeof(last), "%s", w->text);
	return 0;
}

static const char *warnings(const struct draft *d)
{
	*seen = *last = '\0';
	cr_assert_eq(lint(d, note, NULL), 0);
	return seen;
}

/* Lint the texts, each added by `add`. */
static const char *lint_texts(add_fn *add, const char *const *texts, const char *preset)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();

	cr_assert(d);
	for (; *texts; texts++)
		cr_assert_eq(add(d, *texts, &err), 0, "%s", err.text);
	if (preset)
		cr_assert_eq(draft_preset(d, preset, &err), 0, "%s", err.text);
	warnings(d);
	draft_free(d);
	return seen;
}

struct row {
	const char *rules[6];
	const char *warnings;
};

static void check_rows(add_fn *add, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lint_texts(add, rows[i].rules, NULL);
		cr_expect_str_eq(seen, rows[i].warnings, "row %zu: '%s'", i, seen);
	}
}

Test(lint, a_rule_that_earlier_ones_shadow)
{
	static const struct row rows[] = {
		{ { "allow 10.0.0.0/8", "deny tcp://10.1.2.3:80" }, "2 shadowed" },
		{ { "allow 10.0.0.0/8", "allow 10.0.0.0/8" }, "2 shadowed" },
		{ { "deny any://*", "allow :443" }, "2 shadowed" },
		{ { "allow 10.0.0.0/9", "allow 10.128.0.0/9", "allow 10.0.0.0/8" }, "3 shadowed" },
		{ { "allow :1-80", "allow :81-100", "allow 10.0.0.0/8:50-90" }, "3 shadowed" },
		{ { "allow 10.0.0.0/8", "allow 11.0.0.0/8", "allow 10.1.1.1,11.1.1.1" },
		  "3 shadowed" },
		{ { "allow in *", "deny in tcp://127.0.0.1:80" }, "2 shadowed" },
		{ { "allow any://@private", "deny 192.168.1.1" }, "2 shadowed" },
		{ { "allow *", "deny tcp://@this-host" }, "2 shadowed" },
		{ { "allow any://@public", "deny 1.1.1.1" }, "2 shadowed" },
		{ { "deny private", "allow any://@this-host" }, "2 shadowed" },
		/* Something is left to each of these. */
		{ { "deny tcp://10.1.2.3:80", "allow 10.0.0.0/8" }, "" },
		{ { "allow 10.0.0.0/8", "deny any://10.1.2.3" }, "" },
		{ { "allow 10.0.0.0/9", "allow 10.0.0.0/8" }, "" },
		{ { "allow 0.0.0.0/0", "allow [::1]:80" }, "" },
		{ { "allow :1-80", "allow :82-100", "allow 10.0.0.0/8:50-90" }, "" },
		{ { "allow *", "deny in 127.0.0.1:80" }, "" },
		{ { "allow 10.0.0.0/8", "allow 10.1.1.1,12.1.1.1" }, "" },
		{ { "allow unix:*", "deny unix:/run/bus" }, "2 shadowed" },
		{ { "allow unix:/*", "deny unix:/run/*" }, "2 shadowed" },
		{ { "deny unix:/run/bus", "allow unix:/run/bus" }, "2 shadowed" },
		{ { "deny unix:@a*", "allow unix:@ab" }, "2 shadowed" },
		{ { "deny unix:/run/bus", "allow unix:/run/*" }, "" },
		{ { "allow unix:/*", "allow unix:@a" }, "" },
		/* What is not known here, and what is matched otherwise than by its address. */
		{ { "allow 10.0.0.0/8", "deny tcp://@this-host" }, "" },
		{ { "allow any://@loopback", "allow any://@this-host", "deny private" }, "" },
		{ { "allow *", "allow @self" }, "" },
		{ { "allow *:443", "allow example.com:443" }, "" },
		{ { "allow 0.0.0.0/8", "deny tcp://0.0.0.0" }, "" },
		{ { "allow unix:/run/*", "deny unix:/run/link" }, "" },
		{ { "allow unix:*", "deny unix:$BUS" }, "" },
	};

	check_rows(draft_rule, rows, COUNT(rows));
	lint_texts(draft_rule, rows[0].rules, NULL);
	cr_expect(strstr(last, "'deny tcp://10.1.2.3:80' decides nothing"), "%s", last);
	cr_expect(strstr(last, "'allow 10.0.0.0/8'"), "%s", last);
}

/* More ports than a node of the table takes over from the one around it. */
Test(lint, many_rules_for_one_address)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	char text[60];

	cr_assert(d);
	for (int port = 100; port < 200; port += 2) {
		snprintf(text, sizeof(text), "allow 10.0.0.0/8:%d", port);
		cr_assert_eq(draft_rule(d, text, &err), 0);
	}
	cr_assert_eq(draft_rule(d, "deny tcp://10.1.0.0/16:150", &err), 0);
	cr_assert_eq(draft_rule(d, "deny tcp://10.2.0.0/16:151", &err), 0);
	cr_assert_eq(draft_rule(d, "deny tcp://10.3.0.0/16:150-152", &err), 0);
	cr_expect_str_eq(warnings(d), "51 shadowed", "%s", seen);
	draft_free(d);
}

Test(lint, a_rule_that_never_matches)
{
	static const struct row rows[] = {
		{ { "allow in @public:80" }, "1 never-matches" },
		{ { "allow tcp://224.0.0.251:5353" }, "1 never-matches" },
		{ { "allow @multicast" }, "1 never-matches" },
		{ { "deny tcp://[ff02::fb],tcp://255.255.255.255" }, "1 never-matches" },
		{ { "allow icmp://@self" }, "1 never-matches" },
		{ { "allow in *:80" }, "" },
		{ { "allow any://@self" }, "" },
		{ { "allow @public:80" }, "" },
		{ { "allow udp://224.0.0.251:5353" }, "" },
		{ { "allow 224.0.0.0/3" }, "" },
		{ { "allow 224.0.0.1,10.0.0.1" }, "" },
	};

	check_rows(draft_rule, rows, COUNT(rows));
}

Test(lint, a_deny_of_tcp_alone)
{
	static const struct row denied[] = {
		{ { "10.0.0.0/8" }, "1 tcp-only-deny" },
		{ { "169.254.169.254" }, "1 tcp-only-deny" },
		{ { "@loopback" }, "1 tcp-only-deny" },
		{ { "8.8.8.8,fd00::/8" }, "1 tcp-only-deny" },
		{ { "any://10.0.0.0/8" }, "" },
		{ { "private" }, "" },
		{ { "10.0.0.0/8:22" }, "" },
		{ { "8.8.8.0/24" }, "" },
		{ { "*" }, "" },
		{ { "10.0.0.0/8", "udp://10.0.0.0/8" }, "" },
	};
	static const struct row rules[] = {
		{ { "deny tcp://@private", "allow any://*" }, "1 tcp-only-deny" },
		{ { "deny @private", "allow any://*" }, "" },
		{ { "deny tcp://@private", "allow *" }, "" },
	};

	check_rows(draft_deny, denied, COUNT(denied));
	lint_texts(draft_deny, denied[0].rules, NULL);
	cr_expect(strstr(last, "any://10.0.0.0/8"), "%s", last);
	check_rows(draft_rule, rules, COUNT(rules));
}

Test(lint, a_host_on_every_port)
{
	static const struct row rows[] = {
		{ { "example.com" }, "1 host-every-port" },
		{ { "example.com:*" }, "1 host-every-port" },
		{ { "any://example.com" }, "1 host-every-port" },
		{ { "a.example:443,b.example" }, "1 host-every-port" },
		{ { "example.com:443" }, "" },
		{ { "example.com:1-65535" }, "" },
		{ { "icmp://example.com" }, "" },
		{ { "1.2.3.4" }, "" },
	};

	check_rows(draft_allow, rows, COUNT(rows));
	lint_texts(draft_allow, rows[0].rules, NULL);
	cr_expect(strstr(last, "example.com:443"), "%s", last);
}

Test(lint, a_suffix_as_broad_as_a_public_one)
{
	static const struct row rows[] = {
		{ { ".com:443" }, "1 public-suffix" },
		{ { "*.co.uk:443" }, "1 public-suffix" },
		{ { ".GitHub.io:443" }, "1 public-suffix" },
		{ { ".com" }, "1 public-suffix, 1 host-every-port" },
		{ { ".example.com:443" }, "" },
		{ { ".corp:443" }, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct draft *d = draft_new();
		struct draft_rule rule = { .verdict = VERDICT_ALLOW };

		cr_assert(d);
		cr_assert_eq(spec_parse(rows[i].rules[0], SPEC_TCP, &rule.specs, &err), 0, "%s",
			     err.text);
		rule.text = strdup(rows[i].rules[0]);
		d->rules.v = array_room(d->rules.v, 0, sizeof(rule));
		cr_assert(rule.text && d->rules.v);
		d->rules.v[d->rules.n++] = rule;
		cr_expect_str_eq(warnings(d), rows[i].warnings, "row %zu: '%s'", i, seen);
		draft_free(d);
	}
}

Test(lint, a_preset_is_not_warned_about)
{
	cr_expect_str_eq(
		lint_texts(draft_rule, (const char *const[]){ "deny any://*", NULL }, "none"), "");
	cr_expect_str_eq(lint_texts(draft_rule, (const char *const[]){ NULL }, "non-local"), "");
	cr_expect_str_eq(lint_texts(draft_rule, (const char *const[]){ NULL }, NULL), "");
}

static int stop(void *arg, const struct lint_warning *w)
{
	(void)w;
	return ++*(int *)arg == 2 ? 77 : 0;
}

Test(lint, whoever_gets_the_warnings_can_stop)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	int n = 0;

	cr_assert(d);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(draft_allow(d, "1.2.3.4", &err), 0);
	cr_expect_eq(lint(d, stop, &n), 77);
	cr_expect_eq(n, 2);
	draft_free(d);
}
