/* SPDX-License-Identifier: MIT */
#include "selftests/lib/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tap_complain(struct tap *t, const char *format, ...)
{
	va_list args;

	if (t->problem[0])
		return;
	va_start(args, format);
	vsnprintf(t->problem, sizeof(t->problem), format, args);
	va_end(args);
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* "1..N" or "1..0 # SKIP reason". */
static bool take_plan(struct tap *t, const char *line)
{
	const char *skip;

	if (sscanf(line, "1..%u", &t->plan) != 1)
		return false;
	if (t->planned)
		tap_complain(t, "a second plan");
	t->planned = true;
	skip = strstr(line, "# SKIP");
	if (!t->plan && skip) {
		skip += strlen("# SKIP");
		snprintf(t->skip, sizeof(t->skip), "%s", skip + strspn(skip, " "));
	} else {
		printf("  1..%u\n", t->plan);
	}
	return true;
}

static void release(struct tap *t)
{
	fputs(t->held, stdout);
	t->held[0] = '\0';
}

/*
 * Split "[NUMBER] [-] description[ # DIRECTIVE text]". Returns the number, 0 if
 * there is none; *directive is NULL if there is none.
 */
static unsigned int split(char *line, char **description, char **directive)
{
	unsigned int number = strtoul(line, &line, 10);
	char *end;

	line += strspn(line, " ");
	if (starts_with(line, "- "))
		line += 2;
	*description = line;
	end = strstr(line, " # ");
	*directive = end ? end + strlen(" # ") : NULL;
	if (end)
		*end = '\0';
	/* Criterion adds the time, which would make the reports of two runs differ. */
	end = strstr(line, "  (");
	if (end)
		*end = '\0';
	for (end = line + strlen(line); end > line && end[-1] == ' '; end--)
		end[-1] = '\0';
	return number;
}

static bool take_result(struct tap *t, char *line)
{
	bool ok = starts_with(line, "ok "), skipped;
	char *description, *directive;
	unsigned int number;

	if (!ok && !starts_with(line, "not ok "))
		return false;
	number = split(line + (ok ? 3 : 7), &description, &directive);
	t->results++;
	if (!t->unnumbered && number != t->results)
		tap_complain(t, "result %u is numbered %u", t->results, number);
	skipped = ok && directive && !strncasecmp(directive, "SKIP", 4);
	release(t);
	if (skipped && t->must_run) {
		printf("  # MUST_RUN: %s\n", directive);
		skipped = ok = false;
		directive = NULL;
		t->must_run_failed++;
	}
	snprintf(t->held, sizeof(t->held), "  %s %u %s%s%s\n", ok ? "ok" : "not ok", t->results,
		 description, directive ? " # " : "", directive ? directive : "");
	if (!t->unnumbered)
		release(t);
	if (skipped)
		t->skipped++;
	else if (ok)
		t->passed++;
	else
		t->failed++;
	return true;
}

void tap_line(struct tap *t, char *line)
{
	if (starts_with(line, "TAP version") || starts_with(line, "KTAP version"))
		return;
	if (take_plan(t, line) || take_result(t, line))
		return;
	printf("  %s%s\n", line[0] == '#' ? "" : "# ", line);
}

void tap_end(struct tap *t)
{
	release(t);
	if (!t->planned)
		tap_complain(t, "no plan");
	else if (t->results != t->plan)
		tap_complain(t, "planned %u tests, saw %u", t->plan, t->results);
	else if (!t->plan && !t->skip[0])
		tap_complain(t, "no test");
}
