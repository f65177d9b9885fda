/* SPDX-License-Identifier: MIT */
#include "tui/decisions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/line.h"
#include "policy/addr.h"
#include "tui/columns.h"
#include "tui/text.h"
#include "tui/view.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	CELL_MAX = 512,      /* bytes of the text of a cell */
	ADDRESS4_WIDTH = 15, /* 255.255.255.255 */
	ADDRESS6_WIDTH = 39,
	ALL_THE_REST = CELLS_MAX,
};

enum column {
	COLUMN_VERDICT,
	COLUMN_PROTO,
	COLUMN_ADDRESS,
	COLUMN_PORT,
	COLUMN_HOST,
	COLUMN_PROCESS,
	COLUMN_HITS,
	COLUMN_LAST,
	COLUMN_NOW,
	COLUMN_RULE,
	COLUMN_COUNT,
};

static const struct column_head columns[COLUMN_COUNT] = {
	[COLUMN_VERDICT] = { "VERDICT", 5, false, 1 + ORDER_VERDICT },
	[COLUMN_PROTO] = { "PROTO", 6, false, 0 },
	[COLUMN_ADDRESS] = { "ADDRESS", 8, false, 1 + ORDER_ADDRESS },
	[COLUMN_PORT] = { "PORT", 5, true, 0 },
	[COLUMN_HOST] = { "HOST", 12, false, 0 },
	[COLUMN_PROCESS] = { "PROCESS", 11, false, 1 + ORDER_PROCESS },
	[COLUMN_HITS] = { "HITS", 5, true, 1 + ORDER_HITS },
	[COLUMN_LAST] = { "LAST", 4, true, 1 + ORDER_LAST },
	[COLUMN_NOW] = { "NOW", 5, false, 0 },
	[COLUMN_RULE] = { "RULE", 7, false, 0 },
};

/* What there is room for, the most important first, and then how far each may grow. */
static const enum column importance[COLUMN_COUNT] = {
	COLUMN_VERDICT, COLUMN_ADDRESS, COLUMN_PORT, COLUMN_PROTO, COLUMN_LAST,
	COLUMN_PROCESS, COLUMN_HITS,    COLUMN_NOW,  COLUMN_RULE,  COLUMN_HOST,
};

static const struct {
	enum column column;
	int width;
} growth[] = {
	{ COLUMN_ADDRESS, ADDRESS4_WIDTH },
	{ COLUMN_VERDICT, 7 },
	{ COLUMN_PROCESS, 17 },
	{ COLUMN_RULE, 20 },
	{ COLUMN_HOST, 24 },
	{ COLUMN_ADDRESS, ADDRESS6_WIDTH },
	{ COLUMN_PROCESS, 23 },
	{ COLUMN_HOST, 40 },
	{ COLUMN_RULE, ALL_THE_REST },
};

static bool is_wanted(const struct model *m, enum column column)
{
	return column != COLUMN_HOST || m->has_host;
}

/* Divide `w` columns among the columns of the list; a width of 0 is one that is left out. */
static void divide(const struct model *m, int w, int widths[static COLUMN_COUNT])
{
	int left = w + 1; /* there is a blank between two, and none behind the last */

	memset(widths, 0, COLUMN_COUNT * sizeof(*widths));
	for (int i = 0; i < COLUMN_COUNT; i++) {
		enum column column = importance[i];

		if (!is_wanted(m, column))
			continue;
		if (columns[column].width + 1 > left)
			break;
		widths[column] = columns[column].width;
		left -= columns[column].width + 1;
	}
	for (size_t i = 0; i < COUNT(growth); i++) {
		int *width = &widths[growth[i].column];
		int more = growth[i].width - *width;

		if (growth[i].width == ADDRESS6_WIDTH && !m->has_long)
			continue;
		more = more < left ? more : left;
		if (*width && more > 0) {
			*width += more;
			left -= more;
		}
	}
	/* On a screen that is narrower than anything, the verdict gets what there is. */
	if (!widths[COLUMN_VERDICT])
		widths[COLUMN_VERDICT] = w;
}

static const char *verdict_text(enum verdict v)
{
	return v == VERDICT_ALLOW ? "ALLOW" : v == VERDICT_DENY ? "DENY" : "HOLD";
}

static enum role verdict_role(enum verdict v)
{
	return v == VERDICT_ALLOW ? ROLE_ALLOW : v == VERDICT_DENY ? ROLE_DENY : ROLE_HOLD;
}

static const char *address_text(const struct flow *f, char buf[static CELL_MAX])
{
	char addr[ADDR_TEXT_MAX];

	if (f->name_len)
		snprintf(buf, CELL_MAX, "%s", f->name);
	else
		snprintf(buf, CELL_MAX, "%s",
			 f->family ? addr_text(flow_record(f).endpoint.addr, addr) : "-");
	return buf;
}

static const char *rule_text(const struct flow *f, char buf[static CELL_MAX])
{
	if (f->reason == REASON_RULE)
		snprintf(buf, CELL_MAX, "%d: %s", f->rule, f->rule_text);
	else
		snprintf(buf, CELL_MAX, "%s", f->rule_text);
	return buf;
}

/* The text of a cell, not escaped. */
static const char *cell_text(const struct model *m, const struct flow *f, enum column column,
			     char buf[static CELL_MAX])
{
	const struct judged_answer *now = judged_of(m, f);
	char text[TEXT_MAX];

	buf[0] = '\0';
	switch (column) {
	case COLUMN_VERDICT:
		return verdict_text(f->verdict);
	case COLUMN_PROTO:
		snprintf(buf, CELL_MAX, "%s%s", f->dir == DIR_IN ? "in " : "",
			 proto_name(f->proto));
		break;
	case COLUMN_ADDRESS:
		return address_text(f, buf);
	case COLUMN_PORT:
		if (f->port)
			snprintf(buf, CELL_MAX, "%u", f->port);
		break;
	case COLUMN_HOST:
		return f->host;
	case COLUMN_PROCESS:
		snprintf(buf, CELL_MAX, "%.16s", f->comm);
		break;
	case COLUMN_HITS:
		snprintf(buf, CELL_MAX, "%s", text_count(f->allowed + f->denied, text));
		break;
	case COLUMN_LAST:
		snprintf(buf, CELL_MAX, "%s",
			 text_age(m->now > f->last ? m->now - f->last : 0, text));
		break;
	case COLUMN_NOW:
		return now ? verdict_name((enum verdict)now->verdict) : "";
	case COLUMN_RULE:
		return rule_text(f, buf);
	case COLUMN_COUNT:
		break;
	}
	return buf;
}

/* What would go otherwise now stands out. */
static enum role column_role(const struct model *m, const struct flow *f, enum column column)
{
	const struct judged_answer *now;

	if (f->id == m->selected)
		return ROLE_SELECTED;
	if (column == COLUMN_VERDICT)
		return verdict_role(f->verdict);
	if (column != COLUMN_NOW)
		return ROLE_TEXT;
	now = judged_of(m, f);
	return now && now->verdict != f->verdict ? verdict_role((enum verdict)now->verdict)
						 : ROLE_DIM;
}

static void render_row(const struct model *m, struct cells *c, int y, const int *widths,
		       const struct flow *f)
{
	char buf[CELL_MAX], pid[16];
	int x = 0;

	snprintf(pid, sizeof(pid), "[%d]", f->pid);
	spot_add(&c->spots, 0, y, c->w, SPOT_ROW, f->id);
	if (f->id == m->selected)
		cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_SELECTED);
	/* The name was chosen by the process, its number was not. */
	for (enum column i = 0; i < COLUMN_COUNT; i++)
		columns_cell(c, &x, y, &columns[i], widths[i], column_role(m, f, i),
			     cell_text(m, f, i, buf), i == COLUMN_PROCESS ? pid : NULL);
}

static const char *empty_text(const struct model *m)
{
	return m->n_flows ? "no row contains the filter's text: Esc takes it away"
			  : "the command has not tried to reach anything yet";
}

static void render_list(const struct model *m, struct cells *c, const struct view_layout *l)
{
	int widths[COLUMN_COUNT];

	divide(m, c->w, widths);
	if (l->columns >= 0)
		columns_heads(c, l->columns, columns, COLUMN_COUNT, widths, m->sort);
	if (m->shown == 0)
		cells_text(c, l->body.x, l->body.y, l->body.w, ROLE_DIM, empty_text(m));
	for (int y = 0; y < l->body.h && m->top + (unsigned int)y < m->shown; y++)
		render_row(m, c, l->body.y + y, widths, &m->flows[m->order[m->top + y]]);
}

/* A place for the lines of the detail, of which only some may be on the screen. */
struct sheet {
	struct cells *c;
	struct rect r;
	int y; /* of the next line, from the upper edge */
};

static void sheet_line(struct sheet *s, enum role role, const char *label, const char *text)
{
	int x = s->r.x, end = s->r.x + s->r.w;

	if (s->y >= 0 && s->y < s->r.h) {
		cells_text(s->c, x, s->r.y + s->y, end - x, ROLE_DIM, label);
		x += label[0] ? 13 : 2;
		if (x < end)
			cells_foreign(s->c, x, s->r.y + s->y, end - x, role, text);
	}
	s->y++;
}

static void sheet_time(struct sheet *s, const struct model *m, const char *label, uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };
	char time[LINE_TIME_MAX], age[TEXT_MAX], text[CELL_MAX];

	text_age(m->now > ns ? m->now - ns : 0, age);
	snprintf(text, sizeof(text), "%s (%s%s)", line_time(ts, time), age,
		 strcmp(age, "now") ? " ago" : "");
	sheet_line(s, ROLE_TEXT, label, text);
}

static void sheet_flow(struct sheet *s, const struct model *m, const struct flow *f)
{
	char text[CELL_MAX], cell[CELL_MAX], port[16] = "";
	const char *error = strerrorname_np(f->error);

	if (f->port)
		snprintf(port, sizeof(port), " port %u", f->port);
	snprintf(text, sizeof(text), "%s %s%s %.300s%s", verdict_text(f->verdict),
		 f->dir == DIR_IN ? "in " : "", proto_name(f->proto), address_text(f, cell), port);
	sheet_line(s, verdict_role(f->verdict), "Decision", text);
	if (f->host[0])
		sheet_line(s, ROLE_TEXT, "Host", f->host);
	sheet_line(s, ROLE_TEXT, "Rule", rule_text(f, cell));
	snprintf(text, sizeof(text), "%" PRIu64, f->generation);
	sheet_line(s, ROLE_TEXT, "Generation", text);
	sheet_line(s, ROLE_TEXT, "Result", f->error && error ? error : f->error ? "error" : "0");
	snprintf(text, sizeof(text), "%" PRIu64 " allowed, %" PRIu64 " denied", f->allowed,
		 f->denied);
	sheet_line(s, ROLE_TEXT, "Hits", text);
	sheet_time(s, m, "First", f->first);
	sheet_time(s, m, "Last", f->last);
}

static void sheet_change(struct sheet *s, const struct flow *f)
{
	enum verdict verdict = f->verdict == VERDICT_ALLOW ? VERDICT_ALLOW : VERDICT_DENY;
	char rule[EXPLAIN_HINT_MAX], text[EXPLAIN_HINT_MAX + 64];

	if (model_rule(f, verdict, rule))
		snprintf(text, sizeof(text), "%s: insert the rule \"%s\"",
			 verdict == VERDICT_ALLOW ? "d" : "a", rule);
	else
		snprintf(text, sizeof(text), "%s", rule);
	sheet_line(s, ROLE_TITLE, "To change it", text);
}

static void sheet_processes(struct sheet *s, const struct model *m)
{
	struct model_process processes[MODEL_PROCESSES];
	unsigned int n = model_processes(m, processes);
	char text[CELL_MAX], age[TEXT_MAX];

	sheet_line(s, ROLE_TITLE, "",
		   n ? "Processes that asked, of the last decisions:"
		     : "None of the last decisions belongs to it.");
	for (unsigned int i = 0; i < n; i++) {
		const struct ledger_decision *d = processes[i].newest;

		text_age(m->now > d->ts ? m->now - d->ts : 0, age);
		snprintf(text, sizeof(text), "%7d  %-15.16s %5u x %-11.16s %-4s  %.256s", d->pid,
			 d->comm, processes[i].decisions, d->syscall, age,
			 d->exe[0] ? d->exe : "-");
		sheet_line(s, ROLE_TEXT, "", text);
	}
}

static void render_detail(const struct model *m, struct cells *c, const struct view_layout *l)
{
	struct sheet s = { .c = c, .r = l->body, .y = -(int)m->scroll };

	if (l->columns >= 0) {
		cells_fill(c, (struct rect){ 0, l->columns, c->w, 1 }, ROLE_COLUMNS);
		cells_text(c, 0, l->columns, c->w, ROLE_COLUMNS, "One flow; Esc leads back");
	}
	sheet_flow(&s, m, &m->selection);
	sheet_line(&s, ROLE_TEXT, "", "");
	sheet_change(&s, &m->selection);
	sheet_line(&s, ROLE_TEXT, "", "");
	sheet_processes(&s, m);
}

void decisions_render(const struct model *m, struct cells *c, const struct view_layout *l)
{
	if (m->mode == MODEL_DETAIL)
		render_detail(m, c, l);
	else
		render_list(m, c, l);
}
