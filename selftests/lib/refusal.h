/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_SELFTESTS_LIB_REFUSAL_H
#define SANDTOP_SELFTESTS_LIB_REFUSAL_H

#include "selftests/lib/command.h"

/*
 * sandtop has refused what it was asked: with one line on stderr that has the words (a list that
 * ends with NULL), nothing on stdout, and this exit status. Failures are the test's.
 */
void expect_refusal(struct command *c, int code, const char *const words[]);

#endif
