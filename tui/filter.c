/* SPDX-License-Identifier: MIT */
#include "tui/filter.h"

#include <string.h>

void filter_open(struct model *m, enum model_mode mode)
{
	model_open(m, mode);
	memcpy(m->typed, mode == MODEL_FILTER ? m->filter : m->search, sizeof(m->typed));
}

int filter_rows(const struct model *m)
{
	return m->mode == MODEL_FILTER || m->mode == MODEL_SEARCH;
}

/* Take the last character off, all of its bytes. */
static void erase_typed(struct model *m)
{
	size_t len = strlen(m->typed);

	while (len > 0 && (m->typed[--len] & 0xc0) == 0x80)
		;
	m->typed[len] = '\0';
}

static void finish(struct model *m, const struct event *e)
{
	const bool filters = m->mode == MODEL_FILTER;

	m->mode = MODEL_PANE;
	memcpy(filters ? m->filter : m->search, m->typed, sizeof(m->typed));
	if (filters)
		model_arrange(m);
	else if (m->search[0])
		model_find(m, e, true);
}

bool filter_key(struct model *m, const struct event *e, struct effect *effect)
{
	const struct key *k = e->key;
	size_t len = strlen(m->typed);

	(void)effect;
	if (k->mods)
		return true;
	if (k->code == '\r' || k->code == KEYS_KEYPAD_ENTER) {
		finish(m, e);
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
	return true;
}

void filter_render(const struct model *m, struct cells *c, struct rect r)
{
	int x = cells_text(c, r.x, r.y, r.w, ROLE_KEY,
			   m->mode == MODEL_FILTER ? "Filter: " : "Search: ");

	x += cells_foreign(c, x, r.y, r.w - x - 1, ROLE_MESSAGE, m->typed);
	c->cursor = (struct cells_cursor){ .x = x, .y = r.y, .visible = x < r.w };
}
