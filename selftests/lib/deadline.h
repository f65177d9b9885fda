/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something without waiting for ever.
 */
#ifndef SANDTOP_SELFTESTS_LIB_DEADLINE_H
#define SANDTOP_SELFTESTS_LIB_DEADLINE_H

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

#endif
