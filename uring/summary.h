/* SPDX-License-Identifier: MIT */
/*
 * What is said on stderr when a run has ended: what was denied, and how to allow it.
 */
#ifndef SANDTOP_URING_SUMMARY_H
#define SANDTOP_URING_SUMMARY_H

#include "uring/report.h"

/*
 * For the flows that were denied most often, the option that would allow each. The operator of a
 * monitored run has seen no line about them, so there the numbers and the flows come first. Nothing
 * is said of a run in which nothing was decided.
 */
void summary_print(struct report *r);

#endif
