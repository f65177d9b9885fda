/* SPDX-License-Identifier: MIT */
#include "tools/bench/table.h"

#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* How the figures of each kind of row look. */
static const struct {
	const char *unit; /* of a value */
	double scale;     /* from a sample to it */
	int decimals;
	const char *result_unit;
	int result_decimals;
} kinds[] = {
	[ROW_RATIO] = { "us", 1e-3, 3, "x", 3 },    [ROW_FLOORS] = { "us", 1e-3, 3, "F", 2 },
	[ROW_STARTUP] = { "ms", 1e-6, 3, "ms", 2 }, [ROW_RATE] = { "us", 1e-3, 3, "x", 3 },
	[ROW_TAIL] = { "us", 1e-3, 3, "x", 3 },     [ROW_PROGRAM] = { "us", 1e-3, 3, "x", 3 },
	[ROW_WATCHED] = { "us", 1e-3, 3, "x", 3 },  [ROW_MEMORY] = { "KiB", 1, 0, "MiB", 2 },
	[ROW_KIB] = { "KiB", 1, 0, "KiB", 0 },      [ROW_DESCRIPTORS] = { "fds", 1, 0, "fds", 0 },
};

static const char *const cpus_name[] = { [TABLE_ONE_CPU] = "one", [TABLE_ANY_CPU] = "any" };

static const char *const column_name[] = {
	[TABLE_NATIVE] = "native",
	[TABLE_SUPERVISED] = "supervised",
	[TABLE_PEER] = "peer",
};

/* Medians; NaN without a sample. */
static struct sample median(const struct table_cell *c)
{
	double value[TABLE_ROUNDS_MAX], base[TABLE_ROUNDS_MAX];

	if (!c->n)
		return (struct sample){ NAN, NAN };
	for (unsigned i = 0; i < c->n; i++) {
		value[i] = c->round[i].value;
		base[i] = c->round[i].base;
	}
	return (struct sample){ sample_median(value, c->n), sample_median(base, c->n) };
}

/* F in ns. */
static double floor_of(const struct table *t, enum table_cpus cpus)
{
	struct sample s = median(&t->floor[cpus]);

	return s.value - s.base;
}

/*
 * The unit of every row is F on one CPU, as 04 of the design defines it; NaN if something that it
 * is made of was not measured.
 */
static double result_of(const struct table *t, const struct table_line *l, enum table_cpus cpus,
			enum table_column column)
{
	struct sample supervised = median(&l->cell[cpus][column]);
	struct sample native = median(&l->cell[cpus][TABLE_NATIVE]);

	return row_result(l->row, native.value, &supervised, floor_of(t, TABLE_ONE_CPU));
}

static bool measured(const struct table_line *l, enum table_cpus cpus)
{
	return l->cell[cpus][TABLE_SUPERVISED].tried;
}

static const char *verdict(const struct row *row, double result, const char *met,
			   const char *not_met, const char *unknown)
{
	if (isnan(result))
		return unknown;
	return row_met(row, result) ? met : not_met;
}

static void host_text(const struct table *t, char *out, size_t size)
{
	struct utsname u = { 0 };
	char date[16] = "";
	time_t now = time(NULL);
	cpu_set_t set;

	uname(&u);
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&now));
	snprintf(out, size, "%s %s %s, %d CPUs, %s, median of %u round%s%s", u.sysname, u.release,
		 u.machine, CPU_COUNT(&set), date, t->rounds, t->rounds == 1 ? "" : "s",
		 t->quick ? " (quick)" : "");
}

/* A number and its unit in a column; "-" if there is none. */
static void print_figure(FILE *f, int width, double v, int decimals, const char *unit)
{
	char text[48];

	if (isnan(v))
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), "%.*f %s", decimals, v, unit);
	fprintf(f, "  %*s", width, text);
}

static void print_value(FILE *f, const struct table_line *l, enum table_cpus cpus,
			enum table_column column)
{
	enum row_kind kind = l->row->kind;
	double v = median(&l->cell[cpus][column]).value;

	/* It has no native run: what it is compared with is of more interest than a blank. */
	if (kind == ROW_WATCHED && column == TABLE_NATIVE)
		v = median(&l->cell[cpus][TABLE_SUPERVISED]).base;
	print_figure(f, 11, v * kinds[kind].scale, kinds[kind].decimals, kinds[kind].unit);
}

static void print_line(const struct table *t, const struct table_line *l, enum table_cpus cpus,
		       FILE *f)
{
	double result = result_of(t, l, cpus, TABLE_SUPERVISED);
	enum row_kind kind = l->row->kind;
	char target[48];

	fprintf(f, "%-15s  %-4s", l->row->name, cpus_name[cpus]);
	print_value(f, l, cpus, TABLE_NATIVE);
	print_value(f, l, cpus, TABLE_SUPERVISED);
	print_figure(f, 8, floor_of(t, cpus) / 1e3, 2, "us");
	print_figure(f, 8, result, kinds[kind].result_decimals, kinds[kind].result_unit);
	snprintf(target, sizeof(target), "%s %g %s",
		 row_wants_more(l->row) ? ">=" : "<=", l->row->target, kinds[kind].result_unit);
	fprintf(f, "  %-9s  %7s", target, verdict(l->row, result, "met", "not met", "failed"));
	if (t->peer) {
		print_value(f, l, cpus, TABLE_PEER);
		print_figure(f, 10, result_of(t, l, cpus, TABLE_PEER), kinds[kind].result_decimals,
			     kinds[kind].result_unit);
	}
	fputc('\n', f);
}

void table_print(const struct table *t, FILE *f)
{
	char host[256];

	host_text(t, host, sizeof(host));
	fprintf(f, "%s\n", host);
	if (t->peer)
		fprintf(f, "peer: %s\n", t->peer);
	fprintf(f, "\n%-15s  %-4s  %11s  %11s  %8s  %8s  %-9s  %7s", "row", "CPUs", "native",
		"supervised", "F", "result", "target", "is");
	fprintf(f, t->peer ? "  %11s  %10s\n" : "\n", "peer", "its result");
	for (size_t i = 0; i < t->lines; i++)
		for (int cpus = 0; cpus < TABLE_CPUS; cpus++)
			if (measured(&t->line[i], cpus))
				print_line(t, &t->line[i], cpus, f);
}

static void json_string(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void json_number(FILE *f, const char *key, double v)
{
	if (isnan(v))
		fprintf(f, ", \"%s\": null", key);
	else
		fprintf(f, ", \"%s\": %.6g", key, v);
}

static void json_samples(FILE *f, const char *key, const struct table_cell *c)
{
	fprintf(f, ", \"%s\": [", key);
	for (unsigned i = 0; i < c->n; i++)
		fprintf(f, "%s[%.3f, %.3f]", i ? ", " : "", c->round[i].value, c->round[i].base);
	fputc(']', f);
}

static void json_line(const struct table *t, const struct table_line *l, enum table_cpus cpus,
		      FILE *f)
{
	double result = result_of(t, l, cpus, TABLE_SUPERVISED);
	enum row_kind kind = l->row->kind;

	fprintf(f, "    {\"row\": \"%s\", \"cpus\": \"%s\"", l->row->name, cpus_name[cpus]);
	fprintf(f, ", \"unit\": \"%s\"", kinds[kind].scale < 1 ? "ns" : kinds[kind].unit);
	for (int column = 0; column < TABLE_COLUMNS; column++)
		json_samples(f, column_name[column], &l->cell[cpus][column]);
	json_number(f, "result", result);
	json_number(f, "peer_result", result_of(t, l, cpus, TABLE_PEER));
	fprintf(f, ", \"result_unit\": \"%s\"", kinds[kind].result_unit);
	json_number(f, "target", l->row->target);
	fprintf(f, ", \"met\": %s}", verdict(l->row, result, "true", "false", "null"));
}

void table_json(const struct table *t, FILE *f)
{
	const char *separator = "";
	char host[256];

	host_text(t, host, sizeof(host));
	fputs("{\n  \"v\": 1,\n  \"host\": ", f);
	json_string(f, host);
	fputs(",\n  \"peer\": ", f);
	if (t->peer)
		json_string(f, t->peer);
	else
		fputs("null", f);
	fputs(",\n  \"floor\": {\"unit\": \"ns\"", f);
	for (int cpus = 0; cpus < TABLE_CPUS; cpus++)
		json_samples(f, cpus_name[cpus], &t->floor[cpus]);
	fputs("},\n  \"rows\": [\n", f);
	for (size_t i = 0; i < t->lines; i++) {
		for (int cpus = 0; cpus < TABLE_CPUS; cpus++) {
			if (!measured(&t->line[i], cpus))
				continue;
			fputs(separator, f);
			json_line(t, &t->line[i], cpus, f);
			separator = ",\n";
		}
	}
	fputs("\n  ]\n}\n", f);
}
