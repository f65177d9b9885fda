/* SPDX-License-Identifier: MIT */
#include "tui/rules_view.h"

#include <stdio.h>
#include <string.h>

#include "tui/columns.h"
#include "tui/text.h"
#include "tui/view.h"

enum column { COLUMN_NUMBER, COLUMN_HITS, COLUMN_RULE, COLUMN_NOTE, COLUMN_COUNT };

static const struct column_head columns[COLUMN_COUNT] = {
	[COLUMN_NUMBER] = { "#", 4, true, 0 },
	[COLUMN_HITS] = { "HITS", 5, true, 0 },
	[COLUMN_RULE] = { "RULE", 12, false, 0 },
	[COLUMN_NOTE] = { "NOTE", 13, false, 0 },
};

/* What there is room for, the most important first; what is left over is the rule's. */
static const enum column importance[COLUMN_COUNT] = {
	COLUMN_RULE,
	COLUMN_NUMBER,
	COLUMN_HITS,
	COLUMN_NOTE,
};

static void divide(int w, int widths[static COLUMN_COUNT])
{
	int left = w + 1;

	memset(widths, 0, COLUMN_COUNT * sizeof(*widths));
	for (int i = 0; i < COLUMN_COUNT; i++) {
		const int width = columns[importance[i]].width;

		if (width + 1 > left)
			break;
		widths[importance[i]] = width;
		left -= width + 1;
	}
	widths[COLUMN_RULE] = widths[COLUMN_RULE] ? widths[COLUMN_RULE] + left : w;
}

static enum role role_of(const struct rulelist_row *row)
{
	return row->off                           ? ROLE_DIM
	       : !strncmp(row->text, "allow ", 6) ? ROLE_ALLOW
	       : !strncmp(row->text, "deny ", 5)  ? ROLE_DENY
						  : ROLE_HOLD;
}

/* `number`: as the policy counts. */
static void render_row(const struct rulelist *r, struct cells *c, int y, const int *widths,
		       const struct rulelist_row *row, size_t number)
{
	const bool selected = row->id == r->selected;
	const enum role plain = selected ? ROLE_SELECTED : ROLE_TEXT;
	char digits[TEXT_MAX] = "off", hits[TEXT_MAX] = "-";
	const char *note = row->off ? "off" : row->lint ? row->lint : row->preset ? r->preset : "";
	int x = 0;

	if (!row->off) {
		snprintf(digits, sizeof(digits), "%zu", number);
		text_count(row->hits, hits);
	}
	spot_add(&c->spots, 0, y, c->w, SPOT_ROW, row->id);
	if (selected)
		cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_SELECTED);
	columns_cell(c, &x, y, &columns[COLUMN_NUMBER], widths[COLUMN_NUMBER], plain, digits, NULL);
	columns_cell(c, &x, y, &columns[COLUMN_HITS], widths[COLUMN_HITS], plain, hits, NULL);
	columns_cell(c, &x, y, &columns[COLUMN_RULE], widths[COLUMN_RULE],
		     selected ? plain : role_of(row), row->text, NULL);
	columns_cell(c, &x, y, &columns[COLUMN_NOTE], widths[COLUMN_NOTE],
		     selected ? plain : ROLE_HOLD, note, NULL);
}

/* On the line below the last row, if there is one. */
static void render_rest(const struct model *m, struct cells *c, struct rect r)
{
	const struct rulelist *list = &m->rules;
	long y = (long)list->shown - (long)list->top;
	char text[128];

	if (!list->policy)
		snprintf(text, sizeof(text), "%s",
			 m->ended ? "the command has ended before they were known" : "looking ...");
	else if (list->shown == 0 && list->rows.n)
		snprintf(text, sizeof(text),
			 "no rule contains the filter's text: Esc takes it away");
	else if (model_panics(m))
		snprintf(text, sizeof(text), "panic: none of them counts, all is denied until u");
	else if (list->fallback)
		snprintf(text, sizeof(text), "what no rule matches: %s", list->fallback);
	else
		return;
	if (y < r.h)
		cells_text(c, r.x, r.y + (int)y, r.w, ROLE_DIM, text);
}

void rules_render(const struct model *m, struct cells *c, const struct view_layout *l)
{
	const struct rulelist *r = &m->rules;
	size_t number = 0, i = 0;
	int widths[COLUMN_COUNT];

	divide(c->w, widths);
	if (l->columns >= 0)
		columns_heads(c, l->columns, columns, COLUMN_COUNT, widths, -1);
	for (int y = 0; y < l->body.h && r->top + (size_t)y < r->shown; y++) {
		size_t at = r->order[r->top + (size_t)y];

		for (; i <= at; i++)
			number += !r->rows.v[i].off;
		render_row(r, c, l->body.y + y, widths, &r->rows.v[at], number);
	}
	render_rest(m, c, l->body);
}
