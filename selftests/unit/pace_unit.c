/* SPDX-License-Identifier: MIT */
#include "tui/pace.h"

#include <criterion/criterion.h>

#define MICROSECOND UINT64_C(1000)

Test(pace, what_costs_more_is_done_less_often)
{
	static const struct {
		uint64_t cost_us, wait_ms;
	} rows[] = { { 0, 100 },    { 999, 100 },  { 1500, 150 },
		     { 2500, 250 }, { 3000, 300 }, { 90000, 300 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(pace_wait(rows[i].cost_us * MICROSECOND),
			     rows[i].wait_ms * 1000 * MICROSECOND, "%zu us",
			     (size_t)rows[i].cost_us);
}

Test(pace, time_is_counted_once)
{
	uint64_t first, second;

	for (volatile int i = 0; i < 50000000; i++)
		;
	first = pace_spent();
	second = pace_spent();
	cr_expect_gt(first, second);
	cr_expect_gt(first, 1000 * MICROSECOND);
}
