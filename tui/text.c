/* SPDX-License-Identifier: MIT */
#include "tui/text.h"

#include <inttypes.h>
#include <stdio.h>

#define SECOND UINT64_C(1000000000)

const char *text_count(uint64_t n, char buf[static TEXT_MAX])
{
	static const char units[] = "kMGTPE";
	uint64_t unit = 1000;
	int i = 0;

	if (n < 10000) {
		snprintf(buf, TEXT_MAX, "%" PRIu64, n);
		return buf;
	}
	while (n / unit >= 1000) {
		unit *= 1000;
		i++;
	}
	if (n / unit < 10)
		snprintf(buf, TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%c", n / unit,
			 n % unit / (unit / 10), units[i]);
	else
		snprintf(buf, TEXT_MAX, "%" PRIu64 "%c", n / unit, units[i]);
	return buf;
}

const char *text_age(uint64_t ns, char buf[static TEXT_MAX])
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t seconds = ns / SECOND;

	for (int i = 0; i < 4; i++)
		if (seconds >= units[i].seconds) {
			snprintf(buf, TEXT_MAX, "%" PRIu64 "%c", seconds / units[i].seconds,
				 units[i].unit);
			return buf;
		}
	snprintf(buf, TEXT_MAX, "now");
	return buf;
}

const char *text_uptime(uint64_t ns, char buf[static TEXT_MAX])
{
	uint64_t s = ns / SECOND;

	if (s < 3600)
		snprintf(buf, TEXT_MAX, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, TEXT_MAX, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
			 s / 60 % 60, s % 60);
	else
		snprintf(buf, TEXT_MAX, "%" PRIu64 "d %02" PRIu64 ":%02" PRIu64, s / 86400,
			 s / 3600 % 24, s / 60 % 60);
	return buf;
}

const char *text_latency(uint64_t ns, char buf[static TEXT_MAX])
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} units[] = { { SECOND, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	int i = 0;

	while (i < 3 && ns < units[i].ns)
		i++;
	if (ns / units[i].ns < 10 && units[i].ns > 1000)
		snprintf(buf, TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%s", ns / units[i].ns,
			 ns % units[i].ns / (units[i].ns / 10), units[i].unit);
	else
		snprintf(buf, TEXT_MAX, "%" PRIu64 "%s", ns / units[i].ns, units[i].unit);
	return buf;
}
