/* SPDX-License-Identifier: MIT */
#include "core/metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char text[METRICS_TEXT_MAX];

static struct ledger_head head(void)
{
	return (struct ledger_head){
		.name = "npm-7",
		.start = 1769903999123456789,
		.generation = 3,
		.held = 2,
		.evicted = { .rows = 5 },
	};
}

/* The value of a sample as it is written; NULL if there is none. */
static const char *sample(const char *name)
{
	static char value[64];
	const char *at = text;
	size_t len = strlen(name);

	for (; (at = strstr(at, name)); at++) {
		if (at != text && at[-1] != '\n')
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + len + 1, "\n"),
			 at + len + 1);
		return value;
	}
	return NULL;
}

Test(metrics, say_what_the_ledger_says)
{
	struct ledger_head h = head();

	stats_decision(&h.stats, VERDICT_DENY, PROTO_UDP);
	stats_decision(&h.stats, VERDICT_DENY, PROTO_UDP);
	stats_decision(&h.stats, VERDICT_ASK, PROTO_TCP);
	stats_add(&h.stats, STAT_LINES_LOST, 7);
	stats_add(&h.stats, STAT_NOTIFICATIONS, 8);
	stats_add(&h.stats, STAT_ERRORS, 9);
	cr_assert_eq(metrics_text(&h, text), strlen(text));
	cr_assert_str_eq(sample("sandtop_start_time_seconds{sandbox=\"npm-7\"}"),
			 "1769903999.123456789");
	cr_assert_str_eq(sample("sandtop_policy_generation{sandbox=\"npm-7\"}"), "3");
	cr_assert_str_eq(sample("sandtop_held{sandbox=\"npm-7\"}"), "2");
	cr_assert_str_eq(sample("sandtop_flows_evicted_total{sandbox=\"npm-7\"}"), "5");
	cr_assert_str_eq(sample("sandtop_log_lines_lost_total{sandbox=\"npm-7\"}"), "7");
	cr_assert_str_eq(sample("sandtop_notifications_total{sandbox=\"npm-7\"}"), "8");
	cr_assert_str_eq(sample("sandtop_errors_total{sandbox=\"npm-7\"}"), "9");
	cr_assert_str_eq(
		sample("sandtop_decisions_total{sandbox=\"npm-7\",verdict=\"deny\",proto=\"udp\"}"),
		"2");
	cr_assert_str_eq(
		sample("sandtop_decisions_total{sandbox=\"npm-7\",verdict=\"ask\",proto=\"tcp\"}"),
		"1");
	cr_assert_str_eq(sample("sandtop_decisions_total{sandbox=\"npm-7\",verdict=\"allow\",proto="
				"\"dns\"}"),
			 "0");
}

/* Every sample belongs to the family above it, and every family is described once. */
Test(metrics, are_well_formed)
{
	struct ledger_head h = head();
	char family[128] = "", type[32] = "", *line, *rest = text;
	unsigned samples = 0;

	metrics_text(&h, text);
	cr_assert_eq(text[strlen(text) - 1], '\n');
	while ((line = strsep(&rest, "\n")) && *line) {
		char name[128], other[128];

		if (sscanf(line, "# HELP %127s", name) == 1) {
			snprintf(family, sizeof(family), "%s", name);
			line = strsep(&rest, "\n");
			cr_assert_eq(sscanf(line, "# TYPE %127s %31s", other, type), 2);
			cr_assert_str_eq(other, family);
			cr_assert(!strstr(rest, line));
			continue;
		}
		cr_assert_eq(strncmp(line, family, strlen(family)), 0, "%s", line);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "{"), line);
		if (strcmp(type, "histogram") != 0)
			cr_assert_str_eq(name, family);
		if (strcmp(type, "counter") == 0)
			cr_assert_not_null(strstr(name, "_total"));
		line = strstr(line, "} ");
		cr_assert_not_null(line);
		strtod(line + 2, &line);
		cr_assert_eq(*line, '\0');
		samples++;
	}
	cr_assert_gt(samples, 40);
}

Test(metrics, buckets_hold_what_their_bound_says)
{
	struct ledger_head h = head();
	uint64_t count = 0, last = 0;
	const char *at = text;

	histogram_record(&h.stats.latency, 0);
	histogram_record(&h.stats.latency, 1023);
	histogram_record(&h.stats.latency, 1024);
	histogram_record(&h.stats.latency, 8589934591); /* 2^33 - 1 */
	histogram_record(&h.stats.latency, UINT64_MAX / 2);
	metrics_text(&h, text);
	for (; (at = strstr(at, "_bucket{sandbox=\"npm-7\",le=\"")); at++) {
		count = strtoull(strstr(at, "\"} ") + 3, NULL, 10);
		cr_assert_geq(count, last);
		last = count;
	}
	cr_assert_eq(count, 5);
	cr_assert_str_eq(sample("sandtop_answer_latency_seconds_count{sandbox=\"npm-7\"}"), "5");
#define BUCKET(le) sample("sandtop_answer_latency_seconds_bucket{sandbox=\"npm-7\",le=\"" le "\"}")
	cr_assert_str_eq(BUCKET("0.000001023"), "2");
	cr_assert_str_eq(BUCKET("0.000002047"), "3");
	cr_assert_str_eq(BUCKET("4.294967295"), "3");
	cr_assert_str_eq(BUCKET("8.589934591"), "4");
	cr_assert_str_eq(BUCKET("+Inf"), "5");
}

Test(metrics, the_largest_numbers_fit)
{
	struct ledger_head h;

	memset(&h, 0xff, sizeof(h));
	memset(h.name, 'n', sizeof(h.name) - 1);
	h.name[sizeof(h.name) - 1] = '\0';
	cr_assert_lt(metrics_text(&h, text), METRICS_TEXT_MAX);
}
