/* SPDX-License-Identifier: MIT */
/*
 * The filter plan: which system calls are trapped, answered by the filter
 * itself, or left alone. The plan is a table; the text for people and the BPF
 * program are made from the same rows.
 */
#ifndef SANDTOP_CORE_PLAN_H
#define SANDTOP_CORE_PLAN_H

#include <linux/filter.h>
#include <stdio.h>

enum plan_mode {
	PLAN_SUPERVISED, /* what needs a decision is trapped (SECCOMP_RET_USER_NOTIF) */
	PLAN_STATIC,     /* nobody answers traps: what Landlock does not cover is refused */
};

/* A seccomp program for the native architecture; the two fields are those of struct sock_fprog. */
struct plan_program {
	unsigned short len; /* instructions */
	struct sock_filter *filter;
};

/*
 * Build the program of `mode`. A process may build it for another to load. It
 * never kills for a call by the native entry; one by another architecture's
 * entry (i386, x32) kills the process.
 *
 * Returns 0 with *out to be given to plan_free(). On failure *out is untouched:
 * -EINVAL when seccomp(2) or its user notifications are not to be had here,
 * -ENOMEM, or an errno of memfd_create(2).
 */
int plan_build(enum plan_mode mode, struct plan_program *out);

/*
 * Build the program for the supervisor itself: own_calls.h, all else is ENOSYS. As plan_build().
 */
int plan_build_own(struct plan_program *out);

/* Free what plan_build() allocated and empty *p. An empty program is fine. */
void plan_free(struct plan_program *p);

/* Write the plan for people, one row a line: CALL<TAB>CONDITION<TAB>ANSWER<TAB>WHY. */
void plan_print(enum plan_mode mode, FILE *out);

#endif
