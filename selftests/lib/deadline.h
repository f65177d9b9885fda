/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something without waiting for ever.
 */
#ifndef SANDTOP_SELFTESTS_LIB_DEADLINE_H
#define SANDTOP_SELFTESTS_LIB_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The moment `ms` milliseconds from now. */
static inline int64_t deadline_in(int ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 + ms;
}

/* Milliseconds until then, 0 if it has passed: what poll(2) wants. */
static inline int deadline_left(int64_t deadline)
{
	int64_t left = deadline - deadline_in(0);

	return left > 0 ? (int)left : 0;
}

/*
 * For what nobody tells of and that must be asked for again: how many calls are held (a sandbox
 * sends no client anything for that, so that no command can make it write), what /proc says of a
 * process that is no child. Waits a moment; returns false once the deadline has passed.
 *
 *	while (!is_there() && deadline_again(deadline))
 *		;
 */
static inline bool deadline_again(int64_t deadline)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };

	if (!deadline_left(deadline))
		return false;
	nanosleep(&moment, NULL);
	return true;
}

#endif
