/* SPDX-License-Identifier: MIT */
#include "tui/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tui/panes.h"
#include "tui/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	QUIT_WIDTH = 7, /* of "q Quit" in the function bar */
	COMMAND_MIN = 12
}; /* columns of the command that the title keeps */

/* What is worth a line at this height; the command's terminal gets nearly all of them. */
struct view_layout view_layout(enum pane_kind pane, int w, int h)
{
	const bool output = pane == MODEL_OUTPUT;
	struct view_layout l = { -1, -1, -1, -1, -1, { 0 } };
	int y = 0;

	if (h >= (output ? 12 : 4))
		l.title = y++;
	if (!output && h >= 12)
		l.counters = y++;
	if (h >= (output ? 3 : 8))
		l.tabs = y++;
	if (!output && h >= 6)
		l.columns = y++;
	if (!output && h >= 3)
		l.bar = --h;
	l.body = (struct rect){ 0, y, w > 0 ? w : 0, h > y ? h - y : 0 };
	return l;
}

/* The pieces of the title behind the command, the least important last. */
static int title_pieces(const struct model *m, char pieces[static 5][256])
{
	const struct ledger_head *h = &m->head;
	char uptime[TEXT_MAX];
	int n = 0;

	text_uptime(m->now > h->start ? m->now - h->start : 0, uptime);
	snprintf(pieces[n++], 256, "default %s", h->fallback);
	snprintf(pieces[n++], 256, "gen %" PRIu64, h->generation);
	snprintf(pieces[n++], 256, "up %s", uptime);
	if (h->tasks)
		snprintf(pieces[n++], 256, "[%d, %" PRIu64 " tasks]", h->pid, h->tasks);
	else
		snprintf(pieces[n++], 256, "[%d]", h->pid);
	if (h->profile[0])
		snprintf(pieces[n++], 256, "policy %.200s", h->profile);
	return n;
}

static void render_title(const struct model *m, struct cells *c, int y)
{
	static const char name[] = "sandtop: ";
	char pieces[5][256];
	int n = title_pieces(m, pieces);
	int right = 0, left, x, i;

	for (i = 0; i < n; i++) {
		int width = cells_text_width(c, pieces[i]) + 2;

		if ((int)strlen(name) + COMMAND_MIN + right + width > c->w)
			break;
		right += width;
	}
	n = i;
	left = cells_text(c, 0, y, c->w, ROLE_DIM, name);
	cells_foreign(c, left, y, c->w - left - right, ROLE_TITLE, m->head.command);
	for (x = c->w; n > 0 && i > 0; i--)
		x -= cells_text_width(c, pieces[i - 1]) + 2;
	for (i = n; i-- > 0; x += 2)
		x += cells_foreign(c, x + 2, y, c->w - x - 2, ROLE_DIM, pieces[i]);
}

/* A pair of a word and what belongs to it; returns the column behind it. */
static int render_pair(struct cells *c, int x, int y, const char *word, enum role role,
		       const char *value, const char *unit)
{
	int width = (int)(strlen(word) + strlen(value) + strlen(unit)) + 1;

	if (x + width > c->w)
		return c->w;
	x += cells_text(c, x, y, c->w - x, ROLE_DIM, word) + (*word ? 1 : 0);
	x += cells_text(c, x, y, c->w - x, role, value);
	return x + cells_text(c, x, y, c->w - x, ROLE_DIM, unit) + 2;
}

/* The last seconds, each as high as its share of the highest of them. */
static void render_history(const struct model *m, struct cells *c, int x, int y)
{
	static const char ascii[] = " .:-=+*#@";
	uint64_t max = 1;

	for (int i = 0; i < RATE_HISTORY; i++)
		max = m->rate.history[i] > max ? m->rate.history[i] : max;
	for (int i = 0; i < RATE_HISTORY && x + RATE_HISTORY <= c->w; i++) {
		uint64_t level = (m->rate.history[i] * 8 + max - 1) / max;
		uint32_t bar = c->ascii ? (uint32_t)ascii[level]
			       : level  ? 0x2580 + (uint32_t)level
					: ' ';

		cells_put(c, x + i, y, &bar, 1, 1, ROLE_DIM, (struct style){ 0 });
	}
}

static void render_counters(const struct model *m, struct cells *c, int y)
{
	const struct stats *s = &m->head.stats;
	char text[TEXT_MAX];
	int x = 0;

	x = render_pair(c, x, y, "allow", ROLE_ALLOW, text_count(s->counter[STAT_ALLOWED], text),
			"");
	x = render_pair(c, x, y, "deny", ROLE_DENY, text_count(s->counter[STAT_DENIED], text), "");
	if (m->head.held)
		x = render_pair(c, x, y, "held", ROLE_HOLD, text_count(m->head.held, text), "");
	x = render_pair(c, x, y, "", ROLE_TITLE, text_count(m->rate.now, text), "/s now");
	x = render_pair(c, x, y, "peak", ROLE_TITLE, text_count(m->rate.peak, text), "/s");
	if (s->latency.count) {
		x = render_pair(c, x, y, "answer p50", ROLE_TITLE,
				text_latency(histogram_percentile(&s->latency, 50), text), "");
		x = render_pair(c, x, y, "p99", ROLE_TITLE,
				text_latency(histogram_percentile(&s->latency, 99), text), "");
	}
	render_history(m, c, x, y);
}

static void render_tabs(const struct model *m, struct cells *c, int y)
{
	const char *hint = m->pane == MODEL_OUTPUT ? "Ctrl-] leads back" : "Tab: next pane";
	char name[32], end[48];
	int x = 0;

	cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_TAB);
	for (enum pane_kind p = 0; p < MODEL_PANES; p++) {
		if (p == MODEL_OUTPUT && !m->has_output)
			continue;
		snprintf(name, sizeof(name), " %s ", panes_get(p)->name);
		spot_add(&c->spots, x, y, (int)strlen(name), SPOT_PANE, p);
		x += cells_text(c, x, y, c->w - x, p == m->pane ? ROLE_TAB_CURRENT : ROLE_TAB,
				name);
	}
	if (m->filter[0] && m->pane != MODEL_OUTPUT) {
		x += 2 + cells_text(c, x + 2, y, c->w - x - 2, ROLE_HOLD, "filter: ");
		x += cells_foreign(c, x, y, c->w - x, ROLE_HOLD, m->filter);
	}
	if (m->ended) {
		snprintf(end, sizeof(end), "ended with status %d: q leaves", m->status);
		hint = end;
	}
	if ((m->has_output || m->ended) && !prompt_waiting(&m->prompt) && !m->paused &&
	    (!model_panics(m) || m->ended) && x + 2 + (int)strlen(hint) <= c->w)
		cells_text(c, c->w - (int)strlen(hint), y, (int)strlen(hint),
			   m->ended ? ROLE_HOLD : ROLE_DIM, hint);
}

/* That all is paused or denied, or that somebody is asked for, on the line of the tabs or another
 * one; it gives way to nothing. */
static void render_waiting(const struct model *m, struct cells *c, int y)
{
	const char *away = m->pane == MODEL_OUTPUT ? "Ctrl-] " : "";
	const unsigned int n = prompt_waiting(&m->prompt);
	char text[64];
	int width;

	if (m->paused)
		snprintf(text, sizeof(text), " PAUSED, %sP goes on ", away);
	else if (n)
		snprintf(text, sizeof(text), " %u waiting%s ", n,
			 *away ? ", Ctrl-] to answer" : "");
	else if (model_panics(m) && !m->ended)
		snprintf(text, sizeof(text), " PANIC, %su takes it back ", away);
	else
		return;
	width = (int)strlen(text);
	if (width > c->w)
		width = c->w;
	cells_text(c, c->w - width, y, width, ROLE_HOLD, text);
}

/* "F1 Help" at x if it fits into `w` columns; returns the column behind it. */
static int render_function(struct cells *c, int x, int y, int w, const struct keys_row *row)
{
	char name[KEYS_NAME_MAX];

	keys_name(row->keys[0], name);
	if ((int)(strlen(name) + strlen(row->bar)) + 1 > w)
		return x;
	spot_add(&c->spots, x, y, (int)(strlen(name) + strlen(row->bar)) + 1, SPOT_KEY,
		 row->keys[0]);
	x += cells_text(c, x, y, c->w - x, ROLE_KEY, name);
	x += cells_text(c, x, y, c->w - x, ROLE_BAR, " ");
	return x + cells_text(c, x, y, c->w - x, ROLE_BAR, row->bar) + 1;
}

/* The commands that the place has a name for; how to leave is always among them. */
static void render_functions(const struct model *m, struct cells *c, int y, enum keys_place place)
{
	const struct keys_row *quit = keys_row(COMMAND_QUIT);
	const int left = quit->bar_places & place ? (int)strlen(quit->bar) + 3 : 0;
	int x = 0, next;

	for (enum command i = 0; i < COMMAND_COUNT; i++) {
		const struct keys_row *row = keys_row(i);

		if (!(row->bar_places & place) || row == quit || (row->changes && m->ended) ||
		    (i == COMMAND_OUTPUT && !m->has_output))
			continue;
		next = render_function(c, x, y, c->w - x - left, row);
		if (next == x)
			break;
		x = next;
	}
	if (left)
		render_function(c, x, y, c->w - x, quit);
}

/*
 * What sandtop says, with its end on line y. A long one has more lines: the reason is often at the
 * end of it.
 */
static void render_message(const struct model *m, struct cells *c, int y)
{
	const enum role role = m->message_is_error ? ROLE_ERROR : ROLE_MESSAGE;
	struct rect r = { .w = c->w };
	struct cells none = { 0 };
	int at_x = 0, at_y = 0;

	cells_words(&none, r, &at_x, &at_y, role, m->message);
	/* The first line says which run this is. */
	r.h = at_y < y ? at_y + 1 : y > 0 ? y : 1;
	r.y = y - r.h + 1;
	cells_fill(c, r, role);
	for (int i = 0; i < r.h; i++)
		spot_add(&c->spots, 0, r.y + i, r.w, SPOT_NONE, 0);
	at_x = at_y = 0;
	cells_words(c, r, &at_x, &at_y, role, m->message);
}

/* The last line, unless a bar is open. */
static void render_last_line(const struct model *m, struct cells *c, int y)
{
	if (m->message[0])
		render_message(m, c, y);
	else
		render_functions(m, c, y, model_place(m));
}

/* "Esc  leave this": all keys of the command. */
static void help_line(const struct keys_row *row, char *buf, size_t size)
{
	char name[KEYS_NAME_MAX], keys[KEYS_PER_COMMAND * KEYS_NAME_MAX + 8] = "";

	for (int i = 0; i < KEYS_PER_COMMAND && row->keys[i]; i++) {
		keys_name(row->keys[i], name);
		/* There are two keys Enter. */
		if (strstr(keys, name))
			continue;
		strcat(keys, i ? " " : "");
		strcat(keys, name);
	}
	snprintf(buf, size, "  %-14s %s", keys, row->help);
}

static void render_help(const struct model *m, struct cells *c, struct rect r)
{
	char line[160];
	int n = 0, y = -(int)m->scroll;

	for (enum command i = 0; i < COMMAND_COUNT; i++)
		n += keys_row(i)->help != NULL;
	/* Up to its end and not further, whatever was scrolled. */
	if (y < r.h - n)
		y = r.h < n ? r.h - n : 0;
	for (enum command i = 0; i < COMMAND_COUNT; i++) {
		if (!keys_row(i)->help)
			continue;
		help_line(keys_row(i), line, sizeof(line));
		if (y >= 0 && y < r.h)
			cells_text(c, r.x, r.y + y, r.w, ROLE_TEXT, line);
		y++;
	}
}

/* What is asked, and the keys; without blank lines where there is no room for all. */
static void render_lines(struct cells *c, struct rect r, const char *const lines[], int n)
{
	int y = 0;

	for (int i = 0; i < n && y < r.h; i++)
		if (*lines[i] || r.h >= n)
			cells_text(c, r.x, r.y + y++, r.w, i ? ROLE_TEXT : ROLE_TITLE, lines[i]);
}

static void render_question(const struct model *m, struct cells *c, struct rect r)
{
	static const char *const lines[] = {
		"Leave the monitor?",
		"",
		"  d    detach: the command goes on",
		"  k    kill the command and everything that it started",
		"  Esc  back",
	};
	const char *again = m->attached ? "sandtop attach shows it again"
					: "sandtop attach shows it again, from any terminal";

	render_lines(c, r, lines, COUNT(lines));
	if ((int)COUNT(lines) + 1 < r.h)
		cells_text(c, r.x, r.y + (int)COUNT(lines) + 1, r.w, ROLE_DIM, again);
}

static void render_panic(struct cells *c, struct rect r)
{
	static const char *const lines[] = {
		"Deny everything, and shut every connection?",
		"",
		"  y    yes; u takes the denial back, what was shut stays shut",
		"  Esc  back",
	};

	render_lines(c, r, lines, COUNT(lines));
}

/* Where an open bar is: on the last lines, up to the first one of the body, which shrinks. */
static struct rect bar_rect(const struct model *m, struct view_layout *l)
{
	const struct bar_ops *bar = panes_bar(m);
	int room = l->body.h + (l->bar >= 0), bottom = l->body.y + room;
	int rows = bar ? bar->rows(m) : 0;

	if (rows == 0)
		return (struct rect){ 0 };
	rows = rows < room ? rows : room;
	l->body.h = room - rows;
	return (struct rect){ 0, bottom - rows, l->body.w, rows };
}

void view_render_bar(const struct model *m, struct cells *c)
{
	struct view_layout l = view_layout(m->pane, c->w, c->h);
	struct rect r = bar_rect(m, &l);

	if (r.h > 0)
		panes_bar(m)->render(m, c, r);
}

static void render_body(const struct model *m, struct cells *c, const struct view_layout *l)
{
	if (m->mode == MODEL_HELP)
		render_help(m, c, l->body);
	else if (m->mode == MODEL_QUIT)
		render_question(m, c, l->body);
	else if (m->mode == MODEL_PANIC)
		render_panic(c, l->body);
	else if (panes_get(m->pane)->render)
		panes_get(m->pane)->render(m, c, l);
}

void view_render(const struct model *m, struct cells *c)
{
	struct view_layout l = view_layout(m->pane, c->w, c->h);
	const bool has_bar = bar_rect(m, &l).h > 0;

	cells_clear(c);
	if (l.title >= 0)
		render_title(m, c, l.title);
	if (l.counters >= 0)
		render_counters(m, c, l.counters);
	if (l.tabs >= 0)
		render_tabs(m, c, l.tabs);
	if (l.tabs >= 0 || l.title >= 0)
		render_waiting(m, c, l.tabs >= 0 ? l.tabs : l.title);
	render_body(m, c, &l);
	if (has_bar)
		view_render_bar(m, c);
	else if (l.bar >= 0)
		render_last_line(m, c, l.bar);
	else if (m->message[0] && m->pane != MODEL_OUTPUT && c->h > 0)
		render_last_line(m, c, c->h - 1);
}
