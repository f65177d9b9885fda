/* SPDX-License-Identifier: MIT */
/*
 * Profiles: what is read, what is refused and where, and that what is written reads back the same.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/dns.h"
#include "policy/draft.h"
#include "policy/explain.h"
#include "policy/profile.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct profile read_text(const char *text)
{
	struct policy_error err = { "" };
	struct profile p;

	cr_assert_eq(profile_read(text, strlen(text), &p, &err), 0, "%s: %s", text, err.text);
	return p;
}

static struct draft *draft_of(const struct profile *p)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();

	cr_assert(d);
	cr_assert_eq(profile_add(p, d, &err), 0, "%s", err.text);
	return d;
}

/* Every name gets one address of its own. */
static struct policy *compile(struct draft *d)
{
	struct policy *p = NULL;
	struct addr a;
	char text[40];

	for (size_t i = 0; i < draft_hosts(d); i++) {
		snprintf(text, sizeof(text), "198.51.100.%zu", i + 1);
		cr_assert_eq(addr_parse(text, &a), 0);
		cr_assert_eq(draft_host_add(d, i, a), 0);
	}
	cr_assert_eq(policy_compile(d, &p), 0);
	return p;
}

static void expect_answer(const struct policy *p, const char *line, const char *wanted)
{
	struct policy_error err = { "" };
	struct endpoint e;
	char copy[200];
	char name[DOMAIN_TEXT_MAX];
	char *seen;

	snprintf(copy, sizeof(copy), "%s", line);
	cr_assert_eq(explain_parse(copy, name, &e, &err), 1, "'%s': %s", line, err.text);
	seen = explain_answer(p, NULL, &e);
	cr_assert(seen);
	cr_expect_str_eq(seen, wanted, "'%s': '%s', not '%s'", line, seen, wanted);
	free(seen);
}

static void expect_answers(const char *profile, const char *const (*rows)[2])
{
	struct profile p = read_text(profile);
	struct draft *d = draft_of(&p);
	struct policy *policy = compile(d);

	for (; (*rows)[0]; rows++)
		expect_answer(policy, (*rows)[0], (*rows)[1]);
	policy_free(policy);
	draft_free(d);
	profile_free(&p);
}

#define ANSWERS(...) ((const char *const[][2]){ __VA_ARGS__, { NULL, NULL } })

Test(profile, every_key)
{
	static const char text[] = "[program]\n"
				   "args = ['a b', \"\\u00fc\"]\n"
				   "exec = \"/bin/echo\"\n"
				   "[network]\n"
				   "rules = ['allow 10.0.0.1', \"deny 10.0.0.0/8\"]\n"
				   "default = \"allow\"\n"
				   "allow_bind = [80, '90-91', \"100,101\"]\n"
				   "max_connections = 5\n"
				   "[log]\n"
				   "json = '-'\n"
				   "text = 'a.log'\n";
	struct profile p = read_text(text);

	cr_expect_eq(p.n_command, 3);
	cr_expect_str_eq(p.command[0], "/bin/echo");
	cr_expect_str_eq(p.command[1], "a b");
	cr_expect_str_eq(p.command[2], "ü");
	cr_expect_null(p.command[3]);
	cr_expect_eq(p.max_connections, 5);
	cr_expect_str_eq(p.log_json, "-");
	cr_expect_str_eq(p.log_text, "a.log");
	profile_free(&p);
	expect_answers(text, ANSWERS({ "tcp 10.0.0.1 1", "allow\ttcp\t10.0.0.1\t1\t1\t"
							 "allow 10.0.0.1" },
				     { "udp 10.0.0.2 1", "deny\tudp\t10.0.0.2\t1\t2\t"
							 "deny 10.0.0.0/8" },
				     { "tcp 1.1.1.1 1", "allow\ttcp\t1.1.1.1\t1\t-\tdefault" },
				     { "in tcp :: 90", "allow\tin tcp\t::\t90\t-\tbind-default" },
				     { "in tcp :: 101", "allow\tin tcp\t::\t101\t-\tbind-default" },
				     { "in tcp :: 92", "deny\tin tcp\t::\t92\t-\tbind-default" }));
}

Test(profile, lists_of_allowed_and_of_denied)
{
	expect_answers("network.allow = ['10.0.0.1:1', ':2']",
		       ANSWERS({ "tcp 10.0.0.1 1", "allow\ttcp\t10.0.0.1\t1\t1\tallow 10.0.0.1:1" },
			       { "tcp 10.0.0.1 2", "allow\ttcp\t10.0.0.1\t2\t2\tallow :2" },
			       { "tcp 10.0.0.1 3", "deny\ttcp\t10.0.0.1\t3\t-\tdefault" }));
	expect_answers("network = { deny = ['private'] }",
		       ANSWERS({ "tcp 10.0.0.1 1", "deny\ttcp\t10.0.0.1\t1\t1\tdeny private" },
			       { "tcp 1.1.1.1 3", "allow\ttcp\t1.1.1.1\t3\t-\tdefault" }));
	expect_answers("[network]\ndeny_bind = 80\npreset = 'public-only'\n",
		       ANSWERS({ "in tcp :: 80", "deny\tin tcp\t::\t80\t-\tbind-default" },
			       { "in tcp :: 81", "allow\tin tcp\t::\t81\t-\tbind-default" },
			       { "tcp ::1 1", "deny\ttcp\t::1\t1\t1\tdeny any://private" },
			       { "tcp 1.1.1.1 1", "allow\ttcp\t1.1.1.1\t1\t2\tallow any://*" }));
}

Test(profile, nothing_never_means_everything)
{
	static const char *const texts[] = {
		"",
		"# nothing\n\n",
		"\xef\xbb\xbf",
		"[network]",
		"[network]\nallow = []",
		"[network]\ndeny = []",
		"[network]\nrules = []",
		"[network]\nallow = []\ndeny = []\nrules = []\nallow_bind = []\ndeny_bind = []",
		"[program]\nexec = 'true'",
		"[dns]\n[log]\n",
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		expect_answers(texts[i],
			       ANSWERS({ "tcp 1.1.1.1 1", "deny\ttcp\t1.1.1.1\t1\t-\tdefault" },
				       { "in tcp :: 1", "deny\tin tcp\t::\t1\t-\tbind-default" }));
}

/* The message of the first step that refuses the text. */
static const char *refusal(const char *text, size_t size)
{
	static struct policy_error err;
	struct profile p;
	struct draft *d = draft_new();
	int ret;

	cr_assert(d);
	*err.text = '\0';
	ret = profile_read(text, size, &p, &err);
	if (!ret) {
		ret = profile_add(&p, d, &err);
		profile_free(&p);
	}
	draft_free(d);
	cr_expect_eq(ret, -EINVAL, "'%s'", text);
	return err.text;
}

Test(profile, what_is_refused_and_where)
{
	static const struct {
		const char *text, *place, *words[3];
	} rows[] = {
		/* not TOML */
		{ "[network]\nallow = [\n", "2:", { "'allow = ['" } },
		{ "[network\n", "1:", { "'[network'" } },
		{ "x", "1:", { "'x'" } },
		{ "[network]\nallow = ['a:1']\nallow = ['b:1']\n", "3:", { "'allow = ['b:1']'" } },
		{ "[network]\n[network]\n", "2:", { "'[network]'" } },
		{ "[network]\nallow = ['\xff']\n", "2:11:", { "0xff", "UTF-8" } },
		{ "# \xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xc0\xaf", "1:6:", { "0xc0" } },
		{ "\xe0\x80\x80", "1:1:", { "UTF-8" } },
		{ "a\xed\xa0\x80", "1:2:", { "UTF-8" } },
		{ "\n\xf4\x90\x80\x80", "2:1:", { "UTF-8" } },
		{ "\n#\xe2\x82", "2:2:", { "UTF-8" } },
		{ "\n#\xe2\x82x", "2:2:", { "UTF-8" } },
		{ "[network]\nallow = ['a\\:1']\nallow = 1979-99-99", "3:", { "1979" } },
		{ "[network]\nallow = [\"a\\u0000:1\"]", "2:10:", { "U+0000" } },
		{ "[network]\n\"allow\\u0000x\" = []", "2:1:", { "U+0000" } },
		/* not a key */
		{ "[network]\n  alow = ['a:1']\n", "2:3:", { "'alow'", "[network]", "allow" } },
		{ "allow = ['a:1']\n", "1:1:", { "'allow'", "program, network, dns, log" } },
		{ "[netwrk]\n", "1:2:", { "'netwrk'", "network" } },
		{ "[log]\nxml = '-'\n", "2:1:", { "'xml'", "json, text" } },
		{ "[program]\nenv = {}\n", "2:1:", { "'env'", "exec, args" } },
		{ "[network]\nAllow = ['a:1']\n", "2:1:", { "'Allow'" } },
		{ "[network]\n'al\tlow' = 1\n", "2:1:", { "'al?low'" } },
		/* not the type */
		{ "network = 'x'\n", "1:1:", { "'network'", "[network]" } },
		{ "[[network]]\n", "1:3:", { "'network'", "[network]" } },
		{ "[network]\nallow = 'a:1'\n", "2:9:", { "'allow = 'a:1''", "list of texts" } },
		{ "[network]\nallow = ['a:1',\n 3]\n", "3:2:", { "'3]'", "list of texts" } },
		{ "[network]\nrules = [['a']]\n", "2:10:", { "rules", "list of texts" } },
		{ "[network.deny]\n", "1:", { "deny", "list of texts" } },
		{ "[network]\npreset = ['none']\n", "2:10:", { "preset", "a text" } },
		{ "[network]\ndefault = true\n", "2:11:", { "'default = true'", "a text" } },
		{ "[network]\nallow_bind = 1.5\n", "2:14:", { "allow_bind", "ports" } },
		{ "[network]\ndeny_bind = [true]\n", "2:14:", { "deny_bind", "ports" } },
		{ "[network]\nmax_connections = '3'\n", "2:19:", { "a number" } },
		{ "[program]\nexec = ['a']\n", "2:8:", { "program.exec", "a text" } },
		{ "[program]\nexec = 'a'\nargs = 'b'\n", "3:8:", { "program.args", "list" } },
		{ "[log]\njson = 1\n", "2:8:", { "log.json", "a text" } },
		/* not the value */
		{ "[network]\nallow = ['a:1', 'a:0']\n", "2:17:", { "allow", "'a:0'", "port 0" } },
		{ "[network]\nallow = ['']\n", "2:10:", { "allow", "empty rule" } },
		{ "[network]\ndeny = ['evil.com']\n", "2:9:", { "deny", "--block-domain" } },
		{ "[network]\nrules = ['1.2.3.4']\n", "2:10:", { "rules", "unknown action" } },
		{ "[network]\npreset = 'lan'\n", "2:10:", { "preset", "'lan'", "public-only" } },
		{ "[network]\ndefault = 'no'\n", "2:11:", { "'no'", "allow, deny or ask" } },
		{ "[network]\nallow_bind = [80, 0]\n", "2:19:", { "allow_bind", "port 0" } },
		{ "[network]\nallow_bind = -1\n", "2:14:", { "'-1'", "invalid port" } },
		{ "[network]\nallow_bind = 65536\n", "2:14:", { "'65536'", "invalid port" } },
		{ "[network]\nmax_connections = 0\n", "2:19:", { "from 1 to" } },
		{ "[network]\nmax_connections = 1000000001\n", "2:19:", { "from 1 to" } },
		{ "[program]\nexec = ''\n", "2:8:", { "name of a program" } },
		{ "[program]\nargs = ['a']\n", "2:9:", { "program.exec" } },
		{ "[log]\ntext = ''\n", "2:8:", { "a file name" } },
		/* not together */
		{ "[network]\nallow = ['a:1']\ndeny = [':2']\n",
		  "3:9:",
		  { "network.deny: ':2'", "mutually exclusive with --net-allow", "--rule" } },
		{ "[network]\nrules = ['allow :1']\nallow = [':2']\n",
		  "3:10:",
		  { "network.allow: ':2'", "mutually exclusive with --rule" } },
		{ "[network]\ndefault = 'allow'\npreset = 'none'\n", "3:10:", { "--default" } },
		{ "[network]\nallow = [':1']\ndefault = 'allow'\n", "3:11:", { "--net-allow" } },
		{ "[network]\nallow_bind = 1\ndeny_bind = 2\n", "3:13:", { "--net-allow-bind" } },
		{ "[network]\nallow_bind = 1\nrules = ['deny in :2']\n", "3:10:", { "'in'" } },
		{ "[dns]\nblock = 'a'\n", "2:9:", { "dns.block", "a list of texts" } },
		{ "[dns]\nblock = ['a b']\n", "2:10:", { "dns.block", "'a b'", "a name" } },
		{ "[dns]\nblock = ['.a']\n", "2:10:", { "'.a'", "--block-suffix" } },
		{ "[dns]\nblock_suffix = ['a']\n", "2:17:", { "'a'", "a suffix" } },
		{ "[dns]\nblock_file = ['']\n", "2:15:", { "a file" } },
		{ "[dns]\nresolve = 'some'\n", "2:11:", { "'some'", "needed, all or none" } },
		{ "[dns]\ndenied = 'one'\n", "2:10:", { "'one'", "zero, nxdomain or refused" } },
		{ "[dns]\nrebind_protection = 'no'\n", "2:21:", { "true or false" } },
		{ "[dns]\nencrypted = true\n", "2:13:", { "a text" } },
		{ "[dns]\nencrypted = 'no'\n", "2:13:", { "'no'", "block or allow" } },
		{ "[dns]\nupstream = ['a:1']\n", "2:13:", { "'a:1'", "IP:PORT" } },
		{ "[dns]\nupstream = ['::1:53:']\n", "2:13:", { "a name server" } },
		{ "[dns]\nupstream = ['1.1.1.1:0']\n", "2:13:", { "a name server" } },
		/* not yet */
		{ "[dns]\nblok = ['a']\n", "2:1:", { "'blok'", "block_suffix" } },
		{ "[network]\nallow = ['unix:a']\n", "2:10:", { "unix:/PATH" } },
		{ "[network]\ndeny = ['unix:/a']\n", "2:9:", { "denied anyway" } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *seen = refusal(rows[i].text, strlen(rows[i].text));

		cr_expect(!strncmp(seen, rows[i].place, strlen(rows[i].place)), "'%s': %s",
			  rows[i].text, seen);
		for (size_t k = 0; k < COUNT(rows[i].words) && rows[i].words[k]; k++)
			cr_expect(strstr(seen, rows[i].words[k]), "'%s': %s", rows[i].text, seen);
		cr_expect(!strpbrk(seen, "\r\n\t"), "'%s': %s", rows[i].text, seen);
	}
	cr_expect(strstr(refusal("a\0b", 3), "1:"));
}

Test(profile, what_dns_says_comes_back)
{
	static const char text[] = "[network]\n"
				   "preset = \"public-only\"\n"
				   "# 1: deny any://private\n"
				   "# 2: allow any://*\n"
				   "\n"
				   "[dns]\n"
				   "block = [\"evil.com\", \"Ads.net.\"]\n"
				   "block_suffix = [\".evil.com\"]\n"
				   "block_file = [\"lists/ads.txt\"]\n"
				   "resolve = \"all\"\n"
				   "denied = \"nxdomain\"\n"
				   "rebind_protection = false\n"
				   "encrypted = \"allow\"\n"
				   "upstream = [\"1.1.1.1:53\", \"[::1]:5353\"]\n";
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct profile p, rest = { 0 };
	char *written;

	cr_assert_eq(profile_read(text, sizeof(text) - 1, &p, &err), 0, "%s", err.text);
	cr_assert_eq(profile_add(&p, d, &err), 0, "%s", err.text);
	draft_set_sinkhole(d); /* the comment about name servers is for who has none */
	rest.block_files = p.block_files;
	rest.n_block_files = p.n_block_files;
	written = profile_write(d, &rest);
	cr_expect_str_eq(written, text);
	free(written);
	draft_free(d);
	profile_free(&p);
}

Test(profile, a_deep_nest_is_refused)
{
	enum { DEPTH = 16000 };
	char *text = malloc(2 * DEPTH + 40);
	char *end;

	cr_assert(text);
	memset(stpcpy(text, "network.allow = "), '[', DEPTH);
	cr_expect(strstr(refusal(text, DEPTH), "1:"));
	for (end = text; end < text + DEPTH; end += 2)
		memcpy(end, "a.", 2);
	end = stpcpy(end, "a = 1");
	cr_expect(strstr(refusal(text, end - text), "unknown key"));
	for (end = text; end < text + 2 * DEPTH; end += 2)
		memcpy(end, "a.", 2);
	end = stpcpy(end, "a = 1");
	cr_expect(strstr(refusal(text, end - text),
			 "1:1: 'a.a.a.a.a.a.a.a.a.a.a.a.a.a.a....': a long line"));
	free(text);
}

/* The command line comes first: its rules do, and what it says once stays. */
Test(profile, beside_the_command_line)
{
	struct policy_error err = { "" };
	struct profile p = read_text("[network]\nrules = ['deny 10.0.0.1']\ndefault = 'allow'\n");
	struct draft *d = draft_new();
	struct policy *policy;

	cr_assert(d);
	cr_assert_eq(draft_rule(d, "allow 10.0.0.1:1", &err), 0);
	cr_assert_eq(draft_default(d, "deny", &err), 0);
	cr_assert_eq(profile_add(&p, d, &err), 0, "%s", err.text);
	policy = compile(d);
	expect_answer(policy, "tcp 10.0.0.1 1", "allow\ttcp\t10.0.0.1\t1\t1\tallow 10.0.0.1:1");
	expect_answer(policy, "tcp 10.0.0.1 2", "deny\ttcp\t10.0.0.1\t2\t2\tdeny 10.0.0.1");
	expect_answer(policy, "tcp 10.0.0.2 2", "deny\ttcp\t10.0.0.2\t2\t-\tdefault");
	policy_free(policy);
	draft_free(d);
	profile_free(&p);

	p = read_text("[network]\nrules = ['deny 10.0.0.1']\npreset = 'allow-all'\n");
	d = draft_new();
	cr_assert(d);
	cr_assert_eq(draft_preset(d, "none", &err), 0);
	cr_assert_eq(profile_add(&p, d, &err), 0, "%s", err.text);
	policy = compile(d);
	expect_answer(policy, "tcp 10.0.0.1 1", "deny\ttcp\t10.0.0.1\t1\t1\tdeny 10.0.0.1");
	expect_answer(policy, "tcp 10.0.0.2 1", "deny\ttcp\t10.0.0.2\t1\t2\tdeny any://*");
	policy_free(policy);
	draft_free(d);
	profile_free(&p);
}

Test(profile, families_are_counted_over_both)
{
	struct policy_error err = { "" };
	struct profile p = read_text("[network]\n\nallow = ['10.0.0.1']\n");
	struct draft *d = draft_new();

	cr_assert(d);
	cr_assert_eq(draft_deny(d, "10.0.0.0/8", &err), 0);
	cr_expect_eq(profile_add(&p, d, &err), -EINVAL);
	cr_expect_str_eq(err.text, "3:10: network.allow: '10.0.0.1': mutually exclusive with "
				   "--net-deny: write all of them as --rule");
	draft_free(d);
	profile_free(&p);
}

Test(profile, the_place_of_a_rule)
{
	struct profile p = read_text("[network]\ndefault = 'deny'\nrules = [\n  'allow :1',\n\n"
				     "  'allow :2']\n");

	cr_expect_eq(profile_rule(&p, 1)->line, 4);
	cr_expect_eq(profile_rule(&p, 2)->line, 6);
	cr_expect_eq(profile_rule(&p, 2)->column, 3);
	profile_free(&p);
}

static char *write_draft(const struct draft *d, const struct profile *rest)
{
	char *text = profile_write(d, rest);

	cr_assert(text);
	return text;
}

Test(profile, what_is_written)
{
	static const char text[] =
		"[program]\n"
		"exec = \"a\\\"b\\\\\"\n"
		"args = [\"c\\u0009d\", \"ü\"]\n"
		"\n"
		"[network]\n"
		"rules = [\n"
		"\t\"allow 10.0.0.1:80\", # 1\n"
		"\t\"deny  10.0.0.0/8\", # 2\n"
		"]\n"
		"# implied-dns: allow tcp and udp port 53 of this machine's name "
		"servers\n"
		"preset = \"public-only\"\n"
		"# 3: deny any://private\n"
		"# 4: allow any://*\n"
		"deny_bind = [\"80\", \"90-91\"]\n"
		"max_connections = 5\n"
		"\n"
		"[log]\n"
		"json = \"-\"\n";
	struct profile p = read_text(text);
	struct draft *d = draft_of(&p);
	char *seen = write_draft(d, &p);

	cr_expect_str_eq(seen, text, "%s", seen);
	free(seen);
	draft_free(d);
	profile_free(&p);

	p = (struct profile){ 0 };
	d = draft_of(&p);
	seen = write_draft(d, &p);
	cr_expect_str_eq(seen, "[network]\ndefault = \"deny\"\n", "%s", seen);
	free(seen);
	draft_free(d);
}

static uint64_t state;

/* xorshift64*, Vigna 2016. */
static uint32_t random_below(uint32_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 32) % n;
}

#define PICK(array) ((array)[random_below(COUNT(array))])

static void add_one(struct draft *d,
		    int (*add)(struct draft *, const char *, struct policy_error *),
		    const char *text)
{
	struct policy_error err = { "" };

	cr_assert_eq(add(d, text, &err), 0, "%s: %s", text, err.text);
}

/* A policy of any family, with every kind of option that goes with it. */
static struct draft *random_draft(void)
{
	static const char *const targets[] = {
		"10.0.0.0/8",  "10.1.2.3:80",     "10.1.2.3:80 , 81\t",       "*:443",
		":22,80-90",   "any://@loopback", "udp://[2001:db8::/32]:53", "icmp://*",
		"@public:443", "private",         "[::1]:80,[::]:81",         "0.0.0.0",
	};
	static const char *const actions[] = { "allow ", "deny ", "allow out ", "deny\t" };
	static const char *const presets[] = { "none", "allow-all", "public-only", "non-local" };
	static const char *const defaults[] = { "allow", "deny" };
	static const char *const ports[] = { "80", "80,90-95", "*", " 1 , 2 " };
	int family = random_below(3);
	int n = random_below(6);
	struct draft *d = draft_new();
	char text[80];

	cr_assert(d);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s%s", family == 2 ? PICK(actions) : "",
			 PICK(targets));
		add_one(d, family == 2 ? draft_rule : family ? draft_deny : draft_allow, text);
	}
	if (family < 2 && n && random_below(2))
		add_one(d, draft_default, family ? "allow" : "deny");
	if (!family && random_below(2))
		add_one(d, draft_allow, "host.example:443,b.example");
	if (family == 2 && random_below(2))
		add_one(d, draft_preset, PICK(presets));
	else if (family == 2 && random_below(2))
		add_one(d, draft_default, PICK(defaults));
	if (family < 2 && random_below(2))
		add_one(d, random_below(2) ? draft_allow_bind : draft_deny_bind, PICK(ports));
	else if (family == 2 && random_below(2))
		add_one(d, draft_rule, "allow in :80");
	return d;
}

static void expect_same_decisions(const struct policy *p, const struct policy *q)
{
	static const char *const addrs[] = { "10.0.0.0",  "10.1.2.3",    "127.0.0.1", "0.0.0.0",
					     "::",        "::1",         "8.8.8.8",   "2001:db8::1",
					     "224.1.1.1", "198.51.100.1" };
	static const int ports[] = { 0, 22, 53, 80, 81, 90, 443, 65535 };
	static const enum proto protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };

	cr_assert_eq(policy_rules(p), policy_rules(q));
	for (int i = 0; i < 50; i++) {
		enum proto proto = PICK(protos);
		int port = proto == PROTO_ICMP ? 0 : PICK(ports);
		struct endpoint e;
		struct decision a, b;
		struct addr addr;

		cr_assert_eq(addr_parse(PICK(addrs), &addr), 0);
		e = (proto != PROTO_ICMP && !random_below(3) ? endpoint_in
							     : endpoint_out)(proto, addr, port);
		a = policy_decide(p, NULL, &e);
		b = policy_decide(q, NULL, &e);
		cr_assert(a.verdict == b.verdict && a.reason == b.reason && a.rule == b.rule);
	}
}

Test(profile, what_is_written_reads_back_the_same)
{
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct profile rest = { 0 }, again;
		struct draft *d, *e;
		struct policy *p, *q;
		char *text, *twice;

		state = seed;
		d = random_draft();
		rest.max_connections = random_below(3);
		text = write_draft(d, &rest);
		again = read_text(text);
		e = draft_of(&again);
		twice = write_draft(e, &again);
		cr_assert_str_eq(text, twice, "seed %lu: %s\nand\n%s", seed, text, twice);

		p = compile(d);
		q = compile(e);
		expect_same_decisions(p, q);
		policy_free(p);
		policy_free(q);
		draft_free(d);
		draft_free(e);
		profile_free(&again);
		free(text);
		free(twice);
	}
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	cr_assert(f, "%s", path);
	cr_assert_gt(getdelim(&text, &size, '\0', f), 0, "%s", path);
	fclose(f);
	return text;
}

/* Hosts have the addresses that compile() gives them, in the order of the file. */
Test(profile, the_examples_of_the_documentation)
{
	static const struct {
		const char *name;
		const char *answers[8][2];
	} rows[] = {
		{ "agent",
		  { { "tcp 198.51.100.1 443",
		      "allow\ttcp\t198.51.100.1\t443\t1\tallow api.example.com:443" },
		    { "tcp 198.51.100.2 443",
		      "allow\ttcp\t198.51.100.2\t443\t2\tallow api.github.com:443" },
		    { "tcp 198.51.100.1 80", "deny\ttcp\t198.51.100.1\t80\t-\tdefault" },
		    { "udp 198.51.100.1 443", "deny\tudp\t198.51.100.1\t443\t-\tdefault" },
		    { "tcp 169.254.169.254 80", "deny\ttcp\t169.254.169.254\t80\t-\tdefault" },
		    { "in tcp 127.0.0.1 3000",
		      "allow\tin tcp\t127.0.0.1\t3000\t-\tbind-default" } } },
		{ "npm-install",
		  { { "tcp 198.51.100.1 443",
		      "allow\ttcp\t198.51.100.1\t443\t1\tallow registry.npmjs.org:443" },
		    { "tcp 8.8.8.8 443", "deny\ttcp\t8.8.8.8\t443\t-\tdefault" } } },
		{ "pip-install",
		  { { "tcp 198.51.100.2 443",
		      "allow\ttcp\t198.51.100.2\t443\t2\tallow files.pythonhosted.org:443" },
		    { "tcp 10.0.0.1 443", "deny\ttcp\t10.0.0.1\t443\t-\tdefault" } } },
		{ "git",
		  { { "tcp 198.51.100.1 22",
		      "allow\ttcp\t198.51.100.1\t22\t1\tallow github.com:22,443" },
		    { "tcp 198.51.100.3 443",
		      "allow\ttcp\t198.51.100.3\t443\t3\tallow gitlab.com:22,443" },
		    { "tcp 198.51.100.1 80", "deny\ttcp\t198.51.100.1\t80\t-\tdefault" } } },
		{ "offline-build",
		  { { "tcp 127.0.0.1 8080",
		      "allow\ttcp\t127.0.0.1\t8080\t1\tallow any://@loopback" },
		    { "udp ::1 53", "allow\tudp\t::1\t53\t1\tallow any://@loopback" },
		    { "tcp 1.1.1.1 443", "deny\ttcp\t1.1.1.1\t443\t-\tdefault" } } },
		{ "public-only",
		  { { "tcp 1.1.1.1 443", "allow\ttcp\t1.1.1.1\t443\t2\tallow any://*" },
		    { "udp 1.1.1.1 443", "allow\tudp\t1.1.1.1\t443\t2\tallow any://*" },
		    { "tcp 192.168.1.1 80", "deny\ttcp\t192.168.1.1\t80\t1\tdeny any://private" },
		    { "tcp 169.254.169.254 80",
		      "deny\ttcp\t169.254.169.254\t80\t1\tdeny any://private" } } },
		{ "dev-server",
		  { { "in tcp 0.0.0.0 8000",
		      "allow\tin tcp\t0.0.0.0\t8000\t1\tallow in tcp://*:8000" },
		    { "in tcp 0.0.0.0 8001", "deny\tin tcp\t0.0.0.0\t8001\t-\tbind-default" },
		    { "tcp ::1 5432", "allow\ttcp\t::1\t5432\t2\tallow tcp://@loopback:5432" },
		    { "tcp 1.1.1.1 443", "deny\ttcp\t1.1.1.1\t443\t-\tdefault" } } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[100];
		char *text;

		snprintf(path, sizeof(path), "Documentation/examples/%s.toml", rows[i].name);
		text = read_file(path);
		expect_answers(text, rows[i].answers);
		free(text);
	}
}
