/* SPDX-License-Identifier: MIT */
/*
 * Which names a policy lets the command resolve, and what is blocked.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/addr.h"
#include "policy/dns.h"
#include "policy/domain.h"
#include "policy/explain.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* One option, as `--NAME VALUE` on the command line: a letter and the text. */
static int add(struct draft *d, const char *option, struct policy_error *err)
{
	static const struct {
		char letter;
		int (*fn)(struct draft *d, const char *text, struct policy_error *err);
	} kinds[] = {
		{ 'a', draft_allow },        { 'd', draft_deny },
		{ 'r', draft_rule },         { 'p', draft_preset },
		{ 'f', draft_default },      { 'h', draft_allow_host },
		{ 'b', draft_block_domain }, { 's', draft_block_suffix },
		{ 'R', draft_resolve },      { 'D', draft_denied },
		{ 'e', draft_encrypted },    { 'B', draft_rebind_protection },
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].letter == option[0])
			return kinds[i].fn(d, option + 2, err);
	return -1;
}

/* A policy of options that are separated by `;`, with a sinkhole. */
static struct policy *make(const char *options)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p = NULL;
	char copy[512];
	char *rest = copy;
	char *option;

	snprintf(copy, sizeof(copy), "%s", options);
	while ((option = strsep(&rest, ";")))
		cr_assert_eq(add(d, option, &err), 0, "%s: %s", option, err.text);
	draft_set_sinkhole(d);
	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	return p;
}

/* "allow 2", "deny (blocked evil.com)", ... */
static const char *text_of(struct decision d)
{
	static char text[400];

	if (d.reason == REASON_RULE)
		snprintf(text, sizeof(text), "%s %d", verdict_name(d.verdict), d.rule);
	else
		snprintf(text, sizeof(text), "%s (%s%s%s)", verdict_name(d.verdict),
			 reason_name(d.reason), d.name ? " " : "", d.name ? d.name : "");
	return text;
}

Test(dns, a_name_is_resolved_when_a_rule_has_a_use_for_it)
{
	static const struct {
		const char *options, *name, *decision;
	} rows[] = {
		{ "a:api.x.net:443", "api.x.net", "allow 1" },
		{ "a:api.x.net:443", "x.net", "deny (not-needed x.net)" },
		{ "a:api.x.net:443", "a.api.x.net", "deny (not-needed a.api.x.net)" },
		{ "a:*.x.net", "api.x.net", "allow 1" },
		{ "a:*.x.net", "a.b.x.net", "allow 1" },
		{ "a:*.x.net", "x.net", "deny (not-needed x.net)" },
		{ "a:*.x.net", "yx.net", "deny (not-needed yx.net)" },
		{ "a:10.0.0.1:443", "x.net", "deny (not-needed x.net)" },
		{ "a:93.184.216.34:443", "x.net", "deny (not-needed x.net)" },
		{ "a::443", "x.net", "allow 1" },
		{ "a:udp://@public:443", "x.net", "allow 1" },
		{ "a:0.0.0.0/0", "x.net", "allow 1" },
		{ "a:h.net;f:deny", "x.net", "deny (not-needed x.net)" },
		{ "d:10.0.0.0/8", "x.net", "allow (default)" },
		{ "p:public-only", "x.net", "allow 2" },
		{ "p:none", "x.net", "deny (not-needed x.net)" },
		{ "h:*.x.net", "a.x.net", "allow 1" },
		/* in order */
		{ "r:deny x.net;p:public-only", "x.net", "deny 1" },
		{ "r:deny .x.net;p:public-only", "a.x.net", "deny 1" },
		{ "r:deny .x.net;p:public-only", "x.net", "allow 3" },
		{ "r:allow any://*;r:deny x.net", "x.net", "allow 1" },
		{ "r:allow x.net:80;r:deny x.net", "x.net", "allow 1" },
		{ "r:deny x.net:25;r:allow x.net", "x.net", "allow 2" },
		{ "r:deny x.net;f:allow", "x.net", "deny 1" },
		/* blocked before any rule */
		{ "a:x.net;b:x.net", "x.net", "deny (blocked x.net)" },
		{ "a:*.x.net;s:.x.net", "a.x.net", "deny (blocked x.net)" },
		{ "a:x.net;s:*.x.net", "x.net", "allow 1" },
		{ "p:public-only;b:X.Net.", "x.net", "deny (blocked x.net)" },
		{ "p:public-only;b:x.net", "a.x.net", "allow 2" },
		{ "p:public-only;s:.b\xc3\xbc"
		  "cher.example",
		  "a.xn--bcher-kva.example", "deny (blocked xn--bcher-kva.example)" },
		/* --resolve */
		{ "a:x.net;R:none", "x.net", "deny (not-needed x.net)" },
		{ "r:deny x.net;R:none", "x.net", "deny (not-needed x.net)" },
		{ "a:x.net;R:none", "dns.google", "deny (not-needed dns.google)" },
		{ "a:x.net;R:all", "y.net", "allow (default)" },
		{ "a:x.net;R:all;b:y.net", "y.net", "deny (blocked y.net)" },
		/* other ways to resolve names */
		{ "p:public-only;b:x.net", "dns.google", "deny (encrypted-dns)" },
		{ "p:public-only;b:x.net;e:allow", "dns.google", "allow 2" },
		{ "p:public-only", "dns.google", "allow 2" },
		{ "a:dns.google:443;a:x.net", "dns.google", "allow 1" },
		/* no host name at all */
		{ "a:*.x.net", "a\\.b.x.net", "allow 1" },
		{ "p:public-only", "a b.net", "allow 2" },
		{ "a:x.net", ".", "deny (not-needed .)" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = make(rows[i].options);
		const char *seen = text_of(policy_resolve(p, rows[i].name));

		cr_expect_str_eq(seen, rows[i].decision, "%s, %s: %s", rows[i].options,
				 rows[i].name, seen);
		policy_free(p);
	}
}

Test(dns, port_53_is_judged_by_names_unless_a_rule_writes_it)
{
	static const struct {
		const char *options, *addr;
		enum proto proto;
		uint16_t port;
		const char *decision;
	} rows[] = {
		{ "a:x.net:443", "8.8.8.8", PROTO_UDP, 53, "allow (sinkhole)" },
		{ "a:x.net:443", "8.8.8.8", PROTO_TCP, 53, "allow (sinkhole)" },
		{ "a:x.net:443", "2001:db8::1", PROTO_UDP, 53, "allow (sinkhole)" },
		{ "p:public-only", "10.0.0.1", PROTO_UDP, 53, "allow (sinkhole)" },
		{ "r:allow udp://8.8.8.8:53;p:public-only", "8.8.8.8", PROTO_UDP, 53, "allow 1" },
		{ "r:allow udp://8.8.8.8:53;p:public-only", "8.8.8.8", PROTO_TCP, 53,
		  "allow (sinkhole)" },
		{ "r:allow udp://8.8.8.8:53;p:public-only", "8.8.4.4", PROTO_UDP, 53,
		  "allow (sinkhole)" },
		{ "r:deny any://10.0.0.0/8;r:allow udp://10.0.0.1:53;p:public-only", "10.0.0.1",
		  PROTO_UDP, 53, "allow 2" },
		{ "r:deny :53;p:public-only", "8.8.8.8", PROTO_TCP, 53, "deny 1" },
		{ "r:allow udp://8.8.8.8:1-1023;p:public-only", "8.8.8.8", PROTO_UDP, 53,
		  "allow (sinkhole)" },
		{ "r:allow udp://8.8.8.8;p:public-only", "8.8.8.8", PROTO_UDP, 53,
		  "allow (sinkhole)" },
		/* DNS over TLS and QUIC */
		{ "p:public-only;b:x.net", "8.8.8.8", PROTO_TCP, 853, "deny (encrypted-dns)" },
		{ "p:public-only;b:x.net", "8.8.8.8", PROTO_UDP, 853, "deny (encrypted-dns)" },
		{ "p:public-only", "8.8.8.8", PROTO_TCP, 853, "allow 2" },
		{ "p:public-only;b:x.net;e:allow", "8.8.8.8", PROTO_TCP, 853, "allow 2" },
		{ "r:allow 8.8.8.8:853;p:public-only;b:x.net", "8.8.8.8", PROTO_TCP, 853,
		  "allow 1" },
		/* a refused name is no way to this machine */
		{ "p:allow-all", "0.0.0.0", PROTO_TCP, 80, "deny (sinkhole)" },
		{ "p:allow-all", "::", PROTO_TCP, 80, "deny (sinkhole)" },
		{ "a:@loopback;a:x.net", "0.0.0.0", PROTO_TCP, 80, "deny (sinkhole)" },
		{ "a:0.0.0.0:80;a:x.net", "0.0.0.0", PROTO_TCP, 80, "allow 1" },
		{ "a:@loopback;a:x.net", "127.0.0.1", PROTO_TCP, 80, "allow 1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = make(rows[i].options);
		struct endpoint e;
		struct addr addr;
		const char *seen;

		cr_assert_eq(addr_parse(rows[i].addr, &addr), 0);
		e = endpoint_out(rows[i].proto, addr, rows[i].port);
		seen = text_of(policy_decide(p, NULL, &e));
		cr_expect_str_eq(seen, rows[i].decision, "%s, %s:%u: %s", rows[i].options,
				 rows[i].addr, rows[i].port, seen);
		policy_free(p);
	}
}

Test(dns, answers_for_public_names_have_no_internal_addresses)
{
	static const struct {
		const char *options, *name, *addr;
		bool rebinding;
	} rows[] = {
		{ "p:public-only", "x.net", "93.184.216.34", false },
		{ "p:public-only", "x.net", "10.0.0.1", true },
		{ "p:public-only", "x.net", "127.0.0.1", true },
		{ "p:public-only", "x.net", "169.254.169.254", true },
		{ "p:public-only", "x.net", "::1", true },
		{ "p:public-only", "x.net", "fd00::1", true },
		{ "p:public-only", "x.net", "64:ff9b::10.0.0.1", true },
		{ "p:public-only", "x.net", "64:ff9b::8.8.8.8", false },
		{ "p:public-only", "x.net", "0.0.0.0", false },
		{ "p:public-only", "printer", "10.0.0.1", false },
		{ "p:public-only", "printer.home.arpa", "10.0.0.1", false },
		{ "p:public-only", "a.localhost", "127.0.0.1", false },
		{ "p:public-only", "alocalhost.net", "127.0.0.1", true },
		{ "p:public-only;B:false", "x.net", "10.0.0.1", false },
		{ "r:allow 10.0.0.0/8:80;p:public-only", "x.net", "10.0.0.1", false },
		{ "r:allow @private;p:public-only", "x.net", "10.0.0.1", false },
		{ "p:allow-all", "x.net", "10.0.0.1", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = make(rows[i].options);
		struct addr addr;

		cr_assert_eq(addr_parse(rows[i].addr, &addr), 0);
		cr_expect_eq(policy_is_rebinding(p, NULL, rows[i].name, addr), rows[i].rebinding,
			     "%s, %s, %s", rows[i].options, rows[i].name, rows[i].addr);
		policy_free(p);
	}
}

Test(dns, a_permitted_name_in_a_search_domain_does_not_exist)
{
	struct policy *p = make("a:api.x.net:443;a:*.y.net");

	cr_expect_eq(policy_denied(p, "evil.net"), DNS_ZERO);
	cr_expect_eq(policy_denied(p, "api.x.net.corp.example"), DNS_NXDOMAIN);
	cr_expect_eq(policy_denied(p, "b.y.net.default.svc.cluster.local"), DNS_NXDOMAIN);
	cr_expect_eq(policy_denied(p, "y.net.corp.example"), DNS_ZERO);
	policy_free(p);
	p = make("a:api.x.net:443;D:refused");
	cr_expect_eq(policy_denied(p, "evil.net"), DNS_REFUSED);
	policy_free(p);
}

Test(dns, names_have_one_form)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "Example.COM", "example.com" },
		{ "example.com.", "example.com" },
		{ "a_b.c-d", "a_b.c-d" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example.",
		  "xn--bcher-kva.example" },
		{ "XN--bcher-kva.example", "xn--bcher-kva.example" },
		{ "", NULL },
		{ ".", NULL },
		{ "a..b", NULL },
		{ ".a", NULL },
		{ "a b", NULL },
		{ "a\\b", NULL },
		{ "\xff\xfe", NULL },
	};
	char name[DOMAIN_TEXT_MAX];
	char label[66], longest[260];

	for (size_t i = 0; i < COUNT(rows); i++) {
		int ret = domain_normalise(rows[i].text, name);

		cr_expect_eq(ret == 0, rows[i].name != NULL, "%s", rows[i].text);
		if (!ret && rows[i].name)
			cr_expect_str_eq(name, rows[i].name);
	}
	memset(label, 'a', 64);
	label[64] = '\0';
	cr_expect(domain_normalise(label, name) < 0, "a label of 64 octets");
	label[63] = '\0';
	cr_expect_eq(domain_normalise(label, name), 0);
	snprintf(longest, sizeof(longest), "%s.%s.%s.%.61s", label, label, label, label);
	cr_expect_eq(strlen(longest), 253);
	cr_expect_eq(domain_normalise(longest, name), 0);
	strcat(longest, "a");
	cr_expect(domain_normalise(longest, name) < 0, "254 octets");
}

Test(dns, lists_of_names)
{
	static const char list[] = "# a comment\n"
				   "ads.net\n"
				   "  Tracker.NET.  # one more\n"
				   "\n"
				   "0.0.0.0 a.example b.example\r\n"
				   "127.0.0.1\tlocalhost\n"
				   "::1 ip6-localhost c.example\n"
				   "0.0.0.0 0.0.0.0\n"
				   "last.net";
	static const char *const in[] = { "ads.net",   "tracker.net", "a.example",
					  "b.example", "c.example",   "last.net" };
	static const char *const out[] = { "localhost", "x.ads.net", "net", "0.0.0.0" };
	struct domain_map m = { 0 };
	struct domain_fault fault = { 0 };

	cr_assert_eq(domain_map_add_list(&m, list, sizeof(list) - 1, 1, &fault), 0, "%u: %s",
		     fault.line, fault.text);
	for (size_t i = 0; i < COUNT(in); i++)
		cr_expect_eq(domain_map_find(&m, in[i]).value, 1, "%s", in[i]);
	for (size_t i = 0; i < COUNT(out); i++)
		cr_expect_eq(domain_map_find(&m, out[i]).value, 0, "%s", out[i]);
	domain_map_free(&m);
}

Test(domain, a_line_of_a_list_that_is_none_is_quoted)
{
	static const struct {
		const char *list;
		size_t size;
		const char *text;
	} cases[] = {
#define LIST(text) text, sizeof(text) - 1
		{ LIST("a\nb c\n"), "b c" },
		{ LIST("a\n \t b/c \r\n"), "b/c" },
		{ LIST("a\n0.0.0.0 b c!"), "0.0.0.0 b c!" },
		{ LIST("a\nb\0c\n"), "b" },
#undef LIST
	};
	struct domain_map m = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct domain_fault fault = { 0 };

		cr_expect_eq(domain_map_add_list(&m, cases[i].list, cases[i].size, 1, &fault),
			     -EINVAL);
		cr_expect_eq(fault.line, 2, "%s", cases[i].text);
		cr_expect_str_eq(fault.text, cases[i].text);
	}
	domain_map_free(&m);
}

/* Asked with explain --why: "-" where no rule would let the name be resolved. */
Test(dns, what_no_rule_changes_has_no_rule_offered)
{
	static const char *const rows[][3] = {
		{ "a:x.net", "y.net", "flip\tallow y.net\n" },
		{ "a:x.net;R:none", "x.net", "flip\t-\n" },
		{ "a:x.net;R:none", "dns.google", "flip\t-\n" },
		{ "a:x.net;b:y.net", "y.net", "flip\t-\n" },
		/* It would be read as an address. */
		{ "a:x.net", "a.123", "flip\t-\n" },
		{ "a:x.net", "a\\.b", "flip\t-\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct endpoint e = { .proto = PROTO_DNS, .name = rows[i][1] };
		struct policy *p = make(rows[i][0]);
		char *why = explain_why(p, NULL, &e);

		cr_expect(why && strstr(why, rows[i][2]), "%s: %s: %s", rows[i][0], rows[i][1],
			  why);
		free(why);
		policy_free(p);
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Seconds for a lot of names that are not in a list of `n`. */
static double time_of_queries(size_t n)
{
	struct domain_map m = { 0 };
	size_t size = n * 40;
	char *text = malloc(size);
	char *at = text;
	double start, loaded;
	struct domain_fault fault;
	int found = 0;

	for (size_t i = 0; i < n; i++)
		at += sprintf(at, "0.0.0.0 host-%zu.ads.example\n", i);
	start = seconds();
	cr_assert_eq(domain_map_add_list(&m, text, (size_t)(at - text), 1, &fault), 0);
	loaded = seconds();
	/* With sanitizers it takes a multiple. */
	cr_expect_lt(loaded - start, 10, "%zu names took %.2f s to load", n, loaded - start);
	for (int i = 0; i < 1000000; i++)
		found += domain_map_find(&m, i % 2 ? "www.example.com" : "a.b.c.example.org").value;
	cr_expect_eq(found, 0);
	domain_map_free(&m);
	free(text);
	return seconds() - loaded;
}

Test(dns, a_million_names_cost_no_more_than_ten, .timeout = 60)
{
	double ten = time_of_queries(10), million = time_of_queries(1000000);

	/* Caches are smaller than a million names; a list that is searched would take 1000 times.
	 */
	cr_expect_lt(million, 20 * ten + 0.1, "ten: %.3f s, a million: %.3f s", ten, million);
}
