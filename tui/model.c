/* SPDX-License-Identifier: MIT */
#include "tui/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "tui/filter.h"
#include "tui/flowlist.h"
#include "tui/mouse.h"
#include "tui/panes.h"
#include "tui/prompt_view.h"
#include "tui/rules.h"

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
	m->page = m->full_page = 1;
	m->dirty = m->mouse = true;
	m->flows = calloc(FLOW_ROWS, sizeof(*m->flows));
	m->order = calloc(FLOW_ROWS, sizeof(*m->order));
	m->judged = calloc(FLOW_ROWS, sizeof(*m->judged));
	if (socklist_new(&m->connections) || log_new(&m->log) || prompt_new(&m->prompt) ||
	    !m->flows || !m->order) {
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
	free(m->judged);
	socklist_free(&m->connections);
	prompt_free(&m->prompt);
	log_free(&m->log);
	rulelist_free(&m->rules);
	review_free(&m->review);
	free(m);
}

bool model_panics(const struct model *m)
{
	return strcmp(m->head.fallback, "panic") == 0;
}

enum keys_place model_place(const struct model *m)
{
	static const enum keys_place places[] = {
		[MODEL_DETAIL] = KEYS_IN_DETAIL,
		[MODEL_HELP] = KEYS_IN_HELP,
		[MODEL_QUIT] = KEYS_IN_QUIT,
		[MODEL_PANIC] = KEYS_IN_PANIC,
		[MODEL_FILTER] = 0,
		[MODEL_SEARCH] = 0,
	};

	if (places[m->mode])
		return places[m->mode];
	return m->pane == MODEL_OUTPUT && m->ended ? KEYS_IN_ENDED : panes_get(m->pane)->place;
}

void model_tell(struct model *m, const struct event *e, bool is_error, const char *text)
{
	snprintf(m->message, sizeof(m->message), "%.*s", (int)sizeof(m->message) - 1, text);
	m->message_is_error = is_error;
	m->message_elapsed = e->elapsed;
	m->dirty = true;
}

void model_open(struct model *m, enum model_mode mode)
{
	m->mode = mode;
	m->scroll = 0;
}

void model_arrange(struct model *m)
{
	for (enum pane_kind i = 0; i < MODEL_PANES; i++)
		if (panes_get(i)->arrange)
			panes_get(i)->arrange(m);
	m->dirty = true;
}

/* An open bar takes lines from what lies above it; the first one was the function bar's. */
static void fit_bar(struct model *m)
{
	const struct bar_ops *bar = panes_bar(m);
	unsigned int rows = bar ? (unsigned int)bar->rows(m) - 1 : 0;
	unsigned int page = m->full_page > rows ? m->full_page - rows : 1;

	if (page == m->page)
		return;
	m->page = page;
	model_arrange(m);
}

static void take_decisions(struct model *m, const struct event *e)
{
	if (e->decisions.missed)
		log_missed(&m->log, e->now, e->decisions.missed, m->filter);
	for (unsigned int i = 0; i < e->decisions.n; i++)
		log_decision(&m->log, &e->decisions.v[i], m->filter);
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

void model_go_to(struct model *m, const struct event *e, enum pane_kind pane)
{
	if (pane == MODEL_OUTPUT && !m->has_output) {
		model_tell(m, e, true, "the command has no terminal of its own");
		return;
	}
	m->pane = pane;
	m->mode = MODEL_PANE;
}

static void next_pane(struct model *m, const struct event *e, int step)
{
	model_go_to(m, e, (enum pane_kind)(((int)m->pane + step + MODEL_PANES) % MODEL_PANES));
}

/* Detail and help scroll, lists select. */
void model_move(struct model *m, long by)
{
	struct model_process processes[MODEL_PROCESSES];
	long lines, scroll = (long)m->scroll + by;

	if (m->mode == MODEL_PANE) {
		if (panes_get(m->pane)->move)
			panes_get(m->pane)->move(m, by);
		return;
	}
	lines = m->mode == MODEL_HELP ? HELP_LINES : DETAIL_LINES + model_processes(m, processes);
	lines -= m->page;
	if (scroll > lines)
		scroll = lines;
	m->scroll = scroll < 0 ? 0 : (unsigned int)scroll;
}

/* Esc: out of what is in front; in a list it takes the filter away, then the selection. */
static void go_back(struct model *m)
{
	if (m->mode != MODEL_PANE) {
		m->mode = MODEL_PANE;
	} else if (m->filter[0]) {
		m->filter[0] = '\0';
		model_arrange(m);
	} else if (panes_get(m->pane)->unselect) {
		panes_get(m->pane)->unselect(m);
	}
}

void model_sort(struct model *m, const struct event *e, int order)
{
	const struct pane_ops *pane = panes_get(m->pane);
	char text[64];

	if (!pane->sort)
		return;
	snprintf(text, sizeof(text), "sorted by %s", pane->sort(m, order));
	model_arrange(m);
	model_tell(m, e, false, text);
}

void model_find(struct model *m, const struct event *e, bool forward)
{
	const struct pane_ops *pane = panes_get(m->pane);
	char text[MODEL_MESSAGE_MAX / 2], line[MODEL_MESSAGE_MAX];

	if (!pane->find || !m->search[0]) {
		model_tell(m, e, true,
			   pane->find ? "F3 first: what to search for" : "nothing to search here");
		return;
	}
	if (pane->find(m, forward))
		return;
	escape_text(m->search, text, sizeof(text));
	snprintf(line, sizeof(line), "no other row contains '%s'", text);
	model_tell(m, e, true, line);
}

/* What a command of model.c itself asks of the world. */
static enum effect_kind effect_of(enum command command)
{
	return command == COMMAND_UNDO     ? EFFECT_UNDO
	       : command == COMMAND_RELOAD ? EFFECT_RELOAD
	       : command == COMMAND_REDRAW ? EFFECT_REDRAW
	       : command == COMMAND_STOP   ? EFFECT_STOP
	       : command == COMMAND_DETACH ? EFFECT_DETACH
	       : command == COMMAND_KILL   ? EFFECT_KILL
					   : EFFECT_NONE;
}

/* So that nobody wonders whether the monitor still listens. */
static void tell_useless(struct model *m, const struct event *e)
{
	const char *help = keys_help(e->key);
	char name[KEYS_NAME_MAX], text[MODEL_MESSAGE_MAX];

	if (m->mode != MODEL_PANE || m->pane == MODEL_OUTPUT || e->key->mods ||
	    e->key->code >= KEYS_PASTE_START || !*keys_name(e->key->code, name))
		return;
	snprintf(text, sizeof(text), "%s does nothing here: %s", name,
		 help ? help : "F1 shows the keys");
	model_tell(m, e, false, text);
}

static struct effect run_command(struct model *m, const struct event *e, enum command command)
{
	const long page = m->page;

	if (m->ended && keys_row(command)->changes) {
		model_tell(m, e, true, MODEL_NOTHING_LEFT);
		return (struct effect){ .kind = EFFECT_NONE };
	}
	switch (command) {
	case COMMAND_NONE:
		tell_useless(m, e);
		break;
	case COMMAND_HELP:
		model_open(m, MODEL_HELP);
		break;
	case COMMAND_FILTER:
		filter_open(m, MODEL_FILTER);
		break;
	case COMMAND_SEARCH:
		filter_open(m, MODEL_SEARCH);
		break;
	case COMMAND_FIND_NEXT:
		model_find(m, e, true);
		break;
	case COMMAND_FIND_PREVIOUS:
		model_find(m, e, false);
		break;
	case COMMAND_RULES:
		model_go_to(m, e, MODEL_RULES);
		break;
	case COMMAND_SAVE:
		rules_save(m);
		break;
	case COMMAND_OUTPUT:
		model_go_to(m, e, MODEL_OUTPUT);
		break;
	case COMMAND_LEAVE_OUTPUT:
		model_go_to(m, e, MODEL_DECISIONS);
		m->prefix = true;
		break;
	case COMMAND_MOUSE:
		mouse_toggle(m, e);
		break;
	case COMMAND_SORT:
		model_sort(m, e, -1);
		break;
	case COMMAND_NEXT_PANE:
		next_pane(m, e, 1);
		break;
	case COMMAND_PREVIOUS_PANE:
		next_pane(m, e, -1);
		break;
	case COMMAND_UP:
		model_move(m, -1);
		break;
	case COMMAND_DOWN:
		model_move(m, 1);
		break;
	case COMMAND_PAGE_UP:
		model_move(m, -page);
		break;
	case COMMAND_PAGE_DOWN:
		model_move(m, page);
		break;
	case COMMAND_FIRST:
		model_move(m, -(long)FLOW_ROWS);
		break;
	case COMMAND_LAST:
		model_move(m, FLOW_ROWS);
		break;
	case COMMAND_BACK:
		go_back(m);
		break;
	case COMMAND_QUIT:
		if (m->ended)
			return (struct effect){ .kind = EFFECT_DETACH };
		model_open(m, MODEL_QUIT);
		break;
	case COMMAND_PANIC:
		model_open(m, MODEL_PANIC);
		break;
	case COMMAND_PANIC_NOW:
		m->mode = MODEL_PANE;
		return (struct effect){ .kind = EFFECT_PANIC };
	case COMMAND_PAUSE_ALL:
		return (struct effect){ .kind = m->paused ? EFFECT_RESUME : EFFECT_PAUSE };
	default:
		if (effect_of(command) == EFFECT_NONE && panes_get(m->pane)->command)
			return panes_get(m->pane)->command(m, e, command);
	}
	return (struct effect){ .kind = effect_of(command) };
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

/* An `a` for a question that has just been answered elsewhere is none for the selected row. */
static bool is_for_prompt_that_left(const struct model *m, const struct event *e)
{
	return prompt_lingers(&m->prompt, e->elapsed) &&
	       keys_command(e->key, KEYS_IN_PROMPT) != COMMAND_NONE;
}

/* What is no text, and no answer to whatever a bar asks. */
static bool passes_bars(const struct key *k)
{
	return k->code == KEYS_CTRL(']') || k->code == KEYS_CTRL('l') || k->code == KEYS_CTRL('z');
}

static struct effect take_key(struct model *m, const struct event *e)
{
	const bool prefix = m->prefix;
	const bool pasted = is_pasted(m, e);
	const bool is_prefix = !pasted && e->key->code == KEYS_CTRL(']');
	const bool in_output = model_place(m) == KEYS_IN_OUTPUT;
	/* What is typed for the command is for no bar. */
	const struct bar_ops *bar = in_output || passes_bars(e->key) ? NULL : panes_bar(m);
	struct effect effect = { .kind = EFFECT_NONE };

	m->prefix = false;
	m->dirty = true;
	if (prefix && is_prefix) {
		m->pane = MODEL_OUTPUT;
		return (struct effect){ .kind = EFFECT_SEND, .key = *e->key };
	}
	if (in_output && !is_prefix)
		return (struct effect){ .kind = EFFECT_SEND, .key = *e->key };
	if (e->key->code == KEYS_MOUSE)
		return pasted ? effect : mouse_take(m, e);
	if (bar && (!pasted || (bar->takes_paste && e->key->code >= ' ')) &&
	    bar->key(m, e, &effect))
		return effect;
	if (pasted || is_for_prompt_that_left(m, e))
		return effect;
	m->message[0] = '\0';
	return run_command(m, e, keys_command(e->key, model_place(m)));
}

/* What is on the screen is what there is now. */
static void note_drawn(struct model *m, uint64_t elapsed)
{
	const struct bar_ops *bar = model_place(m) == KEYS_IN_OUTPUT ? NULL : panes_bar(m);

	prompt_shown(&m->prompt, bar && bar->key == prompt_view_key ? m->prompt.id : 0, elapsed);
}

/* Whether keys now count shows. */
static void note_ready(struct model *m, uint64_t elapsed)
{
	const bool ready = prompt_listens(&m->prompt, elapsed);

	m->dirty |= ready != m->prompt.ready;
	m->prompt.ready = ready;
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
		flowlist_take(m, e);
		break;
	case EVENT_DECISIONS:
		take_decisions(m, e);
		break;
	case EVENT_CONNECTIONS:
		socklist_take(&m->connections, e->connections, e->elapsed, m->filter, m->page);
		m->dirty = true;
		break;
	case EVENT_POLICY:
		rules_take(m, e);
		break;
	case EVENT_HITS:
		rules_take_hits(m, e);
		break;
	case EVENT_FILE:
		effect = rules_take_file(m, e);
		break;
	case EVENT_TRIAL:
		review_take(m, e);
		break;
	case EVENT_KEY:
		effect = take_key(m, e);
		break;
	case EVENT_SIZE:
		m->full_page = m->page = e->page ? e->page : 1;
		m->bar_w = e->bar_w;
		m->bar_room = e->bar_room;
		prompt_unsee(&m->prompt);
		model_arrange(m);
		break;
	case EVENT_REPLY:
		escape_text(e->reply.text, text, sizeof(text));
		model_tell(m, e, !e->reply.ok, text);
		log_message(&m->log, e->now, e->reply.text, m->filter);
		break;
	case EVENT_JUDGED:
		judged_take(m, e->elapsed, e->judged.batch, e->judged.reply);
		break;
	case EVENT_MESSAGE:
		escape_text(e->text, text, sizeof(text));
		model_tell(m, e, false, text);
		log_message(&m->log, e->now, e->text, m->filter);
		break;
	case EVENT_ENDED:
		m->ended = true;
		m->status = e->status;
		if (m->mode == MODEL_QUIT || m->mode == MODEL_PANIC)
			m->mode = MODEL_PANE;
		m->dirty = true;
		break;
	case EVENT_QUESTIONS:
		if (prompt_view_take(m, e))
			effect.kind = EFFECT_RING;
		break;
	case EVENT_ANSWERED:
		prompt_replied(&m->prompt, e->answered.id, e->answered.ok);
		name_bar_replied(&m->name_bar, e->answered.id, e->answered.ok);
		m->dirty = true;
		break;
	case EVENT_PAUSED:
		m->paused = e->paused;
		m->dirty = true;
		break;
	case EVENT_DRAWN:
		note_drawn(m, e->elapsed);
		break;
	}
	fit_bar(m);
	note_ready(m, e->elapsed);
	m->now = e->now;
	return effect;
}
