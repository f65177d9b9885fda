/* SPDX-License-Identifier: MIT */
/*
 * What the engine counts, and how long its answers take.
 *
 * The counters are one table: a new one is a line of the list below, and
 * whoever prints or exports them goes from 0 to STAT_COUNT.
 */
#ifndef SANDTOP_CORE_STATS_H
#define SANDTOP_CORE_STATS_H

#include <stdint.h>
#include <stdio.h>

#include "policy/endpoint.h"

enum counter {
	STAT_NOTIFICATIONS, /* received from the listener */
	STAT_BATCHES,       /* wake-ups that received at least one */
	STAT_BATCH_PEAK,    /* the largest batch */
	STAT_DIRECT_WAITS,  /* for a notification itself, not for the ring */
	STAT_STALE,         /* the task was gone before the answer */
	STAT_ALLOWED,
	STAT_DENIED,
	STAT_ERRORS,    /* denied for want of a decision, or with the kernel's errno */
	STAT_CONTINUED, /* handed back for the kernel to perform */
	STAT_CONNECT,   /* performed on behalf */
	STAT_SENDTO,
	STAT_SENDMSG,
	STAT_SENDMMSG,
	STAT_BIND,
	STAT_LISTEN,
	STAT_RING_SUBMITTED, /* operations handed to the ring */
	STAT_RING_ENTERED,   /* system calls that submitted or waited */
	STAT_RING_COMPLETED,
	STAT_POLL_REARMED, /* a multishot poll that had ended */
	STAT_CANCELLED,
	STAT_INFLIGHT_PEAK, /* the most requests that waited for the ring at once */
	STAT_HELD,          /* asked of the operator */
	STAT_LINES_LOST,    /* log lines dropped for want of room or after a failed write */
	STAT_COUNT,
};

/*
 * A histogram of nanoseconds. Each power of two is divided into
 * STATS_SUBBUCKETS equal buckets, so a percentile is at most 1/16 too high;
 * times over 2^STATS_OCTAVES ns (73 minutes) share the last one.
 */
enum {
	STATS_SUBBUCKETS = 16,
	STATS_OCTAVES = 42,
	STATS_BUCKETS = (STATS_OCTAVES - 3) * STATS_SUBBUCKETS,
};

struct histogram {
	uint64_t count, sum, max;
	uint64_t bucket[STATS_BUCKETS];
};

/* Zeroed is empty. One process changes it; others may read single numbers meanwhile (shared.h). */
struct stats {
	uint64_t counter[STAT_COUNT];
	uint64_t decided[VERDICT_COUNT][PROTO_COUNT];
	struct histogram latency; /* from the receipt of a notification to its answer */
};

/* The name of a counter for machines ("ring_submitted") and for people ("ring submissions"). */
const char *stats_name(enum counter s);
const char *stats_label(enum counter s);

/* Add to a counter; raise a *_PEAK to at least `n`. */
void stats_add(struct stats *s, enum counter which, uint64_t n);
void stats_peak(struct stats *s, enum counter which, uint64_t n);

/* Count a decision: by verdict and protocol, and the allowed and the denied in all. */
void stats_decision(struct stats *s, enum verdict verdict, enum proto proto);

void histogram_record(struct histogram *h, uint64_t ns);

/* How many of the recorded times are below 2^octave ns; all of them with STATS_OCTAVES and more. */
uint64_t histogram_below(const struct histogram *h, unsigned int octave);

/*
 * The time that `percent` (0 to 100) of the recorded ones do not exceed, in
 * nanoseconds, never over the largest one; 0 if nothing was recorded.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/* Every counter and the latency percentiles (microseconds) as aligned text, for --stats. */
void stats_print(const struct stats *s, FILE *f);

#endif
