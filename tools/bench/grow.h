/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor holds, and whether requests make it hold more. It is taken to be the parent
 * of this process.
 */
#ifndef SANDTOP_BENCH_GROW_H
#define SANDTOP_BENCH_GROW_H

#include "tools/bench/row.h"

/* Resident memory of this process's parent, in KiB. */
double grow_parent_memory(void);

/* By how much `count` requests of all kinds increase the parent's resident memory, in KiB. */
void grow_memory(const struct row *row, unsigned count, struct sample *out);

/* The same of its descriptors. */
void grow_descriptors(const struct row *row, unsigned count, struct sample *out);

/*
 * Make such requests for that long and print every ten seconds what the parent holds, at the end
 * "answered N", their number, and what it has grown by. Returns 0, or 1 if it has grown; an answer
 * that is wrong ends the process.
 */
int grow_soak(unsigned seconds);

#endif
