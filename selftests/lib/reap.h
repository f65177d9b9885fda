/* SPDX-License-Identifier: MIT */
/*
 * No process outlives the test that started it.
 */
#ifndef SANDTOP_SELFTESTS_LIB_REAP_H
#define SANDTOP_SELFTESTS_LIB_REAP_H

/*
 * Make this process the one that orphaned descendants are handed to, so that
 * reap_all() reaches them. Returns 0 or -errno.
 */
int reap_init(void);

/* Kill and collect every descendant of this process; returns when none is left. */
void reap_all(void);

#endif
