/* SPDX-License-Identifier: MIT */
/*
 * Rows of many tasks at once, and of what the supervisor holds meanwhile.
 */
#ifndef SANDTOP_BENCH_TASK_H
#define SANDTOP_BENCH_TASK_H

#include "tools/bench/row.h"

/* Send `count` datagrams from 8 tasks (value) and from one (base): ns for each of all. */
void task_rate(const struct row *row, unsigned count, struct sample *out);

/* p99 of `count` connects in ns, while 64 other tasks wait in one (value), and alone (base). */
void task_black_hole(const struct row *row, unsigned count, struct sample *out);

/*
 * Resident memory of this process's parent, which is the supervisor under sandtop, in KiB: the
 * highest seen while 64 tasks send `count` datagrams.
 */
void task_memory(const struct row *row, unsigned count, struct sample *out);

/*
 * p99 in ns of a datagram of a task that sends `count` of them, one now and then, while another
 * sends without a pause (value), and alone (base).
 */
void task_fair(const struct row *row, unsigned count, struct sample *out);

/*
 * A percentile in ns, which the row's name says, of `count` datagrams of a task that sends one
 * every 2 ms while another sends 10 000 a second to 4096 addresses: without a monitor (base), and
 * with one (value), which is there when stdin has ended. WATCHED_READY on stdout asks for it.
 */
void task_watched(const struct row *row, unsigned count, struct sample *out);

#define WATCHED_READY "ready for a monitor\n"

#endif
