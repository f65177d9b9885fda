/* SPDX-License-Identifier: MIT */
/*
 * Reading the TAP of one test program and saying it again as nested KTAP
 * (Documentation/dev-tools/ktap.rst): numbered, planned, indented by two.
 */
#ifndef SANDTOP_SELFTESTS_LIB_TAP_H
#define SANDTOP_SELFTESTS_LIB_TAP_H

#include <stdbool.h>

enum { TAP_LINE_MAX = 16384 };

struct tap {
	/* Set by the caller, the rest zeroed. */
	bool unnumbered; /* Criterion: results without numbers, diagnostics after them */
	bool must_run;   /* a skip counts as a failure */

	bool planned;
	unsigned int plan, results;
	unsigned int passed, failed, skipped;
	unsigned int must_run_failed; /* of the failed ones: skips under must_run */
	char skip[512];               /* the reason, if the program was skipped as a whole */
	char problem[512];       /* the first thing that was not TAP as it should be, or empty */
	char held[TAP_LINE_MAX]; /* a result whose diagnostics are still to come */
};

/* Take the next line, without its newline, and print on stdout what it says; modifies it. */
void tap_line(struct tap *t, char *line);

/* The output is complete: what `problem` says from now on is final. */
void tap_end(struct tap *t);

/* Note what is wrong, unless something was already. */
void tap_complain(struct tap *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
