/* SPDX-License-Identifier: MIT */
#include "tui/log_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tui/view.h"

enum {
	TIME_WIDTH = 9,  /* "12:34:56 " */
	TIME_WORTH = 40, /* on a narrower screen the line gets all of it */
};

static enum role role_of(enum log_kind kind)
{
	return kind == LOG_ALLOWED  ? ROLE_ALLOW
	       : kind == LOG_DENIED ? ROLE_DENY
	       : kind == LOG_ASKED  ? ROLE_HOLD
				    : ROLE_TITLE;
}

static void render_head(const struct model *m, struct cells *c, int y)
{
	char text[64];
	int width;

	cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_COLUMNS);
	cells_text(c, 0, y, c->w, ROLE_COLUMNS,
		   c->w < TIME_WORTH ? "DECISION" : "TIME     DECISION");
	if (!m->log.paused)
		return;
	snprintf(text, sizeof(text), "paused, %" PRIu64 " newer: Z goes on", m->log.n - m->log.end);
	width = (int)strlen(text);
	if (width + 2 * TIME_WIDTH <= c->w)
		cells_text(c, c->w - width, y, width, ROLE_HOLD, text);
}

/* The verdict, which is the first word of a decision, has the colour. */
static void render_line(struct cells *c, struct rect r, const struct log *log, uint64_t i)
{
	const struct log_line *line = log_line(log, i);
	const bool found = i + 1 == log->found;
	char buf[LOG_TEXT_MAX];
	const char *text = log_text(log, i, buf);
	const enum role role = found ? ROLE_SELECTED : role_of(line->kind);
	const char *rest = line->kind == LOG_MESSAGE ? NULL : strchr(text, ' ');
	time_t seconds = (time_t)(line->ts / 1000000000);
	char word[LOG_TEXT_MAX];
	struct tm tm;
	int x = r.x;

	if (found)
		cells_fill(c, r, ROLE_SELECTED);
	if (r.w >= TIME_WORTH && localtime_r(&seconds, &tm)) {
		strftime(word, sizeof(word), "%H:%M:%S", &tm);
		cells_text(c, x, r.y, r.w, found ? role : ROLE_DIM, word);
		x += TIME_WIDTH;
	}
	snprintf(word, sizeof(word), "%.*s", rest ? (int)(rest - text) : LOG_TEXT_MAX - 1, text);
	x += cells_text(c, x, r.y, r.x + r.w - x, role, word);
	if (rest)
		cells_text(c, x, r.y, r.x + r.w - x, found ? role : ROLE_TEXT, rest);
}

void log_render(const struct model *m, struct cells *c, const struct view_layout *l)
{
	uint64_t lines[CELLS_MAX];
	unsigned int n = log_visible(&m->log, (unsigned int)l->body.h, lines);

	if (l->columns >= 0)
		render_head(m, c, l->columns);
	if (n == 0)
		cells_text(c, 0, l->body.y, l->body.w, ROLE_DIM,
			   m->log.n ? "no line contains the filter: Esc takes it away"
				    : "nothing was decided yet");
	for (unsigned int i = 0; i < n; i++)
		render_line(c, (struct rect){ 0, l->body.y + (int)i, l->body.w, 1 }, &m->log,
			    lines[i]);
}
