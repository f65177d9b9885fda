/* SPDX-License-Identifier: MIT */
/*
 * What was measured, and how it is shown.
 */
#ifndef SANDTOP_BENCH_TABLE_H
#define SANDTOP_BENCH_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/bench/row.h"

enum table_column { TABLE_NATIVE, TABLE_SUPERVISED, TABLE_PEER, TABLE_COLUMNS };

/* Everything pinned to one CPU, or on any that the driver may use. */
enum table_cpus { TABLE_ONE_CPU, TABLE_ANY_CPU, TABLE_CPUS };

enum { TABLE_ROUNDS_MAX = 99 };

/* One figure: a sample from each round that measured it. */
struct table_cell {
	unsigned tried, n; /* n < tried: it could not be measured */
	struct sample round[TABLE_ROUNDS_MAX];
};

struct table_line {
	const struct row *row;
	struct table_cell cell[TABLE_CPUS][TABLE_COLUMNS];
};

struct table {
	unsigned rounds;
	bool quick;
	const char *peer; /* as the user wrote it, or NULL */
	struct table_cell floor[TABLE_CPUS];
	struct table_line *line;
	size_t lines;
};

/* Medians for people. */
void table_print(const struct table *t, FILE *f);

/* Every sample, and what follows from them, as one JSON object. Documentation/performance.rst. */
void table_json(const struct table *t, FILE *f);

#endif
