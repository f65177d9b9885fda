/* SPDX-License-Identifier: MIT */
#include "core/line.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "selftests/unit/denied.h"

static const char *line(const struct record *r)
{
	static char buf[LINE_TEXT_MAX];

	cr_assert_eq(line_format(r, buf, sizeof(buf)), strlen(buf));
	return buf;
}

Test(line, a_denial_by_default)
{
	struct record r = denied(DIR_OUT, PROTO_TCP, "93.184.216.34", 443);

	cr_assert_str_eq(line(&r), "DENY tcp 93.184.216.34:443 curl[4211] (default)");
	r = denied(DIR_OUT, PROTO_UDP, "2606:4700::1111", 53);
	cr_assert_str_eq(line(&r), "DENY udp [2606:4700::1111]:53 curl[4211] (default)");
	r = denied(DIR_OUT, PROTO_ICMP, "1.1.1.1", 0);
	cr_assert_str_eq(line(&r), "DENY icmp 1.1.1.1 curl[4211] (default)");
	r.endpoint.addr = denied(DIR_OUT, PROTO_ICMP, "::1", 0).endpoint.addr;
	cr_assert_str_eq(line(&r), "DENY icmp ::1 curl[4211] (default)");
}

Test(line, a_rule_is_quoted_as_written)
{
	struct record r = denied(DIR_OUT, PROTO_TCP, "93.184.216.34", 443);

	r.decision = (struct decision){ .verdict = VERDICT_ALLOW, .rule = 2 };
	r.rule = "allow example.com:443";
	r.host = "example.com";
	cr_assert_str_eq(line(&r), "ALLOW tcp 93.184.216.34:443 (example.com) curl[4211] "
				   "(rule 2: allow example.com:443)");
}

Test(line, a_refused_bind_says_which_option_permits_it)
{
	struct record r = denied(DIR_IN, PROTO_TCP, "0.0.0.0", 3000);

	r.decision.reason = REASON_BIND_DEFAULT;
	cr_assert_str_eq(line(&r), "DENY in tcp 0.0.0.0:3000 curl[4211] (bind-default) "
				   "(allow: --net-allow-bind 3000)");
	r = denied(DIR_IN, PROTO_UDP, "::", 0);
	r.decision.reason = REASON_BIND_DEFAULT;
	cr_assert_str_eq(line(&r), "DENY in udp [::]:0 curl[4211] (bind-default) "
				   "(allow: --net-allow-bind '*')");
	r.decision.reason = REASON_BIND_UNMATCHED;
	cr_assert_str_eq(line(&r), "DENY in udp [::]:0 curl[4211] (bind-default) "
				   "(allow: --rule 'allow in udp://::')");
	r = denied(DIR_IN, PROTO_TCP, "127.0.0.1", 3000);
	r.decision.reason = REASON_BIND_LISTED;
	cr_assert_str_eq(line(&r), "DENY in tcp 127.0.0.1:3000 curl[4211] (bind-default) "
				   "(listed: --net-deny-bind)");
	r.decision.verdict = VERDICT_ALLOW;
	cr_assert_str_eq(line(&r), "ALLOW in tcp 127.0.0.1:3000 curl[4211] (bind-default)");
}

Test(line, reasons)
{
	struct record r = denied(DIR_OUT, PROTO_TCP, NULL, 0);

	r.decision.reason = REASON_ERROR;
	r.decision.error = EFAULT;
	cr_assert_str_eq(line(&r), "DENY tcp ?:0 curl[4211] (error EFAULT)");
	r.decision.error = 9999;
	cr_assert_str_eq(line(&r), "DENY tcp ?:0 curl[4211] (error 9999)");
	r.decision.reason = REASON_PROTOCOL;
	cr_assert_str_eq(line(&r), "DENY tcp ?:0 curl[4211] (protocol)");
	r = denied(DIR_OUT, PROTO_TCP, "1.2.3.4", 5);
	r.decision.verdict = VERDICT_ASK;
	cr_assert_str_eq(line(&r), "ASK tcp 1.2.3.4:5 curl[4211] (default)");
}

Test(line, names_of_the_command_cannot_leave_their_line)
{
	struct record r = denied(DIR_OUT, PROTO_UNIX, NULL, 0);

	r.decision.reason = REASON_UNIX_DEFAULT;
	r.endpoint.name = "/tmp/a\nsandtop: ALLOW";
	strcpy(r.comm, "\x1b[2J\xe2\x80\xae");
	cr_assert_str_eq(line(&r), "DENY unix /tmp/a\\x0Asandtop: ALLOW "
				   "\\x1B[2J\\u{202E}[4211] (unix-default)");
}

Test(line, the_longest_texts_fit_and_a_small_buffer_cuts)
{
	struct record r = denied(DIR_OUT, PROTO_DNS, NULL, 0);
	char text[5000], buf[LINE_TEXT_MAX];

	memset(text, '\xff', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(r.comm, '\xff', sizeof(r.comm) - 1);
	r.endpoint.name = r.host = r.rule = text;
	r.decision.reason = REASON_RULE;
	r.decision.rule = 1;
	cr_assert_lt(line_format(&r, buf, LINE_TEXT_MAX), LINE_TEXT_MAX - 1);
	cr_assert_str_eq(buf + strlen(buf) - 4, "...)");
	buf[20] = 'X';
	cr_assert_eq(line_format(&r, buf, 20), 19);
	cr_assert_eq(buf[19], '\0');
	cr_assert_eq(buf[20], 'X');
}

Test(line, time_is_rfc_3339_in_utc)
{
	char buf[LINE_TIME_MAX];

	cr_assert_str_eq(line_time((struct timespec){ 0, 0 }, buf), "1970-01-01T00:00:00.000000Z");
	cr_assert_str_eq(line_time((struct timespec){ 1769903999, 123456789 }, buf),
			 "2026-01-31T23:59:59.123456Z");
}
