/* SPDX-License-Identifier: MIT */
/*
 * One run of a client: natively, or under a program that supervises it.
 */
#ifndef SANDTOP_BENCH_RUN_H
#define SANDTOP_BENCH_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/bench/row.h"

enum { RUN_PREFIX_MAX = 64 };

/* What stands in front of the client's command: nothing, or a sandbox with its options. */
struct run_prefix {
	const char *name; /* of the column */
	const char *word[RUN_PREFIX_MAX];
	int words;
};

/* Print a sample, for run_row() of another process to read. */
void run_print(const struct row *row, const struct sample *s);

/*
 * Run a row once, pinned to one CPU or not. Returns true with *out set, or false with the user
 * told. `self` is the path of this program.
 */
bool run_row(const char *self, const struct run_prefix *prefix, const struct row *row,
	     unsigned count, bool pinned, struct sample *out);

/* What a run is made of, for watched.c. */

/* Have this process, and what it starts, run on one CPU. */
void run_pin(void);

/*
 * Start a command that is NULL-terminated, with `in` for its stdin (-1: this process's) and `out`
 * for its stdout. Returns the child, or -1 with the user told.
 */
pid_t run_spawn(const struct run_prefix *prefix, const char *const *command, bool pinned, int in,
		int out);

/* Wait for the child. Returns whether it ended well; if not, the user is told. */
bool run_reap(pid_t pid, const char *column, const char *row);

/* Find what run_print() has printed in a command's output. */
bool run_parse(const struct row *row, const char *output, struct sample *out);

#endif
