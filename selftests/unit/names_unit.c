/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/names.h"

static struct names *new_names(void)
{
	struct names *n = names_new();

	cr_assert(n);
	return n;
}

static struct addr addr(const char *text)
{
	struct addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

/* The names of an address, "one two". */
static const char *names_of(const struct names *n, const char *text, uint64_t now)
{
	static char seen[2000];
	const char *name;
	uint32_t at = 0;

	*seen = '\0';
	while ((name = names_next(n, addr(text), now, &at))) {
		if (*seen)
			strcat(seen, " ");
		strcat(seen, name);
	}
	return seen;
}

Test(names, an_address_has_the_names_that_live)
{
	struct names *n = new_names();

	cr_expect_eq(names_bind(n, addr("192.0.2.1"), "a.test", 100), 0);
	cr_expect_eq(names_bind(n, addr("192.0.2.1"), "b.test", 200), 0);
	cr_expect_eq(names_bind(n, addr("2001:db8::1"), "a.test", 100), 0);
	cr_expect_str_eq(names_of(n, "192.0.2.1", 0), "b.test a.test");
	cr_expect_str_eq(names_of(n, "192.0.2.1", 99), "b.test a.test");
	cr_expect_str_eq(names_of(n, "192.0.2.1", 100), "b.test");
	cr_expect_str_eq(names_of(n, "192.0.2.1", 200), "");
	cr_expect_str_eq(names_of(n, "2001:db8::1", 50), "a.test");
	cr_expect_str_eq(names_of(n, "192.0.2.2", 50), "");
	names_free(n);
}

Test(names, a_second_answer_extends_the_first_and_never_shortens_it)
{
	struct names *n = new_names();

	names_bind(n, addr("192.0.2.1"), "a.test", 100);
	names_bind(n, addr("192.0.2.1"), "b.test", 100);
	names_bind(n, addr("192.0.2.1"), "a.test", 300);
	cr_expect_str_eq(names_of(n, "192.0.2.1", 250), "a.test");
	names_bind(n, addr("192.0.2.1"), "b.test", 50);
	cr_expect_str_eq(names_of(n, "192.0.2.1", 99), "b.test a.test");
	cr_expect_eq(names_count(n), 2);
	names_free(n);
}

Test(names, an_address_has_a_bounded_number_of_names)
{
	struct names *n = new_names();
	uint32_t at = 0;
	char name[32];

	cr_expect_eq(names_bind(n, addr("192.0.2.2"), "other.test", 1), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		cr_assert_eq(names_bind(n, addr("192.0.2.1"), name, 1000 - i % 500), 0);
	}
	cr_expect_eq(names_count(n), NAMES_OF_ADDRESS + 1);
	cr_expect_str_eq(names_of(n, "192.0.2.2", 0), "other.test");
	/* The latest is there although it is the first to end. */
	cr_expect_str_eq(names_next(n, addr("192.0.2.1"), 0, &at), "n999.test");
	names_free(n);
}

Test(names, the_first_to_end_makes_room)
{
	struct names *n = new_names();
	struct addr a = addr("10.0.0.0");
	char text[32];

	/* The one in the middle ends first. */
	for (uint32_t i = 0; i < NAMES_MAX; i++) {
		memcpy(a.bytes, (uint8_t[]){ 10, i >> 16, i >> 8, i }, 4);
		cr_assert_eq(names_bind(n, a, "x.test", i == 12345 ? 5 : 1000 + i % 777), 0);
	}
	cr_expect_str_eq(names_of(n, "10.0.48.57", 0), "x.test");
	cr_expect_eq(names_bind(n, addr("192.0.2.1"), "new.test", 900), 0);
	cr_expect_eq(names_count(n), NAMES_MAX);
	cr_expect_str_eq(names_of(n, "10.0.48.57", 0), "");
	cr_expect_str_eq(names_of(n, "192.0.2.1", 0), "new.test");
	/* And that is the next one. */
	cr_expect_eq(names_bind(n, addr("192.0.2.2"), "newer.test", 2000), 0);
	cr_expect_str_eq(names_of(n, "192.0.2.1", 0), "");
	for (uint32_t i = 0; i < NAMES_MAX; i += 997) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		if (i != 12345)
			cr_expect_str_eq(names_of(n, text, 0), "x.test", "%s", text);
	}
	names_free(n);
}

/* What the table gives up a copy still has, whichever of two goes first. */
Test(names, a_copy_stays_as_it_was)
{
	struct names *n = new_names(), *one, *two;
	char name[32];

	for (int i = 0; i < NAMES_OF_ADDRESS; i++) {
		snprintf(name, sizeof(name), "old%d.test", i);
		cr_assert_eq(names_bind(n, addr("192.0.2.1"), name, 100), 0);
	}
	one = names_copy(n);
	cr_assert(one);
	for (int i = 0; i < NAMES_OF_ADDRESS; i++) {
		snprintf(name, sizeof(name), "new%d.test", i);
		cr_assert_eq(names_bind(n, addr("192.0.2.1"), name, 200), 0);
	}
	two = names_copy(n);
	cr_assert(two);
	names_bind(n, addr("192.0.2.1"), "last.test", 300);
	cr_expect(strstr(names_of(one, "192.0.2.1", 0), "old0.test"));
	cr_expect_not(strstr(names_of(one, "192.0.2.1", 0), "new"));
	names_free(one);
	cr_expect(strstr(names_of(two, "192.0.2.1", 0), "new0.test"));
	cr_expect_not(strstr(names_of(two, "192.0.2.1", 0), "old"));
	cr_expect_not(strstr(names_of(two, "192.0.2.1", 0), "last"));
	cr_expect(strstr(names_of(n, "192.0.2.1", 0), "last.test"));
	names_free(two);
	names_free(n);
}
