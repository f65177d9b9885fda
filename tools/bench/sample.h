/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_BENCH_SAMPLE_H
#define SANDTOP_BENCH_SAMPLE_H

#include <stddef.h>

/* What one run of a client measured. */
struct sample {
	double value; /* in the unit of the row */
	double base;  /* for rows that compare within a run: what with; else 0 */
};

/* CLOCK_MONOTONIC in nanoseconds. */
double sample_now(void);

/* The value below which `percent` of the `n` > 0 values lie. Sorts them. */
double sample_percentile(double *values, size_t n, double percent);

static inline double sample_median(double *values, size_t n)
{
	return sample_percentile(values, n, 50);
}

#endif
