/* SPDX-License-Identifier: MIT */
/*
 * The filter plan: which system calls are trapped, answered by the filter
 * itself, or left alone. The plan is a table; the text for people and the BPF
 * programs of filter.h are made from the same rows.
 */
#ifndef SANDTOP_CORE_PLAN_H
#define SANDTOP_CORE_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum plan_mode {
	PLAN_SUPERVISED, /* what needs a decision is trapped (SECCOMP_RET_USER_NOTIF) */
	PLAN_STATIC,     /* nobody answers traps: what Landlock does not cover is refused */
	PLAN_MODES,
};

enum {
	PLAN_TESTS_MAX = 3,
	PLAN_VALUES_MAX = 4,
	PLAN_FOREIGN = -1, /* the row of calls by the entry of another architecture */
};

/* What must hold for one argument. */
struct plan_test {
	enum {
		PLAN_END,     /* no more tests */
		PLAN_IN,      /* int: under the mask it is one of the values */
		PLAN_NOT_IN,  /* int: under the mask it is none of the values */
		PLAN_NONZERO, /* pointer or long */
		PLAN_ZERO,    /* pointer or long */
	} kind;
	unsigned int arg;
	uint32_t mask;
	unsigned int count;
	uint32_t value[PLAN_VALUES_MAX];
};

struct plan_row {
	const char *call;
	int nr; /* or PLAN_FOREIGN */
	struct plan_test test[PLAN_TESTS_MAX];
	const char *when;
	uint32_t answer[PLAN_MODES]; /* SECCOMP_RET_ALLOW: no such row in this mode */
	const char *why;
};

extern const struct plan_row plan_rows[];
extern const size_t n_plan_rows;

/* Write the plan for people, one row a line: CALL<TAB>CONDITION<TAB>ANSWER<TAB>WHY. */
void plan_print(enum plan_mode mode, FILE *out);

#endif
