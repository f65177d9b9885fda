/* SPDX-License-Identifier: MIT */
/*
 * Rules for AF_UNIX sockets.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "selftests/unit/policies.h"

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
