/* SPDX-License-Identifier: MIT */
/*
 * A sandbox in which scribe (selftests/scribe.c) makes decisions, step by step.
 */
#ifndef SANDTOP_SELFTESTS_LIB_SCRIBE_H
#define SANDTOP_SELFTESTS_LIB_SCRIBE_H

#include "selftests/lib/command.h"

enum { SCRIBE_PATIENCE = 20000 /* ms */ };

/* Options of sandtop: of the ports from 2000 on the first hundred, the second, and the rest. */
#define SCRIBE_RULES                                                                               \
	"--rule", "allow udp://127.0.0.1:2000-2099", "--rule", "deny udp://127.0.0.1:2100-2199"

/* The number behind `word` in what was said; fails the test if it is not there. */
long scribe_said(const char *text, const char *word);

/* Wait until it has said so. */
void scribe_expect(struct command *c, const char *text);

/* Let it begin, or end. */
void scribe_go_on(struct command *c);

/* Wait for the end of the run, which is to succeed. */
void scribe_finish(struct command *c);

#endif
