/* SPDX-License-Identifier: MIT */
#include "tui/rate.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

/* The oldest reading that is not much older than a second. */
static uint64_t base_of(const struct rate *r, uint64_t at)
{
	uint64_t i = r->count > RATE_READINGS ? r->count - RATE_READINGS : 0;

	while (i + 1 < r->count && at - r->readings[i % RATE_READINGS].at > SECOND * 21 / 20)
		i++;
	return i % RATE_READINGS;
}

static void shift_history(struct rate *r, uint64_t seconds)
{
	while (seconds-- > 0) {
		memmove(r->history, r->history + 1, sizeof(r->history) - sizeof(*r->history));
		r->history[RATE_HISTORY - 1] = 0;
	}
}

void rate_add(struct rate *r, uint64_t at, uint64_t total)
{
	uint64_t second = at / SECOND;
	uint64_t base = base_of(r, at), span;

	if (r->count > 0) {
		span = at - r->readings[base].at;
		/* A burst in a tenth of a second is no rate of a second. */
		if (span < SECOND * 9 / 10)
			span = SECOND;
		/* Rounded: one a second would be none in a little more than a second. */
		r->now = ((total - r->readings[base].total) * SECOND + span / 2) / span;
	}
	if (r->now > r->peak)
		r->peak = r->now;
	if (r->count > 0 && second > r->second)
		shift_history(r, second - r->second < RATE_HISTORY ? second - r->second
								   : RATE_HISTORY);
	r->second = second;
	if (r->now > r->history[RATE_HISTORY - 1])
		r->history[RATE_HISTORY - 1] = r->now;
	r->readings[r->count % RATE_READINGS].at = at;
	r->readings[r->count % RATE_READINGS].total = total;
	r->count++;
}
