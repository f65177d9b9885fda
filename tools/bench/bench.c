/* SPDX-License-Identifier: MIT */
/*
 * make bench: what supervision costs. See Documentation/performance.rst.
 *
 *	bench [-q] [-r ROUNDS] [-s SANDTOP] [-p PEER] [-o JSON] [ROW...]
 *	bench client ROW COUNT		what it runs: measure one row in this process
 *	bench soak SECONDS		what tools/bench/soak runs
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/grow.h"
#include "tools/bench/row.h"
#include "tools/bench/run.h"
#include "tools/bench/table.h"

enum {
	QUICK_ROUNDS = 3,
	QUICK_DIVISOR = 10,
	COUNT_MIN = 5,
};

struct options {
	unsigned rounds;
	bool quick;
	const char *sandtop, *peer, *json;
};

/* All that a run needs to know. */
struct driver {
	struct options options;
	char self[4096];
	char peer_words[4096];
	struct run_prefix prefix[TABLE_COLUMNS];
	bool failed;
};

static _Noreturn void usage(int status)
{
	fputs("Usage: bench [-q] [-r ROUNDS] [-s SANDTOP] [-p PEER] [-o JSON] [ROW...]\n"
	      "  -q  quick: fewer rounds and repetitions\n"
	      "  -r  rounds, of which the median is taken (7)\n"
	      "  -s  the sandtop to measure (./sandtop)\n"
	      "  -p  another program with its options, in front of the same client\n"
	      "  -o  write every sample there\n"
	      "Rows:",
	      status ? stderr : stdout);
	for (size_t i = 0; i < row_count; i++)
		fprintf(status ? stderr : stdout, " %s", rows[i].name);
	fputc('\n', status ? stderr : stdout);
	exit(status);
}

static unsigned parse_number(const char *what, const char *text, unsigned max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || v < 1 || v > max)
		errx(2, "%s: '%s' is not a number from 1 to %u", what, text, max);
	return (unsigned)v;
}

static const struct row *parse_row(const char *name)
{
	const struct row *row = row_find(name);

	if (row)
		return row;
	warnx("unknown row '%s'", name);
	usage(2);
}

static int client(int argc, char **argv)
{
	struct sample s = { 0 };
	const struct row *row;

	if (argc != 3)
		usage(2);
	row = parse_row(argv[1]);
	if (!row->client)
		errx(2, "'%s' has no client: the driver measures it", argv[1]);
	row->client(row, parse_number("client", argv[2], 10000000), &s);
	run_print(row, &s);
	return 0;
}

static void add_word(struct run_prefix *p, const char *word)
{
	if (p->words == RUN_PREFIX_MAX)
		errx(2, "%s: more than %d words", p->name, RUN_PREFIX_MAX);
	p->word[p->words++] = word;
}

static void make_prefixes(struct driver *d)
{
	const char *const sandtop[] = {
		d->options.sandtop, "-b", "-q", "--net-allow", "127.0.0.1", "--net-allow",
		"udp://127.0.0.1",  "--",
	};

	d->prefix[TABLE_NATIVE].name = "native";
	d->prefix[TABLE_SUPERVISED].name = "supervised";
	d->prefix[TABLE_PEER].name = "peer";
	for (size_t i = 0; i < sizeof(sandtop) / sizeof(sandtop[0]); i++)
		add_word(&d->prefix[TABLE_SUPERVISED], sandtop[i]);
	if (!d->options.peer)
		return;
	if ((size_t)snprintf(d->peer_words, sizeof(d->peer_words), "%s", d->options.peer) >=
	    sizeof(d->peer_words))
		errx(2, "-p: longer than %zu bytes", sizeof(d->peer_words) - 1);
	for (char *word = strtok(d->peer_words, " \t"); word; word = strtok(NULL, " \t"))
		add_word(&d->prefix[TABLE_PEER], word);
}

static void measure(struct driver *d, const struct run_prefix *prefix, const struct row *row,
		    bool pinned, struct table_cell *cell)
{
	unsigned count = d->options.quick ? row->count / QUICK_DIVISOR : row->count;

	/* What failed once would most likely fail, or hang, in every round. */
	if (cell->tried > cell->n)
		return;
	cell->tried++;
	if (run_row(d->self, prefix, row, count < COUNT_MIN ? COUNT_MIN : count, pinned,
		    &cell->round[cell->n]))
		cell->n++;
	else
		d->failed = true;
}

static bool wanted(const struct driver *d, const struct row *row, enum table_cpus cpus,
		   enum table_column column, unsigned round)
{
	if ((row->rounds && round >= row->rounds) || (row->rounds == 1 && cpus == TABLE_ONE_CPU))
		return false;
	if (column == TABLE_NATIVE)
		return row_has_native(row);
	return column == TABLE_SUPERVISED || (d->options.peer && row->kind != ROW_WATCHED);
}

/* Each column comes first in its turn: what is run first is favoured or not by what ran before. */
static void measure_round(struct driver *d, struct table *t, enum table_cpus cpus, unsigned round)
{
	bool pinned = cpus == TABLE_ONE_CPU;

	measure(d, &d->prefix[TABLE_NATIVE], &row_floor, pinned, &t->floor[cpus]);
	for (size_t i = 0; i < t->lines; i++) {
		struct table_line *l = &t->line[i];

		for (unsigned k = 0; k < TABLE_COLUMNS; k++) {
			enum table_column column = (k + round) % TABLE_COLUMNS;

			if (wanted(d, l->row, cpus, column, round))
				measure(d, &d->prefix[column], l->row, pinned,
					&l->cell[cpus][column]);
		}
	}
}

static void choose_rows(struct table *t, int n, char **names)
{
	t->lines = n ? (size_t)n : row_count;
	t->line = calloc(t->lines, sizeof(*t->line));
	if (!t->line)
		err(1, "calloc");
	for (size_t i = 0; i < t->lines; i++)
		t->line[i].row = n ? parse_row(names[i]) : &rows[i];
}

/* At once, so that a long run does not end with a typing error. NULL without -o. */
static FILE *open_json(const char *path)
{
	FILE *f = path ? fopen(path, "we") : NULL;

	if (path && !f)
		err(2, "-o: cannot write '%s'", path);
	return f;
}

static struct options parse_options(int argc, char **argv)
{
	struct options o = { .sandtop = "./sandtop" };
	int c;

	while ((c = getopt(argc, argv, "qr:s:p:o:h")) != -1) {
		switch (c) {
		case 'q':
			o.quick = true;
			break;
		case 'r':
			o.rounds = parse_number("-r", optarg, TABLE_ROUNDS_MAX);
			break;
		case 's':
			o.sandtop = optarg;
			break;
		case 'p':
			o.peer = *optarg ? optarg : NULL;
			break;
		case 'o':
			o.json = optarg;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	}
	if (!o.rounds)
		o.rounds = o.quick ? QUICK_ROUNDS : 7;
	return o;
}

int main(int argc, char **argv)
{
	struct driver d = { 0 };
	struct table t = { 0 };
	FILE *json;

	if (argc > 1 && !strcmp(argv[1], "client"))
		return client(argc - 1, argv + 1);
	if (argc == 3 && !strcmp(argv[1], "soak"))
		return grow_soak(parse_number("soak", argv[2], 1000000));
	d.options = parse_options(argc, argv);
	if (readlink("/proc/self/exe", d.self, sizeof(d.self) - 1) < 0)
		err(1, "/proc/self/exe");
	make_prefixes(&d);
	t.rounds = d.options.rounds;
	t.quick = d.options.quick;
	t.peer = d.options.peer;
	choose_rows(&t, argc - optind, argv + optind);
	json = open_json(d.options.json);
	for (unsigned round = 0; round < t.rounds; round++)
		for (int cpus = 0; cpus < TABLE_CPUS; cpus++)
			measure_round(&d, &t, cpus, round);
	table_print(&t, stdout);
	if (json) {
		table_json(&t, json);
		if (ferror(json) | fclose(json))
			errx(1, "-o: cannot write '%s'", d.options.json);
	}
	free(t.line);
	return d.failed;
}
