/* SPDX-License-Identifier: MIT */
/*
 * `sandtop explain`: the lines that are read and the lines that are answered.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/explain.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct policy *rules(const char *const *texts)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p = NULL;

	cr_assert(d);
	for (; *texts; texts++)
		cr_assert_eq(draft_rule(d, *texts, &err), 0, "%s", err.text);
	for (size_t i = 0; i < draft_hosts(d); i++)
		cr_assert(!strcmp(draft_host(d, i), "nowhere.example"));
	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	return p;
}

#define RULES(...) rules((const char *const[]){ __VA_ARGS__, NULL })

static void expect_answer(const struct policy *p, const char *line, const char *wanted)
{
	struct policy_error err = { "" };
	char copy[200];
	char name[DOMAIN_TEXT_MAX];
	struct endpoint e;
	char *seen;

	snprintf(copy, sizeof(copy), "%s", line);
	cr_assert_eq(explain_parse(copy, name, &e, &err), 1, "'%s': %s", line, err.text);
	seen = explain_answer(p, NULL, &e);
	cr_assert(seen);
	cr_expect_str_eq(seen, wanted, "'%s': '%s', not '%s'", line, seen, wanted);
	free(seen);
}

Test(explain, answers)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{ "tcp 10.0.0.5 443", "deny\ttcp\t10.0.0.5\t443\t1\tdeny 10.0.0.5" },
		{ "tcp 10.0.0.6 443", "allow\ttcp\t10.0.0.6\t443\t2\tallow 10.0.0.0/8:443" },
		{ "tcp://10.0.0.6:443", "allow\ttcp\t10.0.0.6\t443\t2\tallow 10.0.0.0/8:443" },
		{ "udp 10.0.0.6 443", "deny\tudp\t10.0.0.6\t443\t-\tdefault" },
		{ "icmp 10.0.0.5", "deny\ticmp\t10.0.0.5\t-\t1\tdeny 10.0.0.5" },
		{ "icmp 10.0.0.5 443", "deny\ticmp\t10.0.0.5\t-\t1\tdeny 10.0.0.5" },
		{ "icmp://10.0.0.5", "deny\ticmp\t10.0.0.5\t-\t1\tdeny 10.0.0.5" },
		{ "icmp://::1", "deny\ticmp\t::1\t-\t-\tdefault" },
		{ "tcp ::1 80", "deny\ttcp\t::1\t80\t-\tdefault" },
		{ "tcp [::1] 80", "deny\ttcp\t::1\t80\t-\tdefault" },
		{ "tcp://[::1]:80", "deny\ttcp\t::1\t80\t-\tdefault" },
		{ "tcp ::ffff:10.0.0.5 80", "deny\ttcp\t10.0.0.5\t80\t1\tdeny 10.0.0.5" },
		{ "tcp 0.0.0.0 80", "deny\ttcp\t127.0.0.1\t80\t-\tdefault" },
		{ "udp fe80::1%eth0 80", "deny\tudp\tfe80::1\t80\t-\tdefault" },
		{ "udp://[fe80::1%2]:80", "deny\tudp\tfe80::1\t80\t-\tdefault" },
		{ "in tcp 0.0.0.0 8080", "allow\tin tcp\t0.0.0.0\t8080\t3\tallow in *:8080" },
		{ "in tcp://[::]:8080", "allow\tin tcp\t::\t8080\t3\tallow in *:8080" },
		{ "in udp 0.0.0.0 8080", "deny\tin udp\t0.0.0.0\t8080\t-\tbind-default" },
		{ "unix /run/a b", "deny\tunix\t/run/a b\t-\t-\tunix-default" },
		{ "unix @name", "deny\tunix\t@name\t-\t-\tunix-default" },
		{ "dns example.com", "deny\tdns\texample.com\t-\t-\tdefault" },
		{ "dns Example.COM.", "deny\tdns\texample.com\t-\t-\tdefault" },
		{ "dns b\u00fccher.example", "deny\tdns\txn--bcher-kva.example\t-\t-\tdefault" },
		{ " \ttcp\t10.0.0.6   443\r\n",
		  "allow\ttcp\t10.0.0.6\t443\t2\tallow 10.0.0.0/8:443" },
	};
	struct policy *p = RULES("deny 10.0.0.5", "allow 10.0.0.0/8:443", "allow in *:8080");

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_answer(p, rows[i].line, rows[i].answer);
	policy_free(p);
}

Test(explain, blank_lines_and_comments)
{
	static const char *const rows[] = {
		"", " ", "\n", "\t\r\n", "#", "# tcp 1.2.3.4 80", "  #x"
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct endpoint e;
		char copy[40];
		char name[DOMAIN_TEXT_MAX];

		snprintf(copy, sizeof(copy), "%s", rows[i]);
		cr_expect_eq(explain_parse(copy, name, &e, &err), 0, "'%s': %s", rows[i], err.text);
	}
}

Test(explain, lines_that_do_not_parse)
{
	static const struct {
		const char *line, *quoted, *word;
	} rows[] = {
		{ "sctp 1.2.3.4 80", "'sctp'", "expected tcp, udp, icmp, unix or dns" },
		{ "in", "''", "unknown protocol" },
		{ "1.2.3.4:80", "'1.2.3.4:80'", "unknown protocol" },
		{ "tcp", "tcp ADDR PORT", "an address is missing" },
		{ "tcp github.com 443", "'github.com'", "not an address" },
		{ "tcp 10.0.0.0/8 443", "'10.0.0.0/8'", "not an address" },
		{ "tcp 1.2.3.4", "tcp ADDR PORT", "a port is missing" },
		{ "tcp://1.2.3.4", "tcp ADDR PORT", "a port is missing" },
		{ "tcp://::1:80", "tcp ADDR PORT", "a port is missing" },
		{ "tcp://[::1]", "tcp ADDR PORT", "a port is missing" },
		{ "tcp 1.2.3.4 http", "'http'", "invalid port" },
		{ "tcp 1.2.3.4 65536", "'65536'", "invalid port" },
		{ "tcp 1.2.3.4 -1", "'-1'", "invalid port" },
		{ "tcp 1.2.3.4 80 81", "'81'", "nothing more" },
		{ "tcp://1.2.3.4:80 81", "'81'", "nothing more" },
		{ "in icmp 1.2.3.4", "'in icmp'", "in tcp or in udp" },
		{ "in unix /run/bus", "'in unix'", "in tcp or in udp" },
		{ "unix run/bus", "'run/bus'", "unix /PATH" },
		{ "unix", "''", "unix /PATH" },
		{ "dns", "''", "dns NAME" },
		{ "dns a b", "'a b'", "dns NAME" },
		{ "dns a..b", "'a..b'", "dns NAME" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		struct endpoint e;
		char copy[40];
		char name[DOMAIN_TEXT_MAX];

		snprintf(copy, sizeof(copy), "%s", rows[i].line);
		cr_expect_eq(explain_parse(copy, name, &e, &err), -EINVAL, "%s", rows[i].line);
		cr_expect(strstr(err.text, rows[i].quoted), "%s: %s", rows[i].line, err.text);
		cr_expect(strstr(err.text, rows[i].word), "%s: %s", rows[i].line, err.text);
	}
}

static void expect_why(const struct policy *p, const char *line, const char *wanted)
{
	struct policy_error err = { "" };
	char copy[100];
	char name[DOMAIN_TEXT_MAX];
	struct endpoint e;
	char *seen;

	snprintf(copy, sizeof(copy), "%s", line);
	cr_assert_eq(explain_parse(copy, name, &e, &err), 1, "'%s': %s", line, err.text);
	seen = explain_why(p, NULL, &e);
	cr_assert(seen);
	cr_expect_str_eq(seen, wanted);
	free(seen);
}

Test(explain, why)
{
	struct policy *p = RULES("allow in *:443", "deny udp://*", "allow nowhere.example",
				 "allow 11.0.0.0/8:443", "deny 10.0.0.0/8:22", "allow 0.0.0.0",
				 "deny any://10.0.0.5", "allow 10.0.0.0/8:443");

	expect_why(p, "tcp 10.0.0.5 443",
		   "deny\ttcp\t10.0.0.5\t443\t7\tdeny any://10.0.0.5\n"
		   "1\tother direction\tallow in *:443\n"
		   "2\tother protocol\tdeny udp://*\n"
		   "3\tno live name\tallow nowhere.example\n"
		   "4\tother address\tallow 11.0.0.0/8:443\n"
		   "5\tother port\tdeny 10.0.0.0/8:22\n"
		   "6\tother address\tallow 0.0.0.0\n"
		   "7\tmatch\tdeny any://10.0.0.5\n"
		   "8\tmatch\tallow 10.0.0.0/8:443\n"
		   "flip\tallow 10.0.0.5:443\n");
	policy_free(p);

	p = RULES("allow .example.com:443", "allow any://@self", "allow udp://.a.example",
		  "deny @this-host", "allow 10.0.0.0/8,.b.example,@self");
	expect_why(p, "tcp 127.0.0.1 443",
		   "deny\ttcp\t127.0.0.1\t443\t-\tdefault\n"
		   "1\tno live name\tallow .example.com:443\n"
		   "2\tno socket of the sandbox\tallow any://@self\n"
		   "3\tother protocol\tallow udp://.a.example\n"
		   "4\tother address\tdeny @this-host\n"
		   "5\tother address\tallow 10.0.0.0/8,.b.example,@self\n"
		   "flip\tallow 127.0.0.1:443\n");
	policy_free(p);

	p = RULES("allow 0.0.0.0");
	expect_why(p, "tcp 0.0.0.0 80",
		   "allow\ttcp\t127.0.0.1\t80\t1\tallow 0.0.0.0\n"
		   "1\tmatch\tallow 0.0.0.0\n"
		   "flip\tdeny tcp://0.0.0.0:80\n");
	policy_free(p);

	p = RULES("deny 10.0.0.0/8", "allow *");
	expect_why(p, "tcp 64:ff9b::10.0.0.1 80",
		   "deny\ttcp\t64:ff9b::a00:1\t80\t1\tdeny 10.0.0.0/8\n"
		   "1\tother address\tdeny 10.0.0.0/8\n"
		   "2\tmatch\tallow *\n"
		   "also judged as 10.0.0.1\n"
		   "1\tmatch\tdeny 10.0.0.0/8\n"
		   "2\tmatch\tallow *\n"
		   "flip\tallow [64:ff9b::a00:1]:80\n");
	policy_free(p);

	p = RULES("deny 10.0.0.0/8", "deny unix:/run/a", "allow unix:/run/*");
	expect_why(p, "unix /run/b",
		   "allow\tunix\t/run/b\t-\t3\tallow unix:/run/*\n"
		   "1\tother protocol\tdeny 10.0.0.0/8\n"
		   "2\tother path\tdeny unix:/run/a\n"
		   "3\tmatch\tallow unix:/run/*\n"
		   "flip\tdeny unix:/run/b\n");
	expect_why(p, "tcp 1.2.3.4 80",
		   "deny\ttcp\t1.2.3.4\t80\t-\tdefault\n"
		   "1\tother address\tdeny 10.0.0.0/8\n"
		   "2\tother protocol\tdeny unix:/run/a\n"
		   "3\tother protocol\tallow unix:/run/*\n"
		   "flip\tallow 1.2.3.4:80\n");
	policy_free(p);
}

Test(explain, hints)
{
	static const struct {
		const char *line;
		enum verdict verdict;
		const char *hint;
	} rows[] = {
		{ "tcp 1.2.3.4 443", VERDICT_DENY, "allow 1.2.3.4:443" },
		{ "tcp 1.2.3.4 443", VERDICT_ASK, "allow 1.2.3.4:443" },
		{ "tcp 1.2.3.4 443", VERDICT_ALLOW, "deny tcp://1.2.3.4:443" },
		{ "tcp 1.2.3.4 0", VERDICT_DENY, "allow 1.2.3.4" },
		{ "tcp 2001:db8::1 443", VERDICT_DENY, "allow [2001:db8::1]:443" },
		{ "udp 2001:db8::1 53", VERDICT_DENY, "allow udp://[2001:db8::1]:53" },
		{ "icmp 2001:db8::1", VERDICT_DENY, "allow icmp://2001:db8::1" },
		{ "in tcp 0.0.0.0 80", VERDICT_DENY, "allow in 0.0.0.0:80" },
		{ "in udp :: 80", VERDICT_DENY, "allow in udp://[::]:80" },
		{ "unix /run/bus", VERDICT_DENY, "allow unix:/run/bus" },
		{ "unix @name", VERDICT_ALLOW, "deny unix:@name" },
		{ "unix /run/$a", VERDICT_DENY, "allow unix:/run/$$a" },
		{ "dns example.com", VERDICT_DENY, "allow example.com" },
		/* Judged as loopback, but with the sinkhole only these words open it. */
		{ "tcp 0.0.0.0 80", VERDICT_DENY, "allow 0.0.0.0:80" },
		{ "udp :: 80", VERDICT_ALLOW, "deny udp://[::]:80" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_error err = { "" };
		char hint[EXPLAIN_HINT_MAX];
		struct endpoint e;
		char copy[40];
		char name[DOMAIN_TEXT_MAX];

		snprintf(copy, sizeof(copy), "%s", rows[i].line);
		cr_assert_eq(explain_parse(copy, name, &e, &err), 1, "%s", err.text);
		cr_expect_str_eq(explain_hint(&e, rows[i].verdict, hint), rows[i].hint);
	}
}
