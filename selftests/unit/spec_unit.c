/* SPDX-License-Identifier: MIT */
/*
 * Endpoint specs: what each text means, and what is said of a wrong one.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/spec.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void append(char *buf, size_t size, const char *text)
{
	strncat(buf, text, size - strlen(buf) - 1);
}

/* "tcp+udp 10.0.0.0/8 22,80-90" */
static void describe(const struct spec *s, char *buf, size_t size)
{
	char text[PREFIX_TEXT_MAX];

	for (enum proto proto = 0; proto < PROTO_COUNT; proto++) {
		if (!(s->protos & 1u << proto))
			continue;
		append(buf, size, s->protos & ((1u << proto) - 1) ? "+" : "");
		append(buf, size, proto_name(proto));
	}
	switch (s->target) {
	case SPEC_EVERY:
		append(buf, size, " every");
		break;
	case SPEC_PREFIX:
		append(buf, size, " ");
		append(buf, size, prefix_text(s->prefix, text));
		break;
	case SPEC_GROUP:
		snprintf(text, sizeof(text), " group %d", s->group);
		append(buf, size, text);
		break;
	case SPEC_HOST:
		append(buf, size, " host ");
		append(buf, size, s->name);
		break;
	case SPEC_SUFFIX:
		append(buf, size, " below ");
		append(buf, size, s->name);
		break;
	case SPEC_PATH:
		append(buf, size, " path ");
		append(buf, size, s->name);
		break;
	}
	for (size_t i = 0; i < s->n_ports; i++) {
		struct port_range range = s->ports[i];

		snprintf(text, sizeof(text), range.lo == range.hi ? "%c%d" : "%c%d-%d",
			 i ? ',' : ' ', range.lo, range.hi);
		append(buf, size, text);
	}
}

static void expect_meaning(const char *text, unsigned int protos, const char *meaning)
{
	struct policy_error err = { "" };
	struct spec_list list;
	char buf[1000] = "";
	int ret;

	ret = spec_parse(text, protos, &list, &err);
	cr_expect_eq(ret, 0, "'%s': %s", text, err.text);
	if (ret)
		return;
	for (size_t i = 0; i < list.n; i++) {
		append(buf, sizeof(buf), i ? "; " : "");
		describe(&list.v[i], buf, sizeof(buf));
	}
	cr_expect_str_eq(buf, meaning, "'%s' means '%s', not '%s'", text, buf, meaning);
	spec_list_free(&list);
}

/* The message has the word, quotes the wrong spec, and is one line. */
static void expect_error(const char *text, const char *quoted, const char *word)
{
	struct policy_error err = { "" };
	struct spec_list list;

	cr_expect_eq(spec_parse(text, SPEC_TCP, &list, &err), -EINVAL, "'%s'", text);
	cr_expect(strstr(err.text, word), "'%s': '%s' lacks '%s'", text, err.text, word);
	cr_expect(strstr(err.text, quoted), "'%s': '%s' lacks '%s'", text, err.text, quoted);
	cr_expect(!strchr(err.text, '\n'), "%s", err.text);
}

struct row {
	const char *text, *meaning;
};

static void expect_rows(const struct row *rows, size_t n, unsigned int protos)
{
	for (size_t i = 0; i < n; i++)
		expect_meaning(rows[i].text, protos, rows[i].meaning);
}

Test(spec, bodies)
{
	static const struct row rows[] = {
		{ "example.com:443", "tcp host example.com 443" },
		{ "tcp://example.com:443", "tcp host example.com 443" },
		{ "TCP://Example.COM:443", "tcp host example.com 443" },
		{ "example.com", "tcp host example.com" },
		{ "example.com:*", "tcp host example.com" },
		{ "example.com.:443", "tcp host example.com 443" },
		{ "B\u00dccher.example:443", "tcp host xn--bcher-kva.example 443" },
		{ "xn--bcher-kva.example", "tcp host xn--bcher-kva.example" },
		{ "localhost:80,443", "tcp host localhost 80,443" },
		{ "_dmarc.ex-ample.com", "tcp host _dmarc.ex-ample.com" },
		{ "3com.com", "tcp host 3com.com" },
		{ "0x7f.example", "tcp host 0x7f.example" },
		{ ":8080", "tcp every 8080" },
		{ "*:8080", "tcp every 8080" },
		{ ":*", "tcp every" },
		{ "*:*", "tcp every" },
		{ "*", "tcp every" },
		{ ":*,*", "tcp every" },
		{ "github.com:22,80,443", "tcp host github.com 22,80,443" },
		{ "github.com:22,8000-9000", "tcp host github.com 22,8000-9000" },
		{ ":1-65535", "tcp every 1-65535" },
		{ ":80-80", "tcp every 80" },
		{ "udp://1.1.1.1:53", "udp 1.1.1.1 53" },
		{ "udp://*", "udp every" },
		{ "udp://*:*", "udp every" },
		{ "udp://:53", "udp every 53" },
		{ "icmp://github.com", "icmp host github.com" },
		{ "icmp://*", "icmp every" },
		{ "icmp://[::1]", "icmp ::1" },
		{ "icmp://10.0.0.0/8", "icmp 10.0.0.0/8" },
		{ "any://*", "tcp+udp+icmp every" },
		{ "any://*:*", "tcp+udp+icmp every" },
		{ "any://1.1.1.1:53", "tcp+udp 1.1.1.1 53" },
		{ "10.0.0.0/8:80", "tcp 10.0.0.0/8 80" },
		{ "10.1.2.3/8", "tcp 10.0.0.0/8" },
		{ "1.2.3.4", "tcp 1.2.3.4" },
		{ "1.2.3.4/32", "tcp 1.2.3.4" },
		{ "0.0.0.0", "tcp 0.0.0.0" },
		{ "::1", "tcp ::1" },
		{ "::", "tcp ::" },
		{ "::1:80", "tcp ::1:80" },
		{ "[::1]:443", "tcp ::1 443" },
		{ "[::1]", "tcp ::1" },
		{ "[::1]:*", "tcp ::1" },
		{ "fc00::/7", "tcp fc00::/7" },
		{ "[fc00::/7]:22,80", "tcp fc00::/7 22,80" },
		{ "[fc00::/7]", "tcp fc00::/7" },
		{ "::ffff:1.2.3.4", "tcp 1.2.3.4" },
		{ "[::ffff:1.2.3.4]:80", "tcp 1.2.3.4 80" },
		{ "::ffff:0:0/96", "tcp 0.0.0.0/0" },
		{ ".example.com", "tcp below example.com" },
		{ "*.Example.com:443", "tcp below example.com 443" },
		{ "unix:/run/a,b:1", "unix path /run/a,b:1" },
		{ "unix:$XDG_RUNTIME_DIR/bus", "unix path $XDG_RUNTIME_DIR/bus" },
		{ "unix:@Name", "unix path @Name" },
		{ "unix:/tmp/x*", "unix path /tmp/x*" },
		{ "1.1.1.1:53, unix:/a,b", "tcp 1.1.1.1 53; unix path /a,b" },
	};

	expect_rows(rows, COUNT(rows), SPEC_TCP);
}

Test(spec, groups)
{
	static const struct {
		const char *name;
		enum group group;
	} names[] = {
		{ "@loopback", GROUP_LOOPBACK },     { "@private", GROUP_PRIVATE },
		{ "@link-local", GROUP_LINK_LOCAL }, { "@metadata", GROUP_METADATA },
		{ "@multicast", GROUP_MULTICAST },   { "@this-host", GROUP_THIS_HOST },
		{ "@public", GROUP_PUBLIC },         { "@self", GROUP_SELF },
	};
	char meaning[100];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(meaning, sizeof(meaning), "tcp group %d", names[i].group);
		expect_meaning(names[i].name, SPEC_TCP, meaning);
		cr_expect(strstr(group_names(), names[i].name), "%s", names[i].name);
	}
	snprintf(meaning, sizeof(meaning), "udp group %d 53", GROUP_PRIVATE);
	expect_meaning("udp://@private:53", SPEC_TCP, meaning);
	snprintf(meaning, sizeof(meaning), "tcp+udp+icmp group %d", GROUP_INTERNAL);
	expect_meaning("private", SPEC_TCP, meaning);
	expect_meaning("Private", SPEC_TCP, meaning);
	expect_meaning("private:*", SPEC_TCP, meaning);
	snprintf(meaning, sizeof(meaning), "tcp+udp group %d 22", GROUP_INTERNAL);
	expect_meaning("private:22", SPEC_TCP, meaning);
	snprintf(meaning, sizeof(meaning), "tcp group %d", GROUP_INTERNAL);
	expect_meaning("tcp://private", SPEC_TCP, meaning);
}

Test(spec, commas)
{
	static const struct row rows[] = {
		{ "127.0.0.1,10.0.0.0/8:22,443", "tcp 127.0.0.1; tcp 10.0.0.0/8 22,443" },
		{ "127.0.0.1,10.0.0.0/8,192.168.0.0/16:22,443",
		  "tcp 127.0.0.1; tcp 10.0.0.0/8; tcp 192.168.0.0/16 22,443" },
		{ "a.com:80,b.com:443,8443", "tcp host a.com 80; tcp host b.com 443,8443" },
		{ "a.com:80,3com.com", "tcp host a.com 80; tcp host 3com.com" },
		{ "a.com:80,1.2.3.4", "tcp host a.com 80; tcp 1.2.3.4" },
		{ "a.com:80,*:443", "tcp host a.com 80; tcp every 443" },
		{ "a.com:80,*.b.com", "tcp host a.com 80; tcp below b.com" },
		{ "*,*", "tcp every; tcp every" },
		{ "[::1]:80,[::2]", "tcp ::1 80; tcp ::2" },
		{ "a.com:80 ,\t443 , b.com: 22", "tcp host a.com 80,443; tcp host b.com 22" },
		{ "a.com: 80 , 443 ", "tcp host a.com 80,443" },
		{ "udp://1.1.1.1:53,udp://8.8.8.8:53", "udp 1.1.1.1 53; udp 8.8.8.8 53" },
		{ "udp://1.1.1.1:53,853,tcp://1.1.1.1:53", "udp 1.1.1.1 53,853; tcp 1.1.1.1 53" },
		{ "tcp://1.1.1.1,8.8.8.8", "tcp 1.1.1.1; tcp 8.8.8.8" },
		{ "any://1.1.1.1:53,853", "tcp+udp 1.1.1.1 53,853" },
	};

	expect_rows(rows, COUNT(rows), SPEC_TCP);
}

Test(spec, protocols_of_a_spec_without_a_scheme)
{
	static const struct row rows[] = {
		{ "1.2.3.4", "tcp+udp+icmp 1.2.3.4" },
		{ "1.2.3.4:80", "tcp+udp 1.2.3.4 80" },
		{ "tcp://1.2.3.4", "tcp 1.2.3.4" },
		{ "*", "tcp+udp+icmp every" },
		{ "1.2.3.4:80,5.6.7.8", "tcp+udp 1.2.3.4 80; tcp+udp+icmp 5.6.7.8" },
	};

	expect_rows(rows, COUNT(rows), SPEC_ANY);
}

Test(spec, errors)
{
	static const struct {
		const char *text, *quoted, *word;
	} rows[] = {
		{ "example.com:80,*", "'example.com:80,*'", "cannot mix" },
		{ "example.com:*,80", "'example.com:*,80'", "cannot mix" },
		{ ":80,443,*", "':80,443,*'", "cannot mix" },
		{ "example.com:0", "'example.com:0'", "port 0" },
		{ "example.com:0-80", "'example.com:0-80'", "port 0" },
		{ "example.com:", "'example.com:'", "invalid port" },
		{ "example.com:80,", "'example.com:80,'", "invalid port" },
		{ "example.com:80,,443", "'example.com:80,'", "invalid port" },
		{ "example.com:http", "'http'", "invalid port" },
		{ "example.com:80-", "'example.com:80-'", "invalid port" },
		{ "example.com:-80", "'example.com:-80'", "invalid port" },
		{ "example.com:90-80", "'90-80'", "invalid port" },
		{ "example.com:80-90-100", "'80-90-100'", "invalid port" },
		{ "example.com:65536", "'65536'", "invalid port" },
		{ "example.com:99999999999999999999", "'99999999999999999999'", "invalid port" },
		{ "example.com:8 0", "'8 0'", "invalid port" },
		{ "example.com:+80", "'+80'", "invalid port" },
		{ "[::1]:", "'[::1]:'", "invalid port" },
		{ "", "''", "empty rule" },
		{ "  ", "'  '", "empty rule" },
		{ ",", "''", "empty rule" },
		{ "a.com,,b.com", "''", "empty rule" },
		{ "a.com,", "''", "use * for any host" },
		{ "tcp://", "'tcp://'", "empty rule" },
		{ "udp://", "'udp://'", "empty rule" },
		{ "any://", "'any://'", "empty rule" },
		{ "icmp://", "'icmp://'", "needs a host" },
		{ "icmp://github.com:80", "'icmp://github.com:80'", "takes no port" },
		{ "icmp://*:*", "'icmp://*:*'", "takes no port" },
		{ "icmp://[::1]:80", "'icmp://[::1]:80'", "takes no port" },
		{ "sctp://host:1234", "'sctp'", "unknown scheme" },
		{ "icmp-raw://*", "'icmp-raw'", "unknown scheme" },
		{ "https://example.com", "'https'", "unknown scheme" },
		{ "http://example.com/x?y", "'http'", "write HOST:443" },
		{ "://example.com", "''", "unknown scheme" },
		{ "10.0.0.0/33", "'10.0.0.0/33'", "too large" },
		{ "10.0.0.0/33:80", "'10.0.0.0/33:80'", "too large" },
		{ "fc00::/129", "'fc00::/129'", "too large" },
		{ "[fc00::/129]:80", "'[fc00::/129]:80'", "too large" },
		{ "10.0.0.0/", "'10.0.0.0/'", "ADDRESS/LENGTH" },
		{ "10.0.0.0/x", "'10.0.0.0/x'", "ADDRESS/LENGTH" },
		{ "example.com/24", "'example.com/24'", "ADDRESS/LENGTH" },
		{ "example.com/v1", "'example.com/v1'", "a host without a path" },
		{ "/tmp/x", "'/tmp/x'", "expected unix:/tmp/x" },
		{ "[::1", "'[::1'", "malformed bracket" },
		{ "[]", "'[]'", "malformed bracket" },
		{ "[::1]80", "'[::1]80'", "malformed bracket" },
		{ "[::1] :80", "'[::1] :80'", "malformed bracket" },
		{ "[::1]/64", "'[::1]/64'", "malformed bracket" },
		{ "[1.2.3.4]", "'[1.2.3.4]'", "malformed bracket" },
		{ "[1.2.3.4]:80", "'[1.2.3.4]:80'", "malformed bracket" },
		{ "[example.com]:80", "'[example.com]:80'", "malformed bracket" },
		{ "fe80::1%eth0", "'fe80::1%eth0'", "zone" },
		{ "[fe80::1%2]:80", "'[fe80::1%2]:80'", "zone" },
		{ "fc00::/7:443", "'fc00::/7:443'", "[IPV6]" },
		{ "::1:99999", "'::1:99999'", "[IPV6]" },
		{ "a:b:80", "'a:b:80'", "colon" },
		{ "8080", "'8080'", "8080 is not a host: write :8080" },
		{ "80-90", "'80-90'", "80-90 is not a host: write :80-90" },
		{ "*,443", "'443'", "443 is not a host: write :443" },
		{ "127.1", "'127.1'", "is not a host" },
		{ "0x7f.1", "'0x7f.1'", "is not a host" },
		{ "0x7f000001", "'0x7f000001'", "is not a host" },
		{ "1.2.3.0x4:80", "'1.2.3.0x4:80'", "is not a host" },
		{ "2130706433", "'2130706433'", "is not a host" },
		{ "8080:443", "'8080:443'", "is not a host" },
		{ "1.2.3.4.5", "'1.2.3.4.5'", "is not a host" },
		{ "256.1.1.1", "'256.1.1.1'", "is not a host" },
		{ "-a.com", "'-a.com'", "is not a host" },
		{ "a-.com", "'a-.com'", "is not a host" },
		{ "a..com", "'a..com'", "is not a host" },
		{ "exa_mple!.com", "'exa_mple!.com'", "is not a host" },
		{ "a*.com", "'a*.com'", "is not a host" },
		{ "*example.com", "'*example.com'", "*.NAME for what is below a name" },
		{ ".*", "'*'", "*.NAME" },
		{ "..com", "'..com'", "is not a host" },
		{ ".", "'.'", "is not a host" },
		{ "*.", "'*.'", "is not a host" },
		{ ".1.2.3.4", "'.1.2.3.4'", "is not a host" },
		{ "b\xfc.example", "b\xfc.example", "is not a host" }, /* not UTF-8 */
		/* Digits of full width are digits: an address in disguise. */
		{ "\uff11\uff12\uff17.1", "\uff11\uff12\uff17.1", "is not a host" },
		{ "a.com\n", "'a.com?'", "is not a host" },
		{ "exa mple.com", "'exa mple.com'", "blank" },
		{ "example.com :80", "'example.com :80'", "blank" },
		{ " example.com", "' example.com'", "blank" },
		{ "example.com ", "'example.com '", "blank" },
		{ "tcp:// example.com", "'tcp:// example.com'", "blank" },
		{ "@intranet", "'@intranet'", "@loopback, @private, @link-local, @metadata" },
		{ "@", "'@'", "unknown group" },
		{ "udp://1.1.1.1:53,8.8.8.8:53", "'8.8.8.8:53'", "write udp:// again" },
		{ "icmp://1.1.1.1,8.8.8.8", "'8.8.8.8'", "write icmp:// again" },
		{ "any://1.1.1.1,private", "'private'", "write any:// again" },
		{ "a.com:80,b.com:x,c.com", "'b.com:x'", "invalid port" },
		{ "unix:", "'unix:'", "unix:/PATH" },
		{ "unix:run/bus", "'unix:run/bus'", "unix:/PATH" },
		{ "unix:@", "'unix:@'", "unix:@NAME" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_error(rows[i].text, rows[i].quoted, rows[i].word);
}

/* A name of `n` octets in labels of 49. */
static void long_name(char *buf, size_t n)
{
	memset(buf, 'a', n);
	for (size_t i = 49; i + 1 < n; i += 50)
		buf[i] = '.';
	buf[n] = '\0';
}

Test(spec, length_of_names)
{
	char name[300];
	char meaning[400];

	long_name(name, 253);
	snprintf(meaning, sizeof(meaning), "tcp host %s", name);
	expect_meaning(name, SPEC_TCP, meaning);
	long_name(name, 254);
	expect_error(name, "'aaaa", "is not a host");

	memset(name, 'a', 63);
	strcpy(name + 63, ".com");
	snprintf(meaning, sizeof(meaning), "tcp host %s", name);
	expect_meaning(name, SPEC_TCP, meaning);
	memset(name, 'a', 64);
	strcpy(name + 64, ".com");
	expect_error(name, "'aaaa", "is not a host");
}
