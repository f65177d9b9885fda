/* SPDX-License-Identifier: MIT */
/*
 * What the command leaves running when it ends. Whoever lost its parent is our
 * child, as we are the subreaper (core/reap.h).
 */
#ifndef SANDTOP_URING_LEFTOVERS_H
#define SANDTOP_URING_LEFTOVERS_H

#include <stdbool.h>

#include "uring/report.h"

/* Whether any process of the sandbox is left. May reap one of them that has ended. */
bool leftovers_exist(void);

/*
 * Kill them all, and wait until they are gone; with `tell` say which they were. Those that no file
 * system answers are told of in any case.
 */
void leftovers_kill(struct report *r, bool tell);

#endif
