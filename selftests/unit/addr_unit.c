/* SPDX-License-Identifier: MIT */
/*
 * Addresses and prefixes: what is read, what is printed, what holds what.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "policy/addr.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct addr addr(const char *text)
{
	struct addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	cr_assert_eq(prefix_parse(text, &p), 0, "%s", text);
	return p;
}

Test(addr, text_is_canonical_and_reads_back_equal)
{
	static const char *const rows[][2] = {
		{ "1.2.3.4", "1.2.3.4" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "2001:DB8::A", "2001:db8::a" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::ffff:102:304", "1.2.3.4" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
		{ "::1.2.3.4", "::102:304" },
		{ "::1:0", "::1:0" },
		{ "::ab", "::ab" },
	};
	char buf[ADDR_TEXT_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = addr(rows[i][0]);

		cr_expect_str_eq(addr_text(a, buf), rows[i][1]);
		cr_expect(addr_equal(a, addr(buf)), "%s", buf);
	}
}

Test(addr, other_texts_are_refused)
{
	static const char *const rows[] = {
		"",           "1.2.3",      "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"0x7f.0.0.1", "127.1",      "1.2.3.4 ",  "1.2.3.4/8", "::1%lo",
		":::",        "1::2::3",    "[::1]",     "12345::",   "::1/128",
		"localhost",  "2130706433", " ::1",      "1:2:3:4:5", "::1.2.3",
	};
	struct addr a;

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(addr_parse(rows[i], &a), -EINVAL, "%s", rows[i]);
}

Test(addr, mapped_bytes_become_ipv4)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
	static const uint8_t compatible[16] = { [12] = 192, 0, 2, 1 };

	cr_expect(addr_equal(addr_from_v6(mapped), addr("192.0.2.1")));
	cr_expect_eq(addr_from_v6(compatible).family, 6);
	cr_expect(!addr_equal(addr("0.0.0.1"), addr("::1")));
}

Test(addr, loopback_and_unspecified)
{
	static const struct {
		const char *text;
		bool loopback, unspecified;
	} rows[] = {
		{ "127.0.0.1", true, false },        { "127.255.255.255", true, false },
		{ "::ffff:127.0.0.1", true, false }, { "::1", true, false },
		{ "128.0.0.0", false, false },       { "::2", false, false },
		{ "0.0.0.0", false, true },          { "::", false, true },
		{ "0.0.0.1", false, false },         { "7f00::", false, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cr_expect_eq(addr_is_loopback(addr(rows[i].text)), rows[i].loopback, "%s",
			     rows[i].text);
		cr_expect_eq(addr_is_unspecified(addr(rows[i].text)), rows[i].unspecified, "%s",
			     rows[i].text);
	}
	cr_expect(!addr_is_unspecified((struct addr){ 0 }));
	cr_expect(!addr_is_loopback((struct addr){ 0 }));
}

Test(addr, embedded_v4)
{
	static const struct {
		const char *text;
		unsigned int len;
		const char *v4;
	} rows[] = {
		{ "64:ff9b::10.0.0.1", 96, "10.0.0.1" },
		{ "64:ff9b::", 96, "0.0.0.0" },
		{ "2002:a00:1::5", 16, "10.0.0.1" },
		{ "64:ff9b:1::10.0.0.1", 0, NULL },
		{ "2003:a00:1::", 0, NULL },
		{ "32.2.10.0", 0, NULL },
		{ "::10.0.0.1", 0, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr v4;

		cr_expect_eq(addr_embedded_v4(addr(rows[i].text), &v4), rows[i].len, "%s",
			     rows[i].text);
		cr_expect(!rows[i].len || addr_equal(v4, addr(rows[i].v4)), "%s", rows[i].text);
	}
}

Test(addr, prefix_text_is_masked_and_reads_back_equal)
{
	static const char *const rows[][2] = {
		{ "10.1.2.3/8", "10.0.0.0/8" },
		{ "10.1.2.3", "10.1.2.3" },
		{ "10.1.2.3/32", "10.1.2.3" },
		{ "10.255.255.255/9", "10.128.0.0/9" },
		{ "1.2.3.4/0", "0.0.0.0/0" },
		{ "::1/128", "::1" },
		{ "fdff::1/7", "fc00::/7" },
		{ "2001:db8::1/33", "2001:db8::/33" },
		{ "1::/0", "::/0" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::ffff:10.1.2.3/104", "10.0.0.0/8" },
		{ "::ffff:10.1.2.3/95", "::fffe:0:0/95" },
	};
	char buf[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix p = prefix(rows[i][0]);

		cr_expect_str_eq(prefix_text(p, buf), rows[i][1]);
		cr_expect_eq(prefix_compare(p, prefix(buf)), 0, "%s", buf);
	}
}

Test(addr, other_prefixes_are_refused)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "10.0.0.0/33", -ERANGE },
		{ "fc00::/129", -ERANGE },
		{ "1.2.3.4/99999999999999999999", -ERANGE },
		{ "10.0.0.0/", -EINVAL },
		{ "10.0.0.0/x", -EINVAL },
		{ "10.0.0.0/-1", -EINVAL },
		{ "10.0.0.0/8/8", -EINVAL },
		{ "10.0.0/8", -EINVAL },
		{ "/8", -EINVAL },
		{ "", -EINVAL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", -EINVAL },
	};
	struct prefix p;

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(prefix_parse(rows[i].text, &p), rows[i].error, "%s", rows[i].text);
}

Test(addr, prefix_holds)
{
	static const struct {
		const char *prefix, *addr;
		bool holds;
	} rows[] = {
		{ "10.0.0.0/8", "10.3.7.9", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "fc00::/7", "fd00::1", true },
		{ "fc00::/7", "2001:db8::1", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "8.8.8.8", false },
		{ "::/0", "::ffff:8.8.8.8", false },
		{ "::ffff:0:0/96", "8.8.8.8", true },
		{ "1.2.3.4", "1.2.3.4", true },
		{ "1.2.3.4", "1.2.3.5", false },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
		{ "172.16.0.0/12", "172.31.255.255", true },
		{ "172.16.0.0/12", "172.32.0.0", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(prefix_holds(prefix(rows[i].prefix), addr(rows[i].addr)),
			     rows[i].holds, "%s %s", rows[i].prefix, rows[i].addr);
}

Test(addr, endpoint_out_goes_where_linux_sends_it)
{
	struct endpoint e = endpoint_out(PROTO_TCP, addr("0.0.0.0"), 80);

	cr_expect(addr_equal(e.addr, addr("127.0.0.1")));
	cr_expect(e.unspecified);
	cr_expect_eq(e.dir, DIR_OUT);
	cr_expect_eq(e.port, 80);
	e = endpoint_out(PROTO_UDP, addr("::"), 53);
	cr_expect(addr_equal(e.addr, addr("::1")));
	cr_expect(e.unspecified);
	e = endpoint_out(PROTO_TCP, addr("0.1.2.3"), 80);
	cr_expect(addr_equal(e.addr, addr("0.1.2.3")));
	cr_expect(!e.unspecified);
	e = endpoint_in(PROTO_TCP, addr("0.0.0.0"), 80);
	cr_expect(addr_equal(e.addr, addr("0.0.0.0")));
	cr_expect(!e.unspecified);
	cr_expect_eq(e.dir, DIR_IN);
}
