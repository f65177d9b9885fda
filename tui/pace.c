/* SPDX-License-Identifier: MIT */
#include "tui/pace.h"

#include <time.h>

#define MILLISECOND UINT64_C(1000000)

enum {
	LEAST = 100, /* ms between two looks */
	MOST = 300,  /* the same when there is much to see: one still sees it move */
	SHARE = 100, /* as many times as long as a look takes, nothing is looked at */
};

uint64_t pace_wait(uint64_t cost)
{
	if (cost * SHARE < LEAST * MILLISECOND)
		return LEAST * MILLISECOND;
	return cost * SHARE < MOST * MILLISECOND ? cost * SHARE : MOST * MILLISECOND;
}

uint64_t pace_spent(void)
{
	static uint64_t before;
	struct timespec ts;
	uint64_t now, spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	now = (uint64_t)ts.tv_sec * 1000 * MILLISECOND + (uint64_t)ts.tv_nsec;
	spent = now - before;
	before = now;
	return spent;
}
