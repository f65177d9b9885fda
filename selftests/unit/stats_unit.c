/* SPDX-License-Identifier: MIT */
#include "core/stats.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct histogram histogram;

Test(stats, every_counter_has_a_name_of_its_own)
{
	int i, j;

	for (i = 0; i < STAT_COUNT; i++) {
		cr_assert_not_null(stats_name(i), "counter %d", i);
		cr_assert_not_null(stats_label(i), "counter %d", i);
		cr_assert_eq(strspn(stats_name(i), "abcdefghijklmnopqrstuvwxyz_"),
			     strlen(stats_name(i)));
		for (j = 0; j < i; j++)
			cr_assert_str_neq(stats_name(i), stats_name(j));
	}
}

Test(stats, counters_add_and_peaks_rise)
{
	struct stats s = { 0 };

	stats_add(&s, STAT_BATCHES, 2);
	stats_add(&s, STAT_BATCHES, 3);
	stats_peak(&s, STAT_BATCH_PEAK, 7);
	stats_peak(&s, STAT_BATCH_PEAK, 4);
	cr_assert_eq(s.counter[STAT_BATCHES], 5);
	cr_assert_eq(s.counter[STAT_BATCH_PEAK], 7);
}

Test(stats, an_empty_histogram_is_zero)
{
	cr_assert_eq(histogram_percentile(&histogram, 50), 0);
	cr_assert_eq(histogram_percentile(&histogram, 100), 0);
}

Test(stats, percentiles_are_exact_to_a_sixteenth)
{
	static const double percents[] = { 0.1, 1, 10, 50, 90, 99, 99.9 };
	uint64_t ns, exact, seen;
	size_t i;

	for (ns = 1; ns <= 100000; ns++)
		histogram_record(&histogram, ns * 1000);
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		exact = (uint64_t)(percents[i] * 1e6);
		seen = histogram_percentile(&histogram, percents[i]);
		cr_assert(seen >= exact && seen <= exact + exact / 16 + 1, "p%g: %ju, not %ju",
			  percents[i], (uintmax_t)seen, (uintmax_t)exact);
	}
	cr_assert_eq(histogram_percentile(&histogram, 100), 100000000);
	cr_assert_eq(histogram.count, 100000);
	cr_assert_eq(histogram.sum, 5000050000000);
}

Test(stats, each_time_alone_is_its_own_percentile)
{
	uint64_t ns;
	unsigned int shift;

	for (shift = 0; shift < 64; shift++) {
		ns = UINT64_C(1) << shift;
		histogram = (struct histogram){ 0 };
		histogram_record(&histogram, ns - 1);
		cr_assert_eq(histogram_percentile(&histogram, 50), ns - 1);
		histogram_record(&histogram, ns);
		cr_assert_eq(histogram_percentile(&histogram, 100), ns);
	}
	histogram_record(&histogram, UINT64_MAX);
	cr_assert_eq(histogram_percentile(&histogram, 100), UINT64_MAX);
}

Test(stats, the_text_names_every_counter_and_is_aligned)
{
	struct stats s = { 0 };
	char *text, *line, *save;
	size_t size, lines = 0;
	FILE *f = open_memstream(&text, &size);
	int i;

	cr_assert_not_null(f);
	stats_add(&s, STAT_NOTIFICATIONS, 10);
	stats_add(&s, STAT_BATCHES, 4);
	histogram_record(&s.latency, 12340);
	stats_print(&s, f);
	fclose(f);

	for (i = 0; i < STAT_COUNT; i++)
		cr_assert_not_null(strstr(text, stats_label(i)), "%s", stats_label(i));
	cr_assert_not_null(strstr(text, "mean batch                       2.50\n"), "%s", text);
	cr_assert_not_null(strstr(text, "latency p50 (us)                 12.3\n"), "%s", text);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (lines++ > 0)
			cr_assert_eq(strlen(line), 39, "'%s'", line);
	cr_assert_eq(lines, STAT_COUNT + 1 + 1 + 4);
	free(text);
}

Test(stats, decisions_are_counted_by_verdict_and_protocol)
{
	static struct stats s;

	stats_decision(&s, VERDICT_ALLOW, PROTO_TCP);
	stats_decision(&s, VERDICT_DENY, PROTO_TCP);
	stats_decision(&s, VERDICT_DENY, PROTO_UNIX);
	stats_decision(&s, VERDICT_ASK, PROTO_UDP);
	cr_assert_eq(s.decided[VERDICT_ALLOW][PROTO_TCP], 1);
	cr_assert_eq(s.decided[VERDICT_DENY][PROTO_TCP], 1);
	cr_assert_eq(s.decided[VERDICT_DENY][PROTO_UNIX], 1);
	cr_assert_eq(s.decided[VERDICT_ASK][PROTO_UDP], 1);
	cr_assert_eq(s.counter[STAT_ALLOWED], 1);
	cr_assert_eq(s.counter[STAT_DENIED], 2);
}

Test(stats, times_below_a_power_of_two_are_counted_exactly)
{
	static struct histogram h;
	unsigned int i;

	for (i = 0; i < 63; i++) {
		histogram_record(&h, (1ULL << i) - 1);
		histogram_record(&h, 1ULL << i);
	}
	/* 0 and 1, then two of each octave. */
	for (i = 1; i < STATS_OCTAVES; i++)
		cr_assert_eq(histogram_below(&h, i), 2 * i + 1, "%u: %ju", i,
			     (uintmax_t)histogram_below(&h, i));
	cr_assert_eq(histogram_below(&h, STATS_OCTAVES), 126);
	cr_assert_eq(histogram_below(&h, 63), 126);
}
