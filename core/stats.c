/* SPDX-License-Identifier: MIT */
#include "core/stats.h"

#include <inttypes.h>

#include "core/shared.h"

static const struct {
	const char *name, *label;
} stat_names[STAT_COUNT] = {
	[STAT_NOTIFICATIONS] = { "notifications", "notifications" },
	[STAT_BATCHES] = { "batches", "batches" },
	[STAT_BATCH_PEAK] = { "batch_peak", "largest batch" },
	[STAT_DIRECT_WAITS] = { "direct_waits", "waits for a call itself" },
	[STAT_STALE] = { "stale", "gone before the answer" },
	[STAT_ALLOWED] = { "allowed", "allowed" },
	[STAT_DENIED] = { "denied", "denied" },
	[STAT_ERRORS] = { "errors", "failed undecided" },
	[STAT_CONTINUED] = { "continued", "continued in the kernel" },
	[STAT_CONNECT] = { "on_behalf_connect", "on behalf: connect" },
	[STAT_SENDTO] = { "on_behalf_sendto", "on behalf: sendto" },
	[STAT_SENDMSG] = { "on_behalf_sendmsg", "on behalf: sendmsg" },
	[STAT_SENDMMSG] = { "on_behalf_sendmmsg", "on behalf: sendmmsg" },
	[STAT_BIND] = { "on_behalf_bind", "on behalf: bind" },
	[STAT_LISTEN] = { "on_behalf_listen", "on behalf: listen" },
	[STAT_RING_SUBMITTED] = { "ring_submitted", "ring submissions" },
	[STAT_RING_ENTERED] = { "ring_entered", "ring system calls" },
	[STAT_RING_COMPLETED] = { "ring_completed", "ring completions" },
	[STAT_POLL_REARMED] = { "poll_rearmed", "polls re-armed" },
	[STAT_CANCELLED] = { "cancelled", "cancelled" },
	[STAT_INFLIGHT_PEAK] = { "inflight_peak", "most in flight" },
	[STAT_HELD] = { "held", "held for an answer" },
	[STAT_LINES_LOST] = { "lines_lost", "log lines lost" },
};

const char *stats_name(enum counter s)
{
	return stat_names[s].name;
}

const char *stats_label(enum counter s)
{
	return stat_names[s].label;
}

void stats_add(struct stats *s, enum counter which, uint64_t n)
{
	shared_store(s->counter[which], s->counter[which] + n);
}

void stats_peak(struct stats *s, enum counter which, uint64_t n)
{
	if (s->counter[which] < n)
		shared_store(s->counter[which], n);
}

void stats_decision(struct stats *s, enum verdict verdict, enum proto proto)
{
	uint64_t *decided = &s->decided[verdict][proto];

	shared_store(*decided, *decided + 1);
	if (verdict == VERDICT_ALLOW)
		stats_add(s, STAT_ALLOWED, 1);
	else if (verdict == VERDICT_DENY)
		stats_add(s, STAT_DENIED, 1);
}

/*
 * Values below STATS_SUBBUCKETS have a bucket each; above, the bucket is the
 * power of two and the four bits that follow the leading one.
 */
static unsigned int bucket_of(uint64_t ns)
{
	unsigned int octave;

	if (ns < STATS_SUBBUCKETS)
		return (unsigned int)ns;
	if (ns >> STATS_OCTAVES)
		return STATS_BUCKETS - 1;
	octave = 63 - (unsigned int)__builtin_clzll(ns);
	return (octave - 4) * STATS_SUBBUCKETS + (unsigned int)(ns >> (octave - 4));
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_last(unsigned int i)
{
	unsigned int shift;

	if (i < 2 * STATS_SUBBUCKETS)
		return i;
	shift = i / STATS_SUBBUCKETS - 1;
	return ((uint64_t)(i % STATS_SUBBUCKETS + STATS_SUBBUCKETS + 1) << shift) - 1;
}

void histogram_record(struct histogram *h, uint64_t ns)
{
	uint64_t *bucket = &h->bucket[bucket_of(ns)];

	shared_store(h->count, h->count + 1);
	shared_store(h->sum, h->sum + ns);
	if (h->max < ns)
		shared_store(h->max, ns);
	shared_store(*bucket, *bucket + 1);
}

uint64_t histogram_below(const struct histogram *h, unsigned int octave)
{
	unsigned int end = octave < STATS_OCTAVES ? bucket_of(1ULL << octave) : STATS_BUCKETS;
	uint64_t count = 0;

	for (unsigned int i = 0; i < end; i++)
		count += h->bucket[i];
	return count;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	double want = (double)h->count * percent / 100;
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < STATS_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen > 0 && (double)seen >= want)
			return bucket_last(i) < h->max ? bucket_last(i) : h->max;
	}
	return h->max;
}

void stats_print(const struct stats *s, FILE *f)
{
	static const struct {
		const char *label;
		double percent;
	} shown[] = { { "latency p50 (us)", 50 },
		      { "latency p90 (us)", 90 },
		      { "latency p99 (us)", 99 },
		      { "latency max (us)", 100 } };
	const struct histogram *h = &s->latency;
	size_t i;

	fprintf(f, "sandtop: statistics\n");
	for (i = 0; i < STAT_COUNT; i++) {
		fprintf(f, "  %-24s %12" PRIu64 "\n", stat_names[i].label, s->counter[i]);
		if (i == STAT_BATCHES && s->counter[i])
			fprintf(f, "  %-24s %12.2f\n", "mean batch",
				(double)s->counter[STAT_NOTIFICATIONS] / (double)s->counter[i]);
	}
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		fprintf(f, "  %-24s %12.1f\n", shown[i].label,
			(double)histogram_percentile(h, shown[i].percent) / 1000);
}
