/* SPDX-License-Identifier: MIT */
/*
 * Rules put into profiles: what the owner wrote stays, and the policy is the old one with the rule.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/profile_edit.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct edit_case {
	const char *text, *rule, *wanted;
};

static void expect_edit(const struct edit_case *c)
{
	struct policy_error err = { "" };
	char *out = NULL;
	int ret = profile_edit_insert(c->text, strlen(c->text), &c->rule, 1, &out, &err);

	cr_expect_eq(ret, 0, "%s\n<- %s: %s", c->text, c->rule, err.text);
	if (!ret)
		cr_expect_str_eq(out, c->wanted);
	free(out);
}

/* The message has `wanted` in it. */
static void expect_refusal(const char *text, const char *rule, const char *wanted)
{
	struct policy_error err = { "" };
	char *out = NULL;
	int ret = profile_edit_insert(text, strlen(text), &rule, 1, &out, &err);

	cr_expect_eq(ret, -EINVAL, "%s\n<- %s: %s", text, rule, out);
	cr_expect_null(out);
	cr_expect(strstr(err.text, wanted), "'%s' has no '%s'", err.text, wanted);
	free(out);
}

static void expect_edits(const struct edit_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_edit(&cases[i]);
}

Test(profile_edit, fits_into_its_own_list)
{
	static const struct edit_case cases[] = {
		{ "[network]\nallow = ['a.test:1'] # mine\n", "allow 192.0.2.1:443",
		  "[network]\nallow = [\"192.0.2.1:443\", 'a.test:1'] # mine\n" },
		{ "[network]\ndeny = ['10.0.0.0/8']\n", "deny 192.0.2.1:443",
		  "[network]\ndeny = [\"any://192.0.2.1:443\", '10.0.0.0/8']\n" },
		{ "[network]\ndeny = ['10.0.0.0/8']\n", "deny tcp://192.0.2.1,private",
		  "[network]\ndeny = [\"tcp://192.0.2.1,any://private\", '10.0.0.0/8']\n" },
		{ "[network]\nrules = ['deny @public']\ndefault = 'allow'\n",
		  "allow udp://[::1]:53",
		  "[network]\nrules = [\"allow udp://[::1]:53\", 'deny @public']\n"
		  "default = 'allow'\n" },
		{ "[network]\nallow = [':1']\n", "allow unix:/run/a,b \"c\"",
		  "[network]\nallow = [\"unix:/run/a,b \\\"c\\\"\", ':1']\n" },
	};

	expect_edits(cases, COUNT(cases));
}

Test(profile_edit, a_list_of_lines_gets_a_line)
{
	static const struct edit_case cases[] = {
		{ "# head\n[network]\nallow = [ # these\n  # one\n  ':1', # first\n  ':2'\n]\n# "
		  "end",
		  "allow :3",
		  "# head\n[network]\nallow = [ # these\n  \":3\",\n  # one\n  ':1', # first\n  "
		  "':2'\n"
		  "]\n# end" },
		{ "[network]\nallow = [\n':1' ]\n", "allow :3",
		  "[network]\nallow = [\n\t\":3\",\n':1' ]\n" },
		{ "[network]\r\nrules = [\r\n    'allow :1',\r\n]\r\n", "deny :3",
		  "[network]\r\nrules = [\r\n    \"deny :3\",\r\n    'allow :1',\r\n]\r\n" },
		{ "[network]\nallow = [\n# none yet\n]\n", "allow :3",
		  "[network]\nallow = [\n\t\":3\",\n# none yet\n]\n" },
	};

	expect_edits(cases, COUNT(cases));
}

Test(profile_edit, a_rule_of_another_family_converts)
{
	static const struct edit_case cases[] = {
		{ "[network]\nallow = [\n\t'a.test:1', # mine\n\t'any://@public:5',\n]\n",
		  "deny 192.0.2.1",
		  "[network]\nrules = [\n\t\"deny 192.0.2.1\",\n\t\"allow a.test:1\", # mine\n"
		  "\t\"allow any://@public:5\",\n]\n" },
		{ "[network]\n# no LAN\ndeny = ['10.0.0.0/8', 'udp://@private:1']\n",
		  "allow 10.0.0.1:5",
		  "[network]\n# no LAN\ndefault = \"allow\"\n"
		  "rules = [\"allow 10.0.0.1:5\", \"deny tcp://10.0.0.0/8\", "
		  "\"deny udp://@private:1\"]\n" },
		{ "network = { deny = [':25'] }\n", "allow 192.0.2.1:25",
		  "network = { default = \"allow\", rules = [\"allow 192.0.2.1:25\", "
		  "\"deny tcp://*:25\"] }\n" },
		{ "[network]\nallow = [':1']\n", "allow in :80",
		  "[network]\nrules = [\"allow in :80\", \"allow :1\"]\n" },
	};

	expect_edits(cases, COUNT(cases));
}

Test(profile_edit, a_profile_without_a_list_gets_one)
{
	static const struct edit_case cases[] = {
		{ "", "allow :1", "[network]\nrules = [\n\t\"allow :1\",\n]\n" },
		{ "# mine", "allow :1", "# mine\n\n[network]\nrules = [\n\t\"allow :1\",\n]\n" },
		{ "[program]\nexec = 'a'\n", "deny :1",
		  "[program]\nexec = 'a'\n\n[network]\nrules = [\n\t\"deny :1\",\n]\n" },
		{ "[network]", "allow :1", "[network]\nrules = [\n\t\"allow :1\",\n]\n" },
		{ "[ network ] # x\npreset = 'public-only'\n\n[log]\njson = 'a'\n", "allow :1",
		  "[ network ] # x\nrules = [\n\t\"allow :1\",\n]\npreset = "
		  "'public-only'\n\n[log]\n"
		  "json = 'a'\n" },
		{ "network = {}\n", "allow :1", "network = { rules = [\"allow :1\"]}\n" },
		{ "network = { preset = 'none' }\n", "allow :1",
		  "network = { rules = [\"allow :1\"], preset = 'none' }\n" },
	};

	expect_edits(cases, COUNT(cases));
}

/* An empty list denies everything, and goes on to do so for all but the rule. */
Test(profile_edit, an_empty_list)
{
	static const struct edit_case cases[] = {
		{ "[network]\nallow = []\n", "allow :1", "[network]\nallow = [\":1\"]\n" },
		{ "[network]\ndeny = []\n", "deny :1", "[network]\nrules = [\"deny :1\"]\n" },
		{ "[network]\ndeny = []\n", "allow :1", "[network]\nrules = [\"allow :1\"]\n" },
		{ "[network]\nallow = []\nrules = ['deny :2']\n", "deny :1",
		  "[network]\nallow = []\nrules = [\"deny :1\", 'deny :2']\n" },
	};

	expect_edits(cases, COUNT(cases));
}

/* The parser counts characters, the edit bytes. */
Test(profile_edit, text_that_is_not_ascii)
{
	static const struct edit_case c = {
		"[log]\njson = '\u00fc'\n[network] # \u20ac\nallow = [ 'unix:/\u00fc\u20ac', ':1' "
		"]\n",
		"deny :2",
		"[log]\njson = '\u00fc'\n[network] # \u20ac\n"
		"rules = [ \"deny :2\", \"allow unix:/\u00fc\u20ac\", \"allow :1\" ]\n"
	};

	expect_edit(&c);
}

Test(profile_edit, refused_and_why)
{
	expect_refusal("[network]\nallow = [':1']\n", "allow 1.2.3", "'1.2.3'");
	expect_refusal("[network]\nallow = [':1']\n", "open :1", "expected");
	expect_refusal("[network]\nallow = ['1.2.3']\n", "allow :1", "2:10: network.allow");
	expect_refusal("[network]\nallow = [\n", "allow :1", "not a profile");
	expect_refusal("[network]\nallow_bind = 80\n", "allow in :81", "allow in :81");
	expect_refusal("network.preset = 'none'\n", "allow :1", "write the rule by hand");
	expect_refusal("[network]\n\"allow\" = [':2']\n", "deny :1", "write the rule by hand");
}
