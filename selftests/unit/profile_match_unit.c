/* SPDX-License-Identifier: MIT */
/*
 * A profile is brought up to the policy that a run has made of it, or left alone with the reason.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/profile_match.h"

static void expect_match(const char *text, const char *wanted, const char *out)
{
	struct policy_error err = { "" };
	char *edited = NULL;
	int ret = profile_match(text, strlen(text), wanted, strlen(wanted), &edited, &err);

	cr_expect_eq(ret, 0, "%s\n-> %s: %s", text, wanted, err.text);
	if (!ret)
		cr_expect_str_eq(edited, out);
	free(edited);
}

static void expect_refusal(const char *text, const char *wanted, const char *why)
{
	struct policy_error err = { "" };
	char *edited = NULL;
	int ret = profile_match(text, strlen(text), wanted, strlen(wanted), &edited, &err);

	cr_expect_eq(ret, -EINVAL, "%s\n-> %s", text, wanted);
	cr_expect_null(edited);
	cr_expect(strstr(err.text, why), "'%s' has no '%s'", err.text, why);
	free(edited);
}

Test(profile_match, new_rules_go_in_front_and_the_rest_stays)
{
	expect_match("# mine\n[network]\nallow = [\n  ':1', # one\n]\n[log]\njson = 'x'\n",
		     "[network]\nrules = [\"deny :5\", \"allow :9\", \"allow :1\"]\n",
		     "# mine\n[network]\nrules = [\n  \"deny :5\",\n  \"allow :9\",\n"
		     "  \"allow :1\", # one\n]\n[log]\njson = 'x'\n");
	expect_match("[network]\nallow = [':1'] # one\n",
		     "[network]\nallow = [\":8,:9\", \":1\"]\ndefault = \"deny\"\n",
		     "[network]\nallow = [\":8,:9\", ':1'] # one\n");
	expect_match("[network]\ndeny = ['10.0.0.0/8']\n",
		     "[network]\nrules = [\"allow 10.0.0.1:80\", \"deny tcp://10.0.0.0/8\"]\n"
		     "default = \"allow\"\n",
		     "[network]\ndefault = \"allow\"\nrules = [\"allow 10.0.0.1:80\", "
		     "\"deny tcp://10.0.0.0/8\"]\n");
	expect_match("[network]\npreset = 'public-only'\n[dns]\nblock = ['a.test']\n",
		     "[network]\nrules = [\"deny :25\"]\npreset = \"public-only\"\n"
		     "[dns]\nblock = [\"a.test\"]\n",
		     "[network]\nrules = [\n\t\"deny :25\",\n]\npreset = 'public-only'\n"
		     "[dns]\nblock = ['a.test']\n");
}

Test(profile_match, nothing_new_changes_no_byte)
{
	const char *text = "[network]\r\nallow=[ ':1' , ':2' ]# x";

	expect_match(text, "[network]\nallow = [\":1\", \":2\"]\ndefault = \"deny\"\n", text);
	expect_match("# nothing", "[network]\ndefault = \"deny\"\n", "# nothing");
}

Test(profile_match, what_is_more_than_new_rules_is_refused)
{
	expect_refusal("[network]\nallow = [':1', ':2']\n", "[network]\nallow = [\":1\"]\n",
		       " it has the rule 'allow :2', which the live policy does not have there");
	expect_refusal("[network]\nallow = [':1', ':2']\n", "[network]\nallow = [\":2\"]\n",
		       " it has the rule 'allow :1'");
	expect_refusal("[network]\nallow = [':1']\ndefault = 'deny'\n",
		       "[network]\nrules = [\"allow :1\"]\ndefault = \"allow\"\n",
		       " it has 'default = \"deny\"'");
	expect_refusal("[network]\nallow = [':1']\n",
		       "[network]\nallow = [\":1\"]\nallow_bind = [\"80\"]\n",
		       " it does not have 'allow_bind = [\"80\"]'");
	expect_refusal("[network]\nallow = [':1']\nmax_connections = 3\n",
		       "[network]\nallow = [\":1\"]\n", " it has 'max_connections = 3'");
	expect_refusal("[network]\nallow = [':1']\n[dns]\nblock = ['a.test']\n",
		       "[network]\nallow = [\":1\"]\n", " it has ");
	expect_refusal("[network]\nallow = ['1.2.3']\n", "", "2:10: network.allow");
	expect_refusal("network.preset = 'none'\n",
		       "[network]\nrules = [\"allow :2\"]\npreset = \"none\"\n",
		       "write the rule by hand");
}
