/* SPDX-License-Identifier: MIT */
#include "policy/scope.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "policy/addr.h"

static struct endpoint at(const char *line)
{
	static char text[256], name[DOMAIN_TEXT_MAX];
	struct policy_error err;
	struct endpoint e;

	strcpy(text, line);
	cr_assert_eq(explain_parse(text, name, &e, &err), 1, "%s", line);
	return e;
}

Test(scope, rules)
{
	static const struct {
		const char *endpoint;
		enum scope scope;
		const char *rule; /* NULL: it has no such scope */
		const char *host;
	} rows[] = {
		{ "tcp 1.2.3.4 443", SCOPE_ENDPOINT, "allow 1.2.3.4:443", NULL },
		{ "tcp 1.2.3.4 443", SCOPE_NETWORK, "allow tcp://1.2.3.4/24", NULL },
		{ "tcp 1.2.3.4 443", SCOPE_PORT, "allow tcp://*:443", NULL },
		{ "tcp 1.2.3.4 443", SCOPE_ANY, "allow any://*", NULL },
		{ "udp fd00::1 53", SCOPE_ENDPOINT, "allow udp://[fd00::1]:53", NULL },
		{ "udp fd00::1 53", SCOPE_NETWORK, "allow udp://fd00::1/64", NULL },
		{ "icmp 1.2.3.4", SCOPE_PORT, NULL, NULL },
		{ "in tcp 0.0.0.0 80", SCOPE_NETWORK, NULL, NULL },
		{ "in tcp 0.0.0.0 80", SCOPE_PORT, "allow in tcp://*:80", NULL },
		{ "unix /run/bus", SCOPE_ENDPOINT, "allow unix:/run/bus", NULL },
		{ "unix /run/bus", SCOPE_NETWORK, NULL, NULL },
		{ "unix /run/bus", SCOPE_ANY, NULL, NULL },
		{ "tcp 1.2.3.4 443", SCOPE_HOST, NULL, NULL },
		{ "tcp 1.2.3.4 443", SCOPE_HOST, "allow tcp://a.example:443", "a.example" },
		{ "icmp 1.2.3.4", SCOPE_HOST, "allow icmp://a.example", "a.example" },
		{ "tcp 1.2.3.4 443", SCOPE_ENDPOINT, "allow 1.2.3.4:443", "a.example" },
		{ "in tcp 0.0.0.0 80", SCOPE_HOST, NULL, "a.example" },
		{ "unix /run/bus", SCOPE_HOST, NULL, "a.example" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct endpoint e = at(rows[i].endpoint);
		char rule[SCOPE_RULE_MAX];
		int ret = scope_rule(rows[i].scope, VERDICT_ALLOW, &e, rows[i].host, rule);

		cr_expect_eq(ret, rows[i].rule ? 0 : -EINVAL, "%s", rows[i].endpoint);
		if (!ret && rows[i].rule)
			cr_expect_str_eq(rule, rows[i].rule);
	}
}

Test(scope, denials)
{
	struct endpoint e = at("tcp 1.2.3.4 443");
	char rule[SCOPE_RULE_MAX];

	cr_assert_eq(scope_rule(SCOPE_ENDPOINT, VERDICT_DENY, &e, NULL, rule), 0);
	cr_expect_str_eq(rule, "deny tcp://1.2.3.4:443");
	cr_assert_eq(scope_rule(SCOPE_NETWORK, VERDICT_DENY, &e, NULL, rule), 0);
	cr_expect_str_eq(rule, "deny tcp://1.2.3.4/24");
}

Test(scope, names)
{
	for (int i = 0; i < SCOPE_COUNT; i++)
		cr_expect_eq(scope_find(scope_name(i)), i);
	cr_expect_eq(scope_find("name"), -EINVAL);
}
