/* SPDX-License-Identifier: MIT */
#include "tui/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "tui/order.h"

#define SECOND UINT64_C(1000000000)

enum {
	MESSAGE_SECONDS = 6,
	PASTE_SECONDS = 3, /* without its end, a paste is over */
	/* Lines of the longest detail, without its processes, and of the help. */
	DETAIL_LINES = 16,
	HELP_LINES = COMMAND_COUNT + 4,
};

struct model *model_new(bool attached, bool has_output)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->attached = attached;
	m->has_output = has_output;
	m->pane = has_output && !attached ? MODEL_OUTPUT : MODEL_DECISIONS;
	m->page = 1;
	m->dirty = true;
	m->flows = calloc(FLOW_ROWS, sizeof(*m->flows));
	m->order = calloc(FLOW_ROWS, sizeof(*m->order));
	m->recent = calloc(LEDGER_DECISIONS, sizeof(*m->recent));
	if (socklist_new(&m->connections) || !m->flows || !m->order || !m->recent) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	free(m->flows);
	free(m->order);
	free(m->recent);
	socklist_free(&m->connections);
	free(m);
}

enum keys_place model_place(const struct model *m)
{
	switch (m->mode) {
	case MODEL_DETAIL:
		return KEYS_IN_DETAIL;
	case MODEL_HELP:
		return KEYS_IN_HELP;
	case MODEL_QUIT:
		return KEYS_IN_QUIT;
	case MODEL_PANE:
	case MODEL_FILTER:
		break;
	}
	if (m->pane == MODEL_OUTPUT && m->ended)
		return KEYS_IN_ENDED;
	return m->pane == MODEL_OUTPUT        ? KEYS_IN_OUTPUT
	       : m->pane == MODEL_CONNECTIONS ? KEYS_IN_CONNECTIONS
					      : KEYS_IN_LIST;
}

/* Say something to the operator; what is quoted in it must be escaped. */
static void tell(struct model *m, const struct event *e, bool is_error, const char *text)
{
	snprintf(m->message, sizeof(m->message), "%.*s", (int)sizeof(m->message) - 1, text);
	m->message_is_error = is_error;
	m->message_elapsed = e->elapsed;
	m->dirty = true;
}

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
static void arrange(struct model *m)
{
	int line = model_position(m);

	if (line >= 0)
		line -= (int)m->top;
	m->shown = order_rows(m->flows, m->n_flows, m->sort, m->filter, m->order);
	show_selection(m, line);
	socklist_arrange(&m->connections, m->filter, m->page);
	m->dirty = true;
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
static void move_selection(struct model *m, long by)
{
	int position = model_position(m);

	if (position < 0)
		by = labs(by) < FLOW_ROWS ? m->top : m->top + by;
	else
		by += position;
	select_position(m, by);
}

static void take_flows(struct model *m, const struct event *e)
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
	arrange(m);
}

static void take_decisions(struct model *m, const struct event *e)
{
	for (unsigned int i = 0; i < e->decisions.n; i++)
		m->recent[m->n_recent++ % LEDGER_DECISIONS] = e->decisions.v[i];
	m->dirty = true;
}

static void take_head(struct model *m, const struct event *e)
{
	const struct ledger_head *h = e->head;
	uint64_t rate = m->rate.now;

	rate_add(&m->rate, e->elapsed,
		 h->stats.counter[STAT_ALLOWED] + h->stats.counter[STAT_DENIED]);
	m->dirty |= e->now / SECOND != m->now / SECOND || rate != m->rate.now ||
		    h->generation != m->head.generation || h->held != m->head.held ||
		    h->tasks != m->head.tasks || h->decisions != m->head.decisions;
	m->head = *h;
	if (m->message[0] && e->elapsed - m->message_elapsed > MESSAGE_SECONDS * SECOND) {
		m->message[0] = '\0';
		m->dirty = true;
	}
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
		tell(m, e, true, "select a row first: Up and Down");
		return effect;
	}
	if (m->mode != MODEL_DETAIL && model_position(m) < 0) {
		tell(m, e, true,
		     "the selected row is not shown: change the filter, or select another");
		return effect;
	}
	if (!model_rule(&m->selection, kind == EFFECT_ALLOW ? VERDICT_DENY : VERDICT_ALLOW, rule)) {
		tell(m, e, true, rule);
		return effect;
	}
	/* Behind the action. */
	snprintf(effect.spec, sizeof(effect.spec), "%s", strchr(rule, ' ') + 1);
	effect.kind = kind;
	return effect;
}

/* k and K. */
static struct effect shut(struct model *m, const struct event *e, enum effect_kind kind)
{
	const struct socklist_row *row = socklist_selected(&m->connections);
	struct effect effect = { .kind = EFFECT_NONE };
	struct endpoint endpoint = { .dir = DIR_OUT };
	char rule[EXPLAIN_HINT_MAX];

	if (!row) {
		tell(m, e, true, "select a row first: Up and Down");
	} else if (!row->socket.peer.family) {
		tell(m, e, true, "it is not connected: there is nothing to shut");
	} else if (kind == EFFECT_SHUT && !row->socket.outbound) {
		tell(m, e, true, "the command has accepted it, so it is no flow: k shuts it alone");
	} else {
		endpoint.proto = (enum proto)row->socket.proto;
		endpoint.addr = row->socket.peer;
		endpoint.port = row->socket.peer_port;
		explain_hint(&endpoint, VERDICT_ALLOW, rule);
		snprintf(effect.spec, sizeof(effect.spec), "%s", strchr(rule, ' ') + 1);
		effect.cookie = row->socket.cookie;
		effect.kind = kind;
	}
	return effect;
}

static void go_to(struct model *m, const struct event *e, enum pane_kind pane)
{
	if (pane == MODEL_OUTPUT && !m->has_output) {
		tell(m, e, true, "the command has no terminal of its own");
		return;
	}
	m->pane = pane;
	m->mode = MODEL_PANE;
}

static void next_pane(struct model *m, const struct event *e, int step)
{
	go_to(m, e, (enum pane_kind)(((int)m->pane + step + MODEL_PANES) % MODEL_PANES));
}

/* Detail and help scroll, lists select. */
static void move(struct model *m, long by)
{
	struct model_process processes[MODEL_PROCESSES];
	long lines, scroll = (long)m->scroll + by;

	if (m->mode == MODEL_PANE) {
		if (m->pane == MODEL_CONNECTIONS)
			socklist_move(&m->connections, by, m->page);
		else
			move_selection(m, by);
		return;
	}
	lines = m->mode == MODEL_HELP ? HELP_LINES : DETAIL_LINES + model_processes(m, processes);
	lines -= m->page;
	if (scroll > lines)
		scroll = lines;
	m->scroll = scroll < 0 ? 0 : (unsigned int)scroll;
}

static void open_mode(struct model *m, enum model_mode mode)
{
	m->mode = mode;
	m->scroll = 0;
	if (mode == MODEL_FILTER)
		memcpy(m->typed, m->filter, sizeof(m->typed));
}

static void open_detail(struct model *m, const struct event *e)
{
	if (model_position(m) >= 0)
		open_mode(m, MODEL_DETAIL);
	else
		tell(m, e, true, "select a row first: Up and Down");
}

/* Esc: out of what is in front; in a list it takes the filter away, then the selection. */
static void go_back(struct model *m)
{
	if (m->mode != MODEL_PANE) {
		m->mode = MODEL_PANE;
	} else if (m->filter[0]) {
		m->filter[0] = '\0';
		arrange(m);
	} else if (m->pane == MODEL_CONNECTIONS) {
		m->connections.selected = 0;
	} else {
		m->selected = 0;
	}
}

static void change_sort(struct model *m, const struct event *e)
{
	struct socklist *c = &m->connections;
	const bool connections = m->pane == MODEL_CONNECTIONS;
	char text[64];

	if (connections)
		c->sort = (enum socklist_sort)((c->sort + 1) % SOCKLIST_SORTS);
	else
		m->sort = (enum order_sort)((m->sort + 1) % ORDER_COUNT);
	arrange(m);
	snprintf(text, sizeof(text), "sorted by %s",
		 connections ? socklist_sort_name(c->sort) : order_name(m->sort));
	tell(m, e, false, text);
}

static struct effect run_command(struct model *m, const struct event *e, enum command command)
{
	const long page = m->page;

	switch (command) {
	case COMMAND_NONE:
	case COMMAND_COUNT:
		break;
	case COMMAND_HELP:
		open_mode(m, MODEL_HELP);
		break;
	case COMMAND_FILTER:
		open_mode(m, MODEL_FILTER);
		break;
	case COMMAND_OUTPUT:
		go_to(m, e, MODEL_OUTPUT);
		break;
	case COMMAND_LEAVE_OUTPUT:
		go_to(m, e, MODEL_DECISIONS);
		m->prefix = true;
		break;
	case COMMAND_SORT:
		change_sort(m, e);
		break;
	case COMMAND_NEXT_PANE:
		next_pane(m, e, 1);
		break;
	case COMMAND_PREVIOUS_PANE:
		next_pane(m, e, -1);
		break;
	case COMMAND_UP:
		move(m, -1);
		break;
	case COMMAND_DOWN:
		move(m, 1);
		break;
	case COMMAND_PAGE_UP:
		move(m, -page);
		break;
	case COMMAND_PAGE_DOWN:
		move(m, page);
		break;
	case COMMAND_FIRST:
		move(m, -(long)FLOW_ROWS);
		break;
	case COMMAND_LAST:
		move(m, FLOW_ROWS);
		break;
	case COMMAND_DETAIL:
		open_detail(m, e);
		break;
	case COMMAND_ALLOW:
		return change_rule(m, e, EFFECT_ALLOW);
	case COMMAND_DENY:
		return change_rule(m, e, EFFECT_DENY);
	case COMMAND_UNDO:
		return (struct effect){ .kind = EFFECT_UNDO };
	case COMMAND_DISCONNECT:
		return shut(m, e, EFFECT_DISCONNECT);
	case COMMAND_SHUT:
		return shut(m, e, EFFECT_SHUT);
	case COMMAND_BACK:
		go_back(m);
		break;
	case COMMAND_QUIT:
		if (m->ended)
			return (struct effect){ .kind = EFFECT_DETACH };
		open_mode(m, MODEL_QUIT);
		break;
	case COMMAND_REDRAW:
		return (struct effect){ .kind = EFFECT_REDRAW };
	case COMMAND_DETACH:
		return (struct effect){ .kind = EFFECT_DETACH };
	case COMMAND_KILL:
		return (struct effect){ .kind = EFFECT_KILL };
	}
	return (struct effect){ .kind = EFFECT_NONE };
}

/* Take the last character off, all of its bytes. */
static void erase_typed(struct model *m)
{
	size_t len = strlen(m->typed);

	while (len > 0 && (m->typed[--len] & 0xc0) == 0x80)
		;
	m->typed[len] = '\0';
}

static void type_filter(struct model *m, const struct key *k)
{
	size_t len = strlen(m->typed);

	if (k->mods)
		return;
	if (k->code == '\r' || k->code == KEYS_KEYPAD_ENTER) {
		memcpy(m->filter, m->typed, sizeof(m->filter));
		m->mode = MODEL_PANE;
		arrange(m);
	} else if (k->code == KEYS_ESCAPE || k->code == KEYS_CTRL('c')) {
		m->mode = MODEL_PANE;
	} else if (k->code == 0x7f || k->code == '\b') {
		erase_typed(m);
	} else if (k->code == KEYS_CTRL('u')) {
		m->typed[0] = '\0';
	} else if (k->code >= ' ' && k->code < KEYS_UP && len + 1 < sizeof(m->typed)) {
		m->typed[len] = (char)k->code;
		m->typed[len + 1] = '\0';
	}
}

/* Whether the key is the beginning, a part or the end of something pasted. */
static bool is_pasted(struct model *m, const struct event *e)
{
	if (m->pasting && e->elapsed - m->key_elapsed > PASTE_SECONDS * SECOND)
		m->pasting = false;
	m->key_elapsed = e->elapsed;
	if (e->key->code == KEYS_PASTE_START)
		m->pasting = true;
	else if (e->key->code == KEYS_PASTE_END)
		m->pasting = false;
	else
		return m->pasting;
	return true;
}

static struct effect take_key(struct model *m, const struct event *e)
{
	const bool prefix = m->prefix;
	const bool pasted = is_pasted(m, e);
	const bool is_prefix = !pasted && e->key->code == KEYS_CTRL(']');

	m->prefix = false;
	m->dirty = true;
	if (prefix && is_prefix) {
		m->pane = MODEL_OUTPUT;
		return (struct effect){ .kind = EFFECT_SEND, .key = *e->key };
	}
	if (model_place(m) == KEYS_IN_OUTPUT && !is_prefix)
		return (struct effect){ .kind = EFFECT_SEND, .key = *e->key };
	if (m->mode == MODEL_FILTER && !(pasted && e->key->code < ' ')) {
		type_filter(m, e->key);
		return (struct effect){ .kind = EFFECT_NONE };
	}
	if (pasted)
		return (struct effect){ .kind = EFFECT_NONE };
	m->message[0] = '\0';
	return run_command(m, e, keys_command(e->key, model_place(m)));
}

struct effect model_apply(struct model *m, const struct event *e)
{
	struct effect effect = { .kind = EFFECT_NONE };
	char text[MODEL_MESSAGE_MAX];

	switch (e->kind) {
	case EVENT_HEAD:
		take_head(m, e);
		break;
	case EVENT_FLOWS:
		take_flows(m, e);
		break;
	case EVENT_DECISIONS:
		take_decisions(m, e);
		break;
	case EVENT_CONNECTIONS:
		socklist_take(&m->connections, e->connections, e->elapsed, m->filter, m->page);
		m->dirty = true;
		break;
	case EVENT_KEY:
		effect = take_key(m, e);
		break;
	case EVENT_SIZE:
		m->page = e->page ? e->page : 1;
		show_selection(m, -1);
		socklist_arrange(&m->connections, m->filter, m->page);
		m->dirty = true;
		break;
	case EVENT_REPLY:
		escape_text(e->reply.text, text, sizeof(text));
		tell(m, e, !e->reply.ok, text);
		break;
	case EVENT_ENDED:
		m->ended = true;
		m->status = e->status;
		m->mode = m->mode == MODEL_QUIT ? MODEL_PANE : m->mode;
		m->dirty = true;
		break;
	}
	m->now = e->now;
	return effect;
}

unsigned int model_processes(const struct model *m,
			     struct model_process out[static MODEL_PROCESSES])
{
	uint64_t oldest = m->n_recent > LEDGER_DECISIONS ? m->n_recent - LEDGER_DECISIONS : 0;
	unsigned int n = 0, i;

	for (uint64_t seq = m->n_recent; seq-- > oldest;) {
		const struct ledger_decision *d = &m->recent[seq % LEDGER_DECISIONS];

		if (d->flow != m->selected)
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
