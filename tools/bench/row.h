/* SPDX-License-Identifier: MIT */
/*
 * The rows of the table: what is measured, how often, and what to reach.
 */
#ifndef SANDTOP_BENCH_ROW_H
#define SANDTOP_BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/bench/sample.h"

/* How the result of a row is made from its samples. */
enum row_kind {
	ROW_RATIO,       /* supervised over native */
	ROW_FLOORS,      /* supervised minus native, in F */
	ROW_STARTUP,     /* supervised minus native, in ms */
	ROW_RATE,        /* base over value of the supervised runs: a rate, more is better */
	ROW_TAIL,        /* value over base of the supervised runs */
	ROW_PROGRAM,     /* native over supervised: the rate that a program keeps */
	ROW_WATCHED,     /* value over base of the supervised runs, of which watched.c makes both */
	ROW_MEMORY,      /* value of the supervised runs, KiB in MiB */
	ROW_KIB,         /* the same, as it is */
	ROW_DESCRIPTORS, /* the same, as it is */
};

struct row {
	const char *name;
	enum row_kind kind;
	double target;
	unsigned count;  /* repetitions in one run, what of is for the client to say */
	unsigned rounds; /* at most so many, 0 = all; with 1 not pinned either: it takes too long */

	/*
	 * Measures in this process; ends it with a message if that cannot be done. NULL of
	 * ROW_STARTUP, which run.c measures, and of ROW_PROGRAM, which tools/bench/programs does.
	 */
	void (*client)(const struct row *row, unsigned count, struct sample *out);
};

extern const struct row rows[];
extern const size_t row_count;

/* The floor; not in rows[], every round begins with it. value: a trapped call, base: a bare one. */
extern const struct row row_floor;

/* Also finds row_floor. NULL if there is no such row. */
const struct row *row_find(const char *name);

/* Whether the row says something of a run without a supervisor. */
bool row_has_native(const struct row *row);

/* The result in the unit of the row's target. `floor` is F in ns. */
double row_result(const struct row *row, double native, const struct sample *supervised,
		  double floor);

/* Whether the result is to be at least the target, and not at most. */
bool row_wants_more(const struct row *row);

bool row_met(const struct row *row, double result);

#endif
