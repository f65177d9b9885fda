/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/hosts.h"

/* What hosts_read() makes of the text of a file. */
static struct hosts hosts_of(const char *text)
{
	char path[] = "/tmp/hosts_unit.XXXXXX";
	struct hosts h;
	int fd = mkstemp(path), ret;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ret = hosts_read(&h, path);
	unlink(path);
	cr_assert_eq(ret, 0);
	return h;
}

/* The addresses of a name, "one two". */
static const char *addresses_of(const struct hosts *h, const char *name)
{
	static char seen[HOSTS_ADDRESSES * (ADDR_TEXT_MAX + 1)];
	struct addr addrs[HOSTS_ADDRESSES];
	size_t n = hosts_find(h, name, addrs, HOSTS_ADDRESSES), len = 0;

	*seen = '\0';
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_TEXT_MAX];

		addr_text(addrs[i], text);
		len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%s", i ? " " : "", text);
	}
	return seen;
}

Test(hosts, names_have_the_addresses_of_their_lines)
{
	struct hosts h = hosts_of("# a comment\n"
				  "192.0.2.1 a.test A2.TEST # 192.0.2.9\n"
				  "not-an-address b.test\n"
				  "2001:db8::1\ta.test\r\n"
				  "192.0.2.2 a.test");

	cr_expect_str_eq(addresses_of(&h, "a.test"), "192.0.2.1 2001:db8::1 192.0.2.2");
	cr_expect_str_eq(addresses_of(&h, "a2.test"), "192.0.2.1");
	cr_expect_str_eq(addresses_of(&h, "b.test"), "");
	cr_expect_str_eq(addresses_of(&h, "localhost"), "127.0.0.1 ::1");
	hosts_free(&h);
}

/* Were all of them kept, this would take minutes. */
Test(hosts, a_name_keeps_its_first_addresses, .timeout = 30)
{
	enum { LINES = 200000 };
	char *text = malloc(LINES * 32), *at = text;
	struct hosts h;

	cr_assert(text);
	for (int i = 0; i < LINES; i++)
		at += sprintf(at, "198.%d.%d.%d one.test\n", i >> 16, i >> 8 & 255, i & 255);
	h = hosts_of(text);
	cr_expect_eq(h.n, HOSTS_ADDRESSES);
	cr_expect_eq(strncmp(addresses_of(&h, "one.test"), "198.0.0.0 198.0.0.1 ", 20), 0);
	hosts_free(&h);
	free(text);
}
