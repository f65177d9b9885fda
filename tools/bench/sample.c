/* SPDX-License-Identifier: MIT */
#include "tools/bench/sample.h"

#include <stdlib.h>
#include <time.h>

double sample_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e9 * (double)ts.tv_sec + (double)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double sample_percentile(double *values, size_t n, double percent)
{
	size_t i = (size_t)((double)n * percent / 100);

	qsort(values, n, sizeof(*values), compare);
	return values[i < n ? i : n - 1];
}
