/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_BENCH_FLOOR_H
#define SANDTOP_BENCH_FLOOR_H

#include "tools/bench/row.h"

/*
 * A call that a supervisor receives and lets continue, and the same call bare, in ns: F is the
 * difference. As all clients it runs on the CPUs that it was started on.
 */
void floor_measure(const struct row *row, unsigned count, struct sample *out);

#endif
