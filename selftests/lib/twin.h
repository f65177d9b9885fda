/* SPDX-License-Identifier: MIT */
/*
 * One program run twice, without sandtop and under it, and its two transcripts
 * compared: what is permitted must behave as if nobody watched.
 */
#ifndef SANDTOP_SELFTESTS_LIB_TWIN_H
#define SANDTOP_SELFTESTS_LIB_TWIN_H

#include "selftests/lib/sandbox.h"

struct twin {
	struct sandbox native, sandboxed;
};

/*
 * Run argv natively, then with these options of sandtop. The exit status of both
 * and every line of stdout must be the same, except lines that begin with "# ",
 * which are logged side by side; a difference fails the test.
 */
void twin_run(struct twin *t, const char *const options[], const char *const argv[]);

/* The same, at once: for programs that mostly wait, and that share nothing, such as a port. */
void twin_run_at_once(struct twin *t, const char *const options[], const char *const argv[]);

/* Nothing is done to one that is all zero. */
void twin_free(struct twin *t);

#endif
