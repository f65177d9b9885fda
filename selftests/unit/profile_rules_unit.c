/* SPDX-License-Identifier: MIT */
/*
 * A policy whose rules are replaced keeps everything else, whatever it was written with.
 */
#include "policy/profile_rules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The rules with what lint says of them, then what no rule matches. */
static char *listed(const char *text)
{
	struct policy_error err;
	struct profile_rules r;
	char *buf = NULL;
	size_t size;
	FILE *out = open_memstream(&buf, &size);
	int ret = profile_rules_read(text, strlen(text), &r, &err);

	if (ret) {
		fputs(err.text, out);
	} else {
		for (size_t i = 0; i < r.n; i++)
			fprintf(out, "%s%s%s%s; ", i < r.n_own ? "" : "preset: ", r.v[i].text,
				r.v[i].lint ? " " : "", r.v[i].lint ? r.v[i].lint : "");
		fputs(r.preset ? r.preset : r.fallback, out);
		profile_rules_free(&r);
	}
	fclose(out);
	return buf;
}

Test(profile_rules, reading)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "deny" },
		{ "[network]\nrules = [\"deny 10.0.0.1\", \"allow *:80\"]\ndefault = \"allow\"\n",
		  "deny 10.0.0.1; allow *:80; allow" },
		{ "[network]\nrules = [\"deny 10.0.0.0/8\", \"deny 10.0.0.1\"]\n",
		  "deny 10.0.0.0/8; deny 10.0.0.1 shadowed; deny" },
		{ "[network]\nallow = [\":443\"]\n", "allow :443; deny" },
		{ "[network]\ndeny = [\"10.0.0.0/8\"]\n", "deny tcp://10.0.0.0/8 tcp-only-deny; allow" },
		{ "[network]\nrules = [\"allow :1\"]\npreset = \"none\"\n",
		  "allow :1; preset: deny any://*; none" },
		{ "[network]\nrules = [\"allow :x\"]\n",
		  "2:10: network.rules: ':x': invalid port 'x': expected" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = listed(rows[i].text);

		cr_expect_eq(strncmp(got, rows[i].expected, strlen(rows[i].expected)), 0,
			     "%s gives %s", rows[i].text, got);
		free(got);
	}
}

static void expect_write(const char *text, const char *const *rules, size_t n,
			 const char *const *expected)
{
	struct policy_error err = { "" };
	char *out = NULL;
	int ret = profile_rules_write(text, strlen(text), rules, n, &out, &err);
	const char *got = ret ? err.text : out;

	for (; *expected; expected++)
		cr_expect(strstr(got, *expected), "no %s in %s", *expected, got);
	free(out);
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(profile_rules, writing)
{
	expect_write(
		"[network]\ndeny = [\"10.0.0.0/8\"]\nallow_bind = [8080]\ndefault = \"allow\"\n"
		"max_connections = 7\n[dns]\nblock = [\"example.com\"]\n",
		TEXTS("allow :1", "deny :2"), 2,
		TEXTS("rules = [\n\t\"allow :1\", # 1\n\t\"deny :2\", # 2\n]",
		      "default = \"allow\"", "allow_bind = [\"8080\"]", "max_connections = 7",
		      "block = [\"example.com\"]"));
	expect_write("[network]\nrules = [\"allow :9\"]\npreset = \"public-only\"\n", NULL, 0,
		     TEXTS("preset = \"public-only\"", "# 1: deny any://private"));
	/* The parser's own words, and what does not go with the rest. */
	expect_write("", TEXTS("allow 8080"), 1, TEXTS("8080 is not a host: write :8080"));
	expect_write("[network]\nallow_bind = [8080]\n", TEXTS("allow in :1"), 1,
		     TEXTS("allow_bind"));
}
