/* SPDX-License-Identifier: MIT */
#include "core/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* The buckets of the histogram end below these powers of two of nanoseconds: 1 us to 8.6 s. */
enum { FIRST_OCTAVE = 10, LAST_OCTAVE = 33 };

struct out {
	char *buf;
	size_t len;
	const char *sandbox; /* its name, which needs no escape */
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(o->buf + o->len, METRICS_TEXT_MAX - o->len, format, ap);
	va_end(ap);
	/* Every part has a bound, and so has their number. */
	assert(n >= 0 && (size_t)n < METRICS_TEXT_MAX - o->len);
	o->len += (size_t)n;
}

static void family(struct out *o, const char *name, const char *type, const char *help)
{
	put(o, "# HELP sandtop_%s %s\n# TYPE sandtop_%s %s\n", name, help, name, type);
}

static void single(struct out *o, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	family(o, name, type, help);
	put(o, "sandtop_%s{sandbox=\"%s\"} %" PRIu64 "\n", name, o->sandbox, value);
}

/* Nanoseconds as seconds: no digit is lost, and the locale has no say. */
static void seconds(struct out *o, const char *name, uint64_t ns)
{
	put(o, "sandtop_%s{sandbox=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n", name, o->sandbox,
	    ns / 1000000000, ns % 1000000000);
}

static void put_decisions(struct out *o, const struct stats *s)
{
	family(o, "decisions_total", "counter", "Decisions by verdict and protocol.");
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		for (unsigned p = 0; p < PROTO_COUNT; p++)
			put(o,
			    "sandtop_decisions_total{sandbox=\"%s\",verdict=\"%s\",proto=\"%s\"} "
			    "%" PRIu64 "\n",
			    o->sandbox, verdict_name(v), proto_name(p), s->decided[v][p]);
}

static void put_bucket(struct out *o, const char *le, uint64_t count)
{
	put(o, "sandtop_answer_latency_seconds_bucket{sandbox=\"%s\",le=\"%s\"} %" PRIu64 "\n",
	    o->sandbox, le, count);
}

static void put_latency(struct out *o, const struct histogram *h)
{
	uint64_t all = histogram_below(h, STATS_OCTAVES);
	char le[32];

	family(o, "answer_latency_seconds", "histogram",
	       "From the receipt of a notification to its answer.");
	for (unsigned i = FIRST_OCTAVE; i <= LAST_OCTAVE; i++) {
		uint64_t last = (1ULL << i) - 1;

		snprintf(le, sizeof(le), "%" PRIu64 ".%09" PRIu64, last / 1000000000,
			 last % 1000000000);
		put_bucket(o, le, histogram_below(h, i));
	}
	put_bucket(o, "+Inf", all);
	seconds(o, "answer_latency_seconds_sum", h->sum);
	put(o, "sandtop_answer_latency_seconds_count{sandbox=\"%s\"} %" PRIu64 "\n", o->sandbox,
	    all);
}

size_t metrics_text(const struct ledger_head *head, char buf[static METRICS_TEXT_MAX])
{
	const uint64_t *counter = head->stats.counter;
	struct out o = { .buf = buf, .sandbox = head->name };

	family(&o, "start_time_seconds", "gauge", "When the run began, since the epoch.");
	seconds(&o, "start_time_seconds", head->start);
	single(&o, "policy_generation", "gauge", "Number of the live policy.", head->generation);
	put_decisions(&o, &head->stats);
	single(&o, "held", "gauge", "Requests that wait for an answer.", head->held);
	single(&o, "notifications_total", "counter", "System calls that were trapped.",
	       counter[STAT_NOTIFICATIONS]);
	single(&o, "errors_total", "counter", "Calls that failed undecided.", counter[STAT_ERRORS]);
	single(&o, "flows_evicted_total", "counter",
	       "Flows that the table has no row for any more.", head->evicted.rows);
	single(&o, "log_lines_lost_total", "counter", "Lines that no log has.",
	       counter[STAT_LINES_LOST]);
	put_latency(&o, &head->stats.latency);
	return o.len;
}
