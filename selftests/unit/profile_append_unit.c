/* SPDX-License-Identifier: MIT */
/*
 * Lines added to the end of a profile's lists: what was there keeps every byte.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/profile_append.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct profile_line rules[] = {
	{ "allow b.test:2", "curl, once", false },
	{ "allow unix:/run/x", "curl, once", true },
	{ NULL, "an end", false },
};

static const struct profile_line binds[] = {
	{ "8080", "python3, once", false },
};

struct append_case {
	const char *text, *wanted;
};

static void expect(const struct append_case *c, bool bind)
{
	struct policy_error err = { "" };
	char *out = NULL;
	int ret = bind ? profile_append_binds(c->text, strlen(c->text), binds, 1, &out, &err)
		       : profile_append_rules(c->text, strlen(c->text), rules, COUNT(rules), &out,
					      &err);

	cr_expect_eq(ret, 0, "%s: %s", c->text, err.text);
	if (!ret)
		cr_expect_str_eq(out, c->wanted);
	free(out);
}

#define NEW                                                                                        \
	"\t\"allow b.test:2\", # curl, once\n\t# \"allow unix:/run/x\", curl, once\n\t# an end\n"
#define ALLOW "\t\"b.test:2\", # curl, once\n\t# \"unix:/run/x\", curl, once\n\t# an end\n"

Test(profile_append, rules_come_last)
{
	static const struct append_case cases[] = {
		{ "", "[network]\nrules = [\n" NEW "]\n" },
		{ "# Mine", "# Mine\n\n[network]\nrules = [\n" NEW "]\n" },
		{ "[network]\ndefault = 'ask'\n\n[log]\n",
		  "[network]\nrules = [\n" NEW "]\ndefault = 'ask'\n\n[log]\n" },
		{ "[network]\nrules = [\n  'deny :1', # one\n  'allow :2' # two, not ]\n]\n# end",
		  "[network]\nrules = [\n  'deny :1', # one\n  'allow :2', # two, not ]\n" NEW
		  "]\n# end" },
		{ "[network]\nrules = ['deny :1'] # one\n",
		  "[network]\nrules = ['deny :1',\n" NEW "] # one\n" },
		{ "[network]\nallow = [ ':1', ]\n", "[network]\nallow = [ ':1', \n" ALLOW "]\n" },
		{ "[network]\nallow = []\n", "[network]\nallow = [\n" ALLOW "]\n" },
		{ "[network]\nallow = [\n  # none yet ]\n  ]\n",
		  "[network]\nallow = [\n  # none yet ]\n" ALLOW "  ]\n" },
		{ "network = { allow = [':1'] }\n", "network = { allow = [':1',\n" ALLOW "] }\n" },
		{ "network = { default = 'deny' }\n",
		  "network = { rules = [\n" NEW "], default = 'deny' }\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect(&cases[i], false);
}

Test(profile_append, binds)
{
	static const struct append_case cases[] = {
		{ "", "[network]\nallow_bind = [\n\t\"8080\", # python3, once\n]\n" },
		{ "[network]\nallow_bind = 80 # web\nallow = [':1']\n",
		  "[network]\nallow_bind = [80,\n\t\"8080\", # python3, once\n] # web\n"
		  "allow = [':1']\n" },
		{ "[network]\nallow = [':1']\nallow_bind = [80, '90-99']\n",
		  "[network]\nallow = [':1']\nallow_bind = [80, '90-99',\n"
		  "\t\"8080\", # python3, once\n]\n" },
		{ "[network]\r\nallow_bind = [\r\n80\r\n]\r\n",
		  "[network]\r\nallow_bind = [\r\n80,\r\n\t\"8080\", # python3, once\r\n]\r\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect(&cases[i], true);
}

static void expect_refusal(const char *text, bool bind, const char *why)
{
	struct policy_error err = { "" };
	char *out = NULL;
	int ret = bind ? profile_append_binds(text, strlen(text), binds, 1, &out, &err)
		       : profile_append_rules(text, strlen(text), rules, COUNT(rules), &out, &err);

	cr_expect_eq(ret, -EINVAL, "%s", text);
	cr_expect_null(out);
	cr_expect(strstr(err.text, why), "'%s' has no '%s'", err.text, why);
	free(out);
}

Test(profile_append, refused_and_why)
{
	expect_refusal("[network]\ndeny = [':1']\n", false, "mutually exclusive");
	expect_refusal("[network]\nrules = ['allow in :1']\n", true, "mutually exclusive");
	expect_refusal("network.default = 'deny'\n", false, "a layout that cannot be added to");
	expect_refusal("[network]\nallow = [':x']\n", false, "2:10: network.allow");
	expect_refusal("[network\n", true, "1:");
}
