/* SPDX-License-Identifier: MIT */
/*
 * A run at which a monitor comes to look, on a terminal that is read at once.
 */
#ifndef SANDTOP_BENCH_WATCHED_H
#define SANDTOP_BENCH_WATCHED_H

#include "tools/bench/run.h"

/* As run_row(), of a row whose client is task_watched(), behind a sandtop. */
bool watched_run(const char *self, const struct run_prefix *prefix, const struct row *row,
		 unsigned count, bool pinned, struct sample *out);

#endif
