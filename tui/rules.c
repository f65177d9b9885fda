/* SPDX-License-Identifier: MIT */
#include "tui/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"

void rules_take(struct model *m, const struct event *e)
{
	struct policy_error err = { "" };
	int ret = rulelist_take(&m->rules, e->policy.text, e->policy.size, e->policy.generation,
				&err);
	char text[MODEL_MESSAGE_MAX];

	if (ret) {
		escape_text(ret == -EINVAL ? err.text : strerror(-ret), text, sizeof(text));
		model_tell(m, e, true, text);
	}
	rules_arrange(m);
	m->dirty = true;
}

void rules_take_hits(struct model *m, const struct event *e)
{
	rulelist_take_hits(&m->rules, e->policy.text, e->policy.generation);
	m->dirty = true;
}

struct effect rules_take_file(struct model *m, const struct event *e)
{
	char *copy = malloc(e->file.size + 1);

	if (!copy) {
		model_tell(m, e, true, strerror(ENOMEM));
		return (struct effect){ .kind = EFFECT_NONE };
	}
	memcpy(copy, e->file.text, e->file.size);
	return review_begin(m, copy, e->file.size, false, e->file.path, 0);
}

void rules_arrange(struct model *m)
{
	rulelist_arrange(&m->rules, m->filter, m->page);
}

void rules_move(struct model *m, long by)
{
	rulelist_move(&m->rules, by, m->page);
}

bool rules_find(struct model *m, bool forward)
{
	return rulelist_find(&m->rules, m->search, forward, m->page);
}

void rules_unselect(struct model *m)
{
	m->rules.selected = 0;
}

void rules_select(struct model *m, uint64_t id)
{
	rulelist_select(&m->rules, id, m->page);
}

/* The next rows are what the operator wants, unless `ret` says that there are none. */
static struct effect propose(struct model *m, const struct event *e, int ret)
{
	struct policy_error err = { "" };
	char *text = NULL, shown[MODEL_MESSAGE_MAX];

	if (ret == -ENOENT) {
		model_tell(m, e, true, "that cannot be done with this row");
		return (struct effect){ .kind = EFFECT_NONE };
	}
	if (!ret)
		ret = rulelist_write(&m->rules, &text, &err);
	if (ret == 1) {
		rules_edited(m);
		model_arrange(m);
	} else if (ret) {
		escape_text(ret == -EINVAL ? err.text : strerror(-ret), shown, sizeof(shown));
		if (!rules_refused(m, shown))
			model_tell(m, e, true, shown);
	} else {
		return review_begin(m, text, strlen(text), true, "(edited)", m->rules.generation);
	}
	return (struct effect){ .kind = EFFECT_NONE };
}

/* ---- the bar ---------------------------------------------------------------- */

static void open_bar(struct model *m, enum rules_typed what, uint64_t row, const char *text)
{
	m->rules_bar.what = what;
	m->rules_bar.row = row;
	m->rules_bar.error[0] = '\0';
	typing_set(&m->rules_bar.typing, text);
}

void rules_edited(struct model *m)
{
	m->rules_bar.what = RULES_NOTHING;
}

bool rules_refused(struct model *m, const char *text)
{
	if (!m->rules_bar.what)
		return false;
	snprintf(m->rules_bar.error, sizeof(m->rules_bar.error), "%s", text);
	return true;
}

void rules_save(struct model *m)
{
	open_bar(m, RULES_FILE, 0, m->profile ? m->profile : "");
}

int rules_bar_rows(const struct model *m)
{
	return !m->rules_bar.what ? 0 : m->rules_bar.error[0] ? 2 : 1;
}

/* Enter. A rule is parsed here at once: one that is off is not part of any policy that is. */
static struct effect send(struct model *m, const struct event *e)
{
	const struct rules_bar *bar = &m->rules_bar;
	struct policy_error err = { "" };
	struct draft *d;
	char shown[MODEL_MESSAGE_MAX];
	int ret;

	if (bar->what == RULES_FILE) {
		rules_edited(m);
		return (struct effect){ .kind = *bar->typing.text ? EFFECT_SAVE : EFFECT_NONE };
	}
	d = draft_new();
	ret = d ? draft_rule(d, bar->typing.text, &err) : -ENOMEM;
	draft_free(d);
	if (ret) {
		escape_text(ret == -EINVAL ? err.text : strerror(-ret), shown, sizeof(shown));
		rules_refused(m, shown);
		return (struct effect){ .kind = EFFECT_NONE };
	}
	if (bar->what == RULES_INSERT)
		return propose(m, e, rulelist_insert(&m->rules, bar->row, bar->typing.text));
	ret = rulelist_replace(&m->rules, bar->row, bar->typing.text);
	if (ret == -ENOENT) {
		rules_refused(m, "the rule has gone meanwhile: Esc, and insert it anew");
		return (struct effect){ .kind = EFFECT_NONE };
	}
	return propose(m, e, ret);
}

bool rules_bar_key(struct model *m, const struct event *e, struct effect *effect)
{
	const uint16_t code = e->key->code;

	if (code == KEYS_ESCAPE || code == KEYS_CTRL('c')) {
		review_free(&m->review);
		rules_edited(m);
	} else if ((code == '\r' || code == KEYS_KEYPAD_ENTER) && !e->key->mods) {
		*effect = send(m, e);
	} else if (typing_key(&m->rules_bar.typing, e->key)) {
		m->rules_bar.error[0] = '\0';
	}
	return true;
}

/* Where there is no room for all, what the message quotes is left out: it is on the line below. */
static const char *fit_error(const struct cells *c, int room, const char *text)
{
	const char *reason = text[0] == '\'' ? strstr(text, "': ") : NULL;

	return reason && cells_text_width(c, text) > room ? reason + 3 : text;
}

void rules_bar_render(const struct model *m, struct cells *c, struct rect r)
{
	static const char *const labels[] = {
		[RULES_INSERT] = "Insert: ",
		[RULES_CHANGE] = "Edit: ",
		[RULES_FILE] = "Save to: ",
	};
	const struct rules_bar *bar = &m->rules_bar;

	cells_fill(c, r, ROLE_TEXT);
	if (bar->error[0] && r.h > 1) {
		cells_fill(c, (struct rect){ r.x, r.y, r.w, 1 }, ROLE_ERROR);
		cells_text(c, r.x, r.y, r.w, ROLE_ERROR, fit_error(c, r.w, bar->error));
	}
	typing_render(&bar->typing, c, (struct rect){ r.x, r.y + r.h - 1, r.w, 1 },
		      labels[bar->what]);
}

/* ---- the keys --------------------------------------------------------------- */

static struct effect on_row(struct model *m, const struct event *e, enum command command,
			    const struct rulelist_row *row)
{
	struct rulelist *r = &m->rules;
	char shown[MODEL_MESSAGE_MAX];

	switch (command) {
	case COMMAND_EDIT:
		if (row->preset)
			return propose(m, e, -ENOENT);
		if (strlen(row->text) >= TYPING_MAX)
			model_tell(m, e, true, "the rule is too long for one line: edit its file");
		else
			open_bar(m, RULES_CHANGE, row->id, row->text);
		break;
	case COMMAND_REMOVE:
		return propose(m, e, rulelist_remove(r, row->id));
	case COMMAND_TOGGLE:
		return propose(m, e, rulelist_toggle(r, row->id));
	case COMMAND_RAISE:
		return propose(m, e, rulelist_shift(r, row->id, -1));
	case COMMAND_LOWER:
		return propose(m, e, rulelist_shift(r, row->id, 1));
	case COMMAND_DETAIL:
		escape_text(row->warning ? row->warning : row->text, shown, sizeof(shown));
		model_tell(m, e, false, shown);
		break;
	default:
		break;
	}
	return (struct effect){ .kind = EFFECT_NONE };
}

struct effect rules_command(struct model *m, const struct event *e, enum command command)
{
	const struct rulelist_row *row = rulelist_selected(&m->rules);

	if (!m->rules.policy) {
		model_tell(m, e, true, "the policy has not come yet");
		return (struct effect){ .kind = EFFECT_NONE };
	}
	if (command == COMMAND_INSERT) {
		open_bar(m, RULES_INSERT, row ? row->id : 0, "");
		return (struct effect){ .kind = EFFECT_NONE };
	}
	if (row)
		return on_row(m, e, command, row);
	model_tell(m, e, true, "select a row first: Up and Down");
	return (struct effect){ .kind = EFFECT_NONE };
}
