/* SPDX-License-Identifier: MIT */
#include "core/outbound.h"

#include <criterion/criterion.h>

static struct outbound o;

static void enter(void)
{
	cr_assert_eq(outbound_init(&o), 0);
}

static void leave(void)
{
	outbound_exit(&o);
}

TestSuite(outbound, .init = enter, .fini = leave);

static void fill(uint64_t first)
{
	for (uint64_t c = first; c < first + OUTBOUND_MAX - 1; c++)
		cr_assert_not(outbound_add(&o, c));
	cr_assert_not(outbound_add(&o, first), "it is there already");
}

Test(outbound, what_was_added_is_there_and_nothing_else)
{
	fill(1000);
	cr_assert(outbound_has(&o, 1000));
	cr_assert(outbound_has(&o, 1000 + OUTBOUND_MAX - 2));
	cr_assert_not(outbound_has(&o, 999));
	cr_assert_not(outbound_has(&o, 1000 + OUTBOUND_MAX - 1));
}

Test(outbound, a_full_table_is_set_aside_and_what_is_open_kept)
{
	const uint64_t open[] = { 5, 7, 99999999 };

	fill(1);
	cr_assert(outbound_add(&o, OUTBOUND_MAX));
	cr_assert(outbound_has(&o, 5), "until it is known which are open");
	cr_assert(outbound_has(&o, 6));
	outbound_keep(&o, open, 3);
	cr_assert(outbound_has(&o, 5));
	cr_assert(outbound_has(&o, 7));
	cr_assert_not(outbound_has(&o, 6));
	cr_assert_not(outbound_has(&o, 99999999), "it was never added");

	/* And it can be filled again. */
	for (uint64_t c = 1 << 20; c < (1 << 20) + OUTBOUND_MAX - 3; c++)
		cr_assert_not(outbound_add(&o, c));
	cr_assert(outbound_add(&o, 1 << 30));
	cr_assert(outbound_has(&o, 5));
}

Test(outbound, after_an_overflow_every_socket_counts)
{
	fill(1);
	cr_assert(outbound_add(&o, OUTBOUND_MAX));
	for (uint64_t c = 1 << 20; c < (1 << 20) + OUTBOUND_MAX; c++)
		cr_assert_not(outbound_add(&o, c));
	cr_assert_not(outbound_has(&o, 3 << 20));
	outbound_add(&o, 2 << 20);
	cr_assert(outbound_has(&o, 2 << 20));
	cr_assert(outbound_has(&o, 3 << 20), "it may be one that had no room");
}
