/* SPDX-License-Identifier: MIT */
#include "core/option.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "selftests/unit/denied.h"

static const char *option_of(struct option_policy p, const struct record *r)
{
	static char buf[OPTION_TEXT_MAX];

	cr_assert_eq(option_to_allow(&p, r, buf, sizeof(buf)), strlen(buf));
	return buf;
}

static const char *option(const struct record *r)
{
	return option_of((struct option_policy){ .family = FAMILY_ALLOW }, r);
}

Test(option, the_option_that_would_allow)
{
	struct record r;

	r = denied(DIR_OUT, PROTO_TCP, "1.2.3.4", 443);
	cr_assert_str_eq(option(&r), "--net-allow 1.2.3.4:443");
	r = denied(DIR_OUT, PROTO_TCP, "2001:db8::1", 443);
	cr_assert_str_eq(option(&r), "--net-allow [2001:db8::1]:443");
	r = denied(DIR_OUT, PROTO_UDP, "::1", 53);
	cr_assert_str_eq(option(&r), "--net-allow udp://[::1]:53");
	r = denied(DIR_OUT, PROTO_UDP, "1.1.1.1", 0);
	cr_assert_str_eq(option(&r), "--net-allow udp://1.1.1.1");
	r = denied(DIR_OUT, PROTO_ICMP, "1.1.1.1", 0);
	cr_assert_str_eq(option(&r), "--net-allow icmp://1.1.1.1");
	r = denied(DIR_OUT, PROTO_TCP, "127.0.0.1", 80);
	r.endpoint.unspecified = true;
	cr_assert_str_eq(option(&r), "--net-allow 0.0.0.0:80");
	cr_assert_str_eq(option_of((struct option_policy){ .sinkhole = true }, &r), "");
	r = denied(DIR_IN, PROTO_TCP, "0.0.0.0", 3000);
	r.decision.reason = REASON_BIND_DEFAULT;
	cr_assert_str_eq(option(&r), "--net-allow-bind 3000");
}

Test(option, the_option_for_a_unix_socket)
{
	static const char *const rows[][2] = {
		{ "/run/user/1000/bus", "--net-allow unix:/run/user/1000/bus" },
		{ "@/tmp/.X11-unix/X0", "--net-allow unix:@/tmp/.X11-unix/X0" },
		{ "/run/a b", "--net-allow 'unix:/run/a b'" },
		{ "/run/$a", "--net-allow 'unix:/run/$$a'" },
		{ "@$a", "--net-allow 'unix:@$a'" },
		{ "/run/\xc3\xa9", "--net-allow 'unix:/run/\xc3\xa9'" },
	};
	struct record r = denied(DIR_OUT, PROTO_UNIX, NULL, 0);
	char name[ENDPOINT_NAME_MAX] = "/";

	r.decision.reason = REASON_UNIX_DEFAULT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r.endpoint.name = rows[i][0];
		cr_assert_str_eq(option(&r), rows[i][1]);
	}
	/* Cut, it would be another one. */
	memset(name + 1, 'a', sizeof(name) - 2);
	r.endpoint.name = name;
	cr_assert_str_eq(option(&r), "");
}

/* What excludes the others would be refused. */
Test(option, the_option_is_one_of_the_policys_kind)
{
	const struct option_policy rules = { .family = FAMILY_RULES, .own_rules = 2 };
	const struct option_policy inbound = { .family = FAMILY_RULES, .has_in = true };
	struct record r = denied(DIR_OUT, PROTO_TCP, "1.2.3.4", 443);

	r.generation = 1;
	cr_expect_str_eq(option_of(rules, &r), "--rule 'allow 1.2.3.4:443'");
	cr_expect_str_eq(option_of((struct option_policy){ .family = FAMILY_DENY }, &r), "");
	r.decision.reason = REASON_ASK_NOBODY;
	cr_expect_str_eq(option(&r), "--net-allow 1.2.3.4:443");
	cr_expect_str_eq(option_of(rules, &r), "");
	r.decision.reason = REASON_RULE;
	r.decision.rule = 2;
	cr_expect_str_eq(option_of(rules, &r), "");
	r.decision.rule = 3; /* the preset's */
	cr_expect_str_eq(option_of(rules, &r), "--rule 'allow 1.2.3.4:443'");

	r = denied(DIR_IN, PROTO_TCP, "0.0.0.0", 3000);
	r.decision.reason = REASON_BIND_DEFAULT;
	cr_expect_str_eq(option_of(rules, &r), "--net-allow-bind 3000");
	cr_expect_str_eq(option_of(inbound, &r), "--rule 'allow in 0.0.0.0:3000'");
	r.decision.reason = REASON_BIND_UNLISTED;
	cr_expect_str_eq(option_of(rules, &r), "--net-allow-bind 3000");
	r.decision.reason = REASON_BIND_LISTED;
	cr_expect_str_eq(option_of(rules, &r), "");

	r = denied(DIR_OUT, PROTO_UNIX, NULL, 0);
	r.decision.reason = REASON_UNIX_DEFAULT;
	r.endpoint.name = "/run/bus";
	cr_expect_str_eq(option_of(rules, &r), "--rule 'allow unix:/run/bus'");
	r.endpoint.name = "/run/it's";
	cr_expect_str_eq(option_of(rules, &r), "");
}

Test(option, no_option_where_none_would_help)
{
	static const enum reason reasons[] = { REASON_RULE, REASON_MAX_CONNECTIONS, REASON_PROTOCOL,
					       REASON_ERROR };
	struct record r = denied(DIR_OUT, PROTO_TCP, "1.2.3.4", 443);
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		r.decision.reason = reasons[i];
		cr_assert_str_eq(option(&r), "", "reason %zu", i);
	}
	r.decision.reason = REASON_DEFAULT;
	r.decision.verdict = VERDICT_ALLOW;
	cr_assert_str_eq(option(&r), "");

	r = denied(DIR_OUT, PROTO_UNIX, NULL, 0);
	r.decision.reason = REASON_CONTROL_SOCKET;
	r.endpoint.name = "/run/user/1000/sandtop/a.sock";
	cr_assert_str_eq(option(&r), "");
	r.decision.reason = REASON_UNIX_DEFAULT;
	r.endpoint.name = "/tmp/\x1b[2J";
	cr_assert_str_eq(option(&r), "");
	r.endpoint.name = "/tmp/it's";
	cr_assert_str_eq(option(&r), "");
	r.endpoint.name = NULL;
	cr_assert_str_eq(option(&r), "");
	r = denied(DIR_OUT, PROTO_DNS, NULL, 0);
	r.endpoint.name = "example.com";
	cr_assert_str_eq(option(&r), "");
}
