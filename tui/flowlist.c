/* SPDX-License-Identifier: MIT */
#include "tui/flowlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int model_position(const struct model *m)
{
	for (unsigned int i = 0; m->selected && i < m->shown; i++)
		if (m->flows[m->order[i]].id == m->selected)
			return (int)i;
	return -1;
}

/* The last position that `top` may have. */
static unsigned int last_top(const struct model *m)
{
	return m->shown > m->page ? m->shown - m->page : 0;
}

/* Have the selected row on the screen, on its line `line` if it can be. */
static void show_selection(struct model *m, int line)
{
	int position = model_position(m);
	int top = (int)m->top;

	if (position >= 0) {
		if (line >= 0)
			top = position - line;
		if (top > position)
			top = position;
		if (top + (int)m->page <= position)
			top = position - (int)m->page + 1;
	}
	m->top = top < 0 ? 0 : (unsigned int)top;
	if (m->top > last_top(m))
		m->top = last_top(m);
}

/* Sort and filter anew; the selected row keeps its line on the screen. */
void flowlist_arrange(struct model *m)
{
	int line = model_position(m);

	if (line >= 0)
		line -= (int)m->top;
	m->shown = order_rows(m->flows, m->n_flows, m->sort, m->filter, m->order);
	show_selection(m, line);
}

static void select_position(struct model *m, long position)
{
	if (m->shown == 0)
		return;
	if (position < 0)
		position = 0;
	if (position >= m->shown)
		position = m->shown - 1;
	m->selection = m->flows[m->order[position]];
	m->selected = m->selection.id;
	show_selection(m, -1);
}

/* Without a selection, going anywhere begins at the first row on the screen. */
void flowlist_move(struct model *m, long by)
{
	int position = model_position(m);

	if (position < 0)
		by = labs(by) < FLOW_ROWS ? m->top : m->top + by;
	else
		by += position;
	select_position(m, by);
}

void flowlist_unselect(struct model *m)
{
	m->selected = 0;
}

void flowlist_select(struct model *m, uint64_t id)
{
	for (unsigned int i = 0; i < m->shown; i++)
		if (m->flows[m->order[i]].id == id)
			select_position(m, i);
}

const char *flowlist_sort(struct model *m, int order)
{
	m->sort = (enum order_sort)(order >= 0 ? order : ((int)m->sort + 1) % ORDER_COUNT);
	return order_name(m->sort);
}

bool flowlist_find(struct model *m, bool forward)
{
	const long n = m->shown, step = forward ? 1 : n - 1;
	long at = model_position(m);

	/* From the selected row, or from the first on the screen, once around. */
	at = at >= 0 ? at + step : m->top;
	for (long i = 0; i < n; i++, at += step) {
		if (!order_contains(&m->flows[m->order[at % n]], m->search))
			continue;
		select_position(m, at % n);
		return true;
	}
	return false;
}

void flowlist_take(struct model *m, const struct event *e)
{
	m->n_flows = e->flows.n < FLOW_ROWS ? e->flows.n : FLOW_ROWS;
	memcpy(m->flows, e->flows.v, m->n_flows * sizeof(*m->flows));
	m->has_host = m->has_long = false;
	for (unsigned int i = 0; i < m->n_flows; i++) {
		const struct flow *f = &m->flows[i];

		m->has_host |= f->host[0] != '\0';
		m->has_long |= f->family != 4;
		if (f->id == m->selected)
			m->selection = *f;
	}
	flowlist_arrange(m);
	m->dirty = true;
}

/* In a rule such a name would mean more than itself, or nothing. */
static bool is_pattern(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || strchr("*$,\177", *name))
			return true;
	return false;
}

bool model_rule(const struct flow *f, enum verdict verdict, char buf[static EXPLAIN_HINT_MAX])
{
	const struct record r = flow_record(f);

	if (f->name_len && (!r.endpoint.name || is_pattern(f->name))) {
		snprintf(buf, EXPLAIN_HINT_MAX, "no rule means exactly this name");
		return false;
	}
	if (!f->name_len && !f->family) {
		snprintf(buf, EXPLAIN_HINT_MAX, "it has no address that a rule could name");
		return false;
	}
	explain_hint(&r.endpoint, verdict, buf);
	return true;
}

/* a and d: only for a row that is on the screen. */
static struct effect change_rule(struct model *m, const struct event *e, enum effect_kind kind)
{
	struct effect effect = { .kind = EFFECT_NONE };
	char rule[EXPLAIN_HINT_MAX];

	if (!m->selected) {
		model_tell(m, e, true, "select a row first: Up and Down");
		return effect;
	}
	if (m->mode != MODEL_DETAIL && model_position(m) < 0) {
		model_tell(m, e, true,
			   "the selected row is not shown: change the filter, or select another");
		return effect;
	}
	if (!model_rule(&m->selection, kind == EFFECT_ALLOW ? VERDICT_DENY : VERDICT_ALLOW, rule)) {
		model_tell(m, e, true, rule);
		return effect;
	}
	/* Behind the action. */
	snprintf(effect.spec, sizeof(effect.spec), "%s", strchr(rule, ' ') + 1);
	effect.kind = kind;
	return effect;
}

static void open_detail(struct model *m, const struct event *e)
{
	if (model_position(m) >= 0)
		model_open(m, MODEL_DETAIL);
	else
		model_tell(m, e, true, "select a row first: Up and Down");
}

/* A and D: what a and d can do, or more. */
static void ask_scope(struct model *m, const struct event *e, bool allow)
{
	if (change_rule(m, e, allow ? EFFECT_ALLOW : EFFECT_DENY).kind != EFFECT_NONE)
		scope_bar_open(m, &m->selection, allow);
}

struct effect flowlist_command(struct model *m, const struct event *e, enum command command)
{
	if (command == COMMAND_ALLOW)
		return change_rule(m, e, EFFECT_ALLOW);
	if (command == COMMAND_DENY)
		return change_rule(m, e, EFFECT_DENY);
	if (command == COMMAND_ALLOW_SCOPE || command == COMMAND_DENY_SCOPE)
		ask_scope(m, e, command == COMMAND_ALLOW_SCOPE);
	if (command == COMMAND_DETAIL)
		open_detail(m, e);
	return (struct effect){ .kind = EFFECT_NONE };
}

unsigned int model_processes(const struct model *m,
			     struct model_process out[static MODEL_PROCESSES])
{
	uint64_t oldest = log_oldest(&m->log);
	unsigned int n = 0, i;

	for (uint64_t line = m->log.n; line-- > oldest;) {
		const struct ledger_decision *d = log_decided(&m->log, line);

		if (!d || d->flow != m->selected)
			continue;
		for (i = 0; i < n && out[i].pid != d->pid; i++)
			;
		if (i == MODEL_PROCESSES)
			continue;
		if (i == n)
			out[n++] =
				(struct model_process){ .pid = d->pid, .last = d->ts, .newest = d };
		out[i].decisions++;
	}
	return n;
}
