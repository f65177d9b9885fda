/* SPDX-License-Identifier: MIT */
/*
 * How fast a counter grows, from its readings at known times.
 */
#ifndef SANDTOP_TUI_RATE_H
#define SANDTOP_TUI_RATE_H

#include <stdint.h>

enum {
	RATE_READINGS = 16, /* enough for a second */
	RATE_HISTORY = 24,  /* seconds */
};

struct rate {
	struct {
		uint64_t at, total;
	} readings[RATE_READINGS];      /* a ring */
	uint64_t count;                 /* readings ever taken */
	uint64_t now, peak;             /* a second */
	uint64_t second;                /* of the newest entry of the history */
	uint64_t history[RATE_HISTORY]; /* a second each, the oldest first */
};

/*
 * Take a reading at the time `at` (nanoseconds, never backwards). Zeroed is without any; what was
 * counted before the first one is no part of a rate. The rate is that of about the last second.
 */
void rate_add(struct rate *r, uint64_t at, uint64_t total);

#endif
