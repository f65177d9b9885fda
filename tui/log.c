/* SPDX-License-Identifier: MIT */
#include "tui/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/line.h"
#include "tui/model.h"

int log_new(struct log *l)
{
	*l = (struct log){ .lines = calloc(LOG_LINES, sizeof(*l->lines)) };
	return l->lines ? 0 : -ENOMEM;
}

void log_free(struct log *l)
{
	free(l->lines);
}

const struct log_line *log_line(const struct log *l, uint64_t i)
{
	return &l->lines[i % LOG_LINES];
}

uint64_t log_oldest(const struct log *l)
{
	return l->n > LOG_LINES ? l->n - LOG_LINES : 0;
}

static uint64_t shown_end(const struct log *l)
{
	if (!l->paused)
		return l->n;
	return l->end > log_oldest(l) ? l->end : log_oldest(l);
}

static struct log_line *add(struct log *l, uint64_t ts, enum log_kind kind)
{
	struct log_line *line = &l->lines[l->n++ % LOG_LINES];

	line->ts = ts;
	line->kind = kind;
	if (l->found <= log_oldest(l))
		l->found = 0;
	return line;
}

const struct ledger_decision *log_decided(const struct log *l, uint64_t i)
{
	const struct log_line *line = log_line(l, i);

	return line->kind == LOG_MESSAGE ? NULL : &line->decision;
}

const char *log_text(const struct log *l, uint64_t i, char buf[static LOG_TEXT_MAX])
{
	const struct log_line *line = log_line(l, i);
	struct record r;

	if (line->kind == LOG_MESSAGE)
		return line->text;
	r = ledger_record(&line->decision);
	line_format(&r, buf, LOG_TEXT_MAX);
	return buf;
}

static bool contains(const struct log *l, uint64_t i, const char *text)
{
	char buf[LOG_TEXT_MAX];

	return !*text || strcasestr(log_text(l, i, buf), text);
}

/* The last line is complete. */
static void filter_last(struct log *l, const char *filter)
{
	l->lines[(l->n - 1) % LOG_LINES].filtered = !contains(l, l->n - 1, filter);
}

void log_decision(struct log *l, const struct ledger_decision *d, const char *filter)
{
	enum log_kind kind = d->verdict == VERDICT_ALLOW  ? LOG_ALLOWED
			     : d->verdict == VERDICT_DENY ? LOG_DENIED
							  : LOG_ASKED;

	add(l, d->ts, kind)->decision = *d;
	filter_last(l, filter);
}

void log_missed(struct log *l, uint64_t ts, uint64_t decisions, const char *filter)
{
	snprintf(add(l, ts, LOG_MESSAGE)->text, LOG_TEXT_MAX,
		 "%" PRIu64 " decisions came too fast for this list (--log has all)", decisions);
	filter_last(l, filter);
}

void log_message(struct log *l, uint64_t ts, const char *text, const char *filter)
{
	escape_text(text, add(l, ts, LOG_MESSAGE)->text, LOG_TEXT_MAX);
	filter_last(l, filter);
}

/* Whether the filter lets line i show. */
static bool is_shown(const struct log *l, uint64_t i)
{
	return !log_line(l, i)->filtered;
}

void log_arrange(struct model *m)
{
	struct log *l = &m->log;

	for (uint64_t i = log_oldest(l); i < l->n; i++)
		l->lines[i % LOG_LINES].filtered = !contains(l, i, m->filter);
}

unsigned int log_visible(const struct log *l, unsigned int max, uint64_t *out)
{
	const uint64_t first = log_oldest(l), end = shown_end(l);
	unsigned int n = 0;
	uint64_t i;

	/* From the last one up, and when that was not enough, what follows. */
	for (i = end; i > first && n < max; i--)
		if (is_shown(l, i - 1))
			out[n++] = i - 1;
	for (unsigned int a = 0, b = n; a + 1 < b; a++) {
		uint64_t line = out[a];

		out[a] = out[--b];
		out[b] = line;
	}
	for (i = end; i < l->n && n < max; i++)
		if (is_shown(l, i))
			out[n++] = i;
	return n;
}

/* Stand still with line `end` - 1 as the last on the screen; the first page is the end. */
static void pause_at(struct model *m, uint64_t end)
{
	struct log *l = &m->log;
	unsigned int above = 0;

	for (uint64_t i = end; i > log_oldest(l) && above < m->page; i--)
		above += is_shown(l, i - 1);
	for (; above < m->page && end < l->n; end++)
		above += is_shown(l, end);
	l->paused = true;
	l->end = end;
}

void log_move(struct model *m, long by)
{
	struct log *l = &m->log;
	uint64_t end = shown_end(l);

	for (; by < 0 && end > log_oldest(l); by += is_shown(l, end))
		end--;
	for (; by > 0 && end < l->n; end++)
		by -= is_shown(l, end);
	pause_at(m, end);
	/* Whoever comes to the end wants to see what comes next. */
	if (l->end == l->n)
		l->paused = false;
}

void log_unselect(struct model *m)
{
	m->log.found = 0;
	m->log.paused = false;
}

bool log_find(struct model *m, bool forward)
{
	struct log *l = &m->log;
	uint64_t i = l->found ? l->found : shown_end(l) + 1;

	for (i += forward ? -1 : 1; i > log_oldest(l) && i <= l->n; i += forward ? -1 : 1) {
		if (!is_shown(l, i - 1) || !contains(l, i - 1, m->search))
			continue;
		l->found = i;
		/* In the middle, if there is enough below it. */
		pause_at(m, i + m->page / 2 < l->n ? i + m->page / 2 : l->n);
		return true;
	}
	return false;
}

struct effect log_command(struct model *m, const struct event *e, enum command command)
{
	(void)e;
	if (command == COMMAND_PAUSE && m->log.paused)
		log_unselect(m);
	else if (command == COMMAND_PAUSE)
		pause_at(m, m->log.n);
	return (struct effect){ .kind = EFFECT_NONE };
}
