/* SPDX-License-Identifier: MIT */
#include "policy/dns.h"
#include "policy/source.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/diff.h"
#include "policy/draft.h"
#include "policy/profile.h"

static struct draft *built(const struct source *s)
{
	struct policy_error err = { "" };
	struct draft *d = NULL;

	cr_assert_eq(source_build(s, &d, &err), 0, "%s", err.text);
	return d;
}

static enum verdict verdict(struct draft *d, enum proto proto, const char *addr, uint16_t port)
{
	struct policy *p;
	struct addr a;
	struct endpoint e;
	enum verdict v;

	cr_assert_eq(policy_compile(d, &p), 0);
	cr_assert_eq(addr_parse(addr, &a), 0);
	e = endpoint_out(proto, a, port);
	v = policy_decide(p, NULL, &e).verdict;
	policy_free(p);
	return v;
}

Test(source, a_rule_is_put_in_front_of_an_allow_list)
{
	struct source *s = source_new();
	struct draft *d;

	source_add(s, draft_allow, "--net-allow", "10.0.0.0/8:443");
	source_insert(s, "deny 10.0.0.5");
	d = built(s);
	cr_assert_eq(verdict(d, PROTO_TCP, "10.0.0.5", 443), VERDICT_DENY);
	cr_assert_eq(verdict(d, PROTO_TCP, "10.0.0.6", 443), VERDICT_ALLOW);
	cr_assert_eq(verdict(d, PROTO_TCP, "8.8.8.8", 443), VERDICT_DENY);
	draft_free(d);

	source_insert(s, "allow 10.0.0.5");
	d = built(s);
	cr_assert_eq(verdict(d, PROTO_TCP, "10.0.0.5", 443), VERDICT_ALLOW, "the last is first");
	cr_assert_eq(verdict(d, PROTO_UDP, "10.0.0.5", 443), VERDICT_DENY);
	draft_free(d);
	source_free(s);
}

Test(source, a_rule_ends_at_its_time)
{
	struct source *s = source_new(), *copy;
	const struct profile rest = { .now = 3 };
	struct draft *d;
	char *text;

	cr_assert_eq(source_ends(s), 0);
	source_insert(s, "deny 10.0.0.1");
	source_insert_until(s, "allow 10.0.0.2", 2000000004);
	source_insert_until(s, "allow 10.0.0.3", 5);
	source_insert(s, "deny 10.0.0.4");
	copy = source_copy(s);
	cr_expect_eq(source_ends(copy), 5);
	/* Rules are numbered from the front, where the last one is. */
	cr_expect(!source_has_ended(copy, 2, 4));
	cr_expect(source_has_ended(copy, 2, 5));
	for (int rule = -1; rule <= 5; rule++)
		cr_expect_eq(source_has_ended(copy, rule, 6), rule == 2, "%d", rule);
	cr_expect_eq(source_end(copy, 4), 0);
	cr_expect_eq(source_end(copy, 5), 1);
	d = built(copy);
	cr_expect_eq(verdict(d, PROTO_TCP, "10.0.0.3", 443), VERDICT_DENY);
	cr_expect_eq(verdict(d, PROTO_TCP, "10.0.0.2", 443), VERDICT_ALLOW);
	text = profile_write(d, &rest);
	cr_expect(strstr(text, "\"allow 10.0.0.2\", # 2, ends in 3 s\n"), "%s", text);
	cr_expect(strstr(text, "\"deny 10.0.0.4\", # 1\n"), "%s", text);
	free(text);
	draft_free(d);
	cr_expect_eq(source_end(copy, UINT64_MAX), 1);
	cr_expect_eq(source_ends(copy), 0);
	cr_expect_eq(source_ends(s), 5);
	source_free(copy);
	source_free(s);
}

Test(source, a_deny_list_keeps_its_protocols_and_default)
{
	struct source *s = source_new();
	struct profile rest = { 0 }, p;
	struct policy_error err;
	struct draft *d, *again;
	char *text;

	source_add(s, draft_deny, "--net-deny", "10.0.0.0/8,[fd00::/8]:1-2,9");
	source_add(s, draft_deny, "--net-deny", "private");
	source_add(s, draft_deny, "--net-deny", ":25");
	source_insert(s, "deny udp://9.9.9.9");
	d = built(s);
	cr_assert_eq(d->rules.n, 4);
	cr_assert_str_eq(d->rules.v[0].text, "deny udp://9.9.9.9");
	cr_assert_str_eq(d->rules.v[1].text, "deny tcp://10.0.0.0/8,tcp://[fd00::/8]:1-2,9");
	cr_assert_str_eq(d->rules.v[2].text, "deny private");
	cr_assert_str_eq(d->rules.v[3].text, "deny tcp://*:25");

	/* And so it is when it has been saved. */
	text = profile_write(d, &rest);
	cr_assert_eq(profile_read(text, strlen(text), &p, &err), 0, "%s", err.text);
	again = draft_new();
	cr_assert_eq(profile_add(&p, again, &err), 0, "%s", err.text);
	for (int i = 0; i < 2; i++) {
		struct draft *which = i ? again : d;

		cr_assert_eq(verdict(which, PROTO_TCP, "9.9.9.9", 1), VERDICT_ALLOW);
		cr_assert_eq(verdict(which, PROTO_UDP, "9.9.9.9", 1), VERDICT_DENY);
		cr_assert_eq(verdict(which, PROTO_TCP, "8.8.8.8", 25), VERDICT_DENY);
		cr_assert_eq(verdict(which, PROTO_UDP, "8.8.8.8", 25), VERDICT_ALLOW);
		cr_assert_eq(verdict(which, PROTO_ICMP, "8.8.8.8", 0), VERDICT_ALLOW);
		cr_assert_eq(verdict(which, PROTO_UDP, "10.1.1.1", 25), VERDICT_DENY);
	}
	profile_free(&p);
	draft_free(again);
	draft_free(d);
	free(text);
	source_free(s);
}

Test(source, a_preset_stays_behind)
{
	struct source *s = source_new();
	struct draft *d;

	source_add(s, draft_preset, "--preset", "public-only");
	source_insert(s, "allow 127.0.0.1:80");
	d = built(s);
	cr_assert_eq(verdict(d, PROTO_TCP, "127.0.0.1", 80), VERDICT_ALLOW);
	cr_assert_eq(verdict(d, PROTO_TCP, "127.0.0.1", 81), VERDICT_DENY);
	cr_assert_eq(verdict(d, PROTO_TCP, "1.1.1.1", 81), VERDICT_ALLOW);
	draft_free(d);
	source_free(s);
}

Test(source, no_policy_and_a_rule)
{
	struct source *s = source_new();
	struct draft *d;

	source_insert(s, "allow 127.0.0.1:80");
	d = built(s);
	cr_assert_eq(verdict(d, PROTO_TCP, "127.0.0.1", 80), VERDICT_ALLOW);
	cr_assert_eq(verdict(d, PROTO_TCP, "127.0.0.1", 81), VERDICT_DENY);
	draft_free(d);
	source_free(s);
}

static void assert_wrong(struct source *s, const char *expected)
{
	struct policy_error err = { "" };
	struct draft *d;

	cr_assert_eq(source_build(s, &d, &err), -EINVAL);
	cr_assert_str_eq(err.text, expected);
}

Test(source, what_is_wrong_is_named_with_its_place)
{
	static const char text[] = "[network]\nallow = [\n  \"10.0.0.0/33\",\n]\n";
	struct source *s = source_new();

	source_set_profile(s, "/etc/x.toml", text, strlen(text));
	assert_wrong(s, "/etc/x.toml:3:3: network.allow: '10.0.0.0/33': prefix length too large: "
			"expected at most /32");
	source_set_profile(s, "y", "", 0);
	source_insert(s, "deny 1.2.3.4:0");
	assert_wrong(s, "'1.2.3.4:0': port 0 cannot be named: expected 1 to 65535");
	source_free(s);
}

Test(source, lists_of_a_profile_are_those_that_were_read)
{
	static const char text[] = "[network]\npreset = \"public-only\"\n"
				   "[dns]\nblock_file = [\"ads\", \"/etc/more\"]\n";
	struct source *s = source_new(), *copy;
	struct policy *p;
	struct draft *d;
	size_t n;

	source_set_profile(s, "/etc/x.toml", text, strlen(text));
	source_add_list(s, "/etc/ads", "evil.com\n", 9);
	assert_wrong(s, "/etc/x.toml:4:22: dns.block_file: '/etc/more': this run has not read it: "
			"expected a list that it began with");
	source_add_list(s, "/etc/more", "worse.com\n", 10);
	source_set_sinkhole(s);
	copy = source_copy(s);
	source_free(s);
	source_insert(copy, "deny :9");
	cr_assert_eq(source_lists(copy, &n) != NULL, true);
	cr_assert_eq(n, 2);
	d = built(copy);
	cr_assert_eq(policy_compile(d, &p), 0);
	cr_assert_eq(policy_resolve(p, "evil.com").verdict, VERDICT_DENY);
	cr_assert_eq(policy_resolve(p, "worse.com").verdict, VERDICT_DENY);
	cr_assert_eq(policy_resolve(p, "example.com").verdict, VERDICT_ALLOW);
	policy_free(p);
	draft_free(d);
	source_free(copy);
}

static void expect_rules(const struct source *s, const char *expected)
{
	struct draft *d = built(s);
	char text[256] = "";

	for (size_t i = 0; i < d->rules.n; i++) {
		strcat(text, d->rules.v[i].text);
		strcat(text, "; ");
	}
	cr_expect_str_eq(text, expected);
	draft_free(d);
}

/* An editor has the whole policy; a file that is read again has its part, and no more. */
Test(source, what_was_edited_as_a_whole)
{
	const char whole[] = "[network]\nrules = [\"allow :1\", \"deny :8\"]\n";
	const char again[] = "[network]\nrules = [\"allow :3\"]\n";
	struct source *s = source_new(), *copy;
	struct draft *d;

	source_add(s, draft_rule, "--rule", "deny :9");
	source_set_profile(s, "p", "[network]\nrules = [\"allow :2\"]\n", 31);
	source_insert(s, "allow :7");
	source_insert(s, "deny :8");
	expect_rules(s, "deny :8; allow :7; deny :9; allow :2; ");

	source_replace(s, "q", whole, strlen(whole));
	d = built(s);
	source_forget(s, d);
	draft_free(d);
	expect_rules(s, "allow :1; deny :8; ");
	cr_expect_str_eq(source_profile(s), "p");
	source_insert(s, "allow :6");
	copy = source_copy(s);
	expect_rules(copy, "allow :6; allow :1; deny :8; ");

	/* `allow :7` was edited away. */
	source_set_profile(copy, "p", again, strlen(again));
	expect_rules(copy, "allow :6; deny :8; deny :9; allow :3; ");
	source_free(copy);
	source_free(s);
}

Test(source, a_copy_is_its_own)
{
	static const char text[] = "[network]\nallow = [\"127.0.0.1:80\"]\n";
	struct source *s = source_new(), *copy;
	struct draft *d;

	source_set_profile(s, "p", text, strlen(text));
	source_insert(s, "deny :9");
	copy = source_copy(s);
	source_insert(s, "deny :80");
	source_free(s);
	d = built(copy);
	cr_assert_eq(verdict(d, PROTO_TCP, "127.0.0.1", 80), VERDICT_ALLOW);
	draft_free(d);
	source_free(copy);
}

static struct draft *rules(const char *first, const char *second, const char *fallback)
{
	struct policy_error err;
	struct draft *d = draft_new();

	cr_assert_eq(draft_rule(d, first, &err), 0);
	cr_assert_eq(draft_rule(d, second, &err), 0);
	cr_assert_eq(draft_default(d, fallback, &err), 0);
	return d;
}

Test(diff, rules_that_came_and_went)
{
	struct draft *a = rules("allow :80", "deny :25", "deny");
	struct draft *b = rules("deny :25", "allow :443", "allow");
	struct diff diff;

	cr_assert_eq(draft_diff(a, b, &diff), 0);
	cr_assert_eq(diff.added.n, 2);
	cr_assert_str_eq(diff.added.v[0], "allow :443");
	cr_assert_str_eq(diff.added.v[1], "default allow");
	cr_assert_eq(diff.removed.n, 2);
	cr_assert_str_eq(diff.removed.v[0], "allow :80");
	cr_assert_str_eq(diff.removed.v[1], "default deny");
	cr_assert_not(diff.moved);
	diff_free(&diff);
	draft_free(a);
	draft_free(b);
}

Test(diff, an_order_that_changed)
{
	struct draft *a = rules("allow :80", "deny :25", "deny");
	struct draft *b = rules("deny :25", "allow :80", "deny");
	struct diff diff;

	cr_assert_eq(draft_diff(a, b, &diff), 0);
	cr_assert_eq(diff.added.n + diff.removed.n, 0);
	cr_assert(diff.moved);
	diff_free(&diff);
	draft_free(a);
	draft_free(b);
}

Test(diff, an_inserted_rule_is_all_that_a_deny_list_gets)
{
	struct source *s = source_new();
	struct draft *a, *b;
	struct diff diff;

	source_add(s, draft_deny, "--net-deny", "10.0.0.0/8");
	a = built(s);
	source_insert(s, "deny :25");
	b = built(s);
	cr_assert_eq(draft_diff(a, b, &diff), 0);
	cr_assert_eq(diff.added.n, 1);
	cr_assert_str_eq(diff.added.v[0], "deny :25");
	cr_assert_eq(diff.removed.n, 0);
	diff_free(&diff);
	draft_free(a);
	draft_free(b);
	source_free(s);
}
