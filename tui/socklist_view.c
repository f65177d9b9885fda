/* SPDX-License-Identifier: MIT */
#include "tui/socklist_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/addr.h"
#include "tui/columns.h"
#include "tui/text.h"
#include "tui/view.h"

enum { CELL_MAX = 64 };

enum column {
	COLUMN_STATE,
	COLUMN_PROTO,
	COLUMN_ADDRESS,
	COLUMN_PORT,
	COLUMN_LOCAL,
	COLUMN_PROCESS,
	COLUMN_IN,
	COLUMN_OUT,
	COLUMN_RATE,
	COLUMN_AGE,
	COLUMN_COUNT,
};

static const struct column_head columns[COLUMN_COUNT] = {
	[COLUMN_STATE] = { "STATE", 11, false, 0 },
	[COLUMN_PROTO] = { "PROTO", 5, false, 0 },
	[COLUMN_ADDRESS] = { "ADDRESS", 15, false, 1 + SOCKLIST_ADDRESS },
	[COLUMN_PORT] = { "PORT", 5, true, 0 },
	[COLUMN_LOCAL] = { "LOCAL", 5, true, 0 },
	[COLUMN_PROCESS] = { "PROCESS", 13, false, 1 + SOCKLIST_PROCESS },
	[COLUMN_IN] = { "IN", 5, true, 1 + SOCKLIST_BYTES },
	[COLUMN_OUT] = { "OUT", 5, true, 0 },
	[COLUMN_RATE] = { "RATE", 5, true, 1 + SOCKLIST_RATE },
	[COLUMN_AGE] = { "AGE", 4, true, 1 + SOCKLIST_NEWEST },
};

/* What there is room for, the most important first. */
static const enum column importance[COLUMN_COUNT] = {
	COLUMN_ADDRESS, COLUMN_PORT,    COLUMN_IN,  COLUMN_OUT,   COLUMN_RATE,
	COLUMN_STATE,   COLUMN_PROCESS, COLUMN_AGE, COLUMN_PROTO, COLUMN_LOCAL,
};

/* A width of 0 is a column that is left out; what is left over goes to address and process. */
static void divide(const struct model *m, int w, int widths[static COLUMN_COUNT])
{
	int left = w + 1, longest = columns[COLUMN_ADDRESS].width;

	memset(widths, 0, COLUMN_COUNT * sizeof(*widths));
	for (int i = 0; i < COLUMN_COUNT; i++) {
		enum column column = importance[i];

		if (columns[column].width + 1 > left)
			break;
		widths[column] = columns[column].width;
		left -= widths[column] + 1;
	}
	/* On a screen that is narrower than anything. */
	if (!widths[COLUMN_ADDRESS]) {
		widths[COLUMN_ADDRESS] = w;
		return;
	}
	for (unsigned int i = 0; i < m->connections.n; i++) {
		char text[ADDR_TEXT_MAX];
		int len = (int)strlen(addr_text(m->connections.rows[i].socket.peer, text));

		if (m->connections.rows[i].socket.peer.family && len > longest)
			longest = len;
	}
	longest -= widths[COLUMN_ADDRESS];
	longest = longest < left ? longest : left;
	widths[COLUMN_ADDRESS] += longest;
	left -= longest;
	if (widths[COLUMN_PROCESS])
		widths[COLUMN_PROCESS] += left < 12 ? left : 12;
}

static const char *count_text(const struct opened *o, uint64_t n, char buf[static CELL_MAX])
{
	if (!o->has_bytes)
		return "-";
	text_count(n, buf);
	return buf;
}

static const char *cell_text(const struct socklist_row *r, uint64_t elapsed, enum column column,
			     char buf[static CELL_MAX])
{
	const struct opened *o = &r->socket;

	switch (column) {
	case COLUMN_STATE:
		return opened_state(o);
	case COLUMN_PROTO:
		return proto_name((enum proto)o->proto);
	case COLUMN_ADDRESS:
		return addr_text(o->peer.family ? o->peer : o->local, buf);
	case COLUMN_PORT:
		snprintf(buf, CELL_MAX, "%d", o->peer.family ? o->peer_port : o->local_port);
		return buf;
	case COLUMN_LOCAL:
		snprintf(buf, CELL_MAX, "%u", o->local_port);
		return buf;
	case COLUMN_IN:
		return count_text(o, o->in, buf);
	case COLUMN_OUT:
		return count_text(o, o->out, buf);
	case COLUMN_RATE:
		return count_text(o, r->rate, buf);
	case COLUMN_AGE:
		return text_age(elapsed > r->since ? elapsed - r->since : 0, buf);
	case COLUMN_PROCESS:
		return o->comm;
	case COLUMN_COUNT:
		break;
	}
	return "";
}

static void render_row(const struct socklist *s, struct cells *c, int y, const int *widths,
		       const struct socklist_row *r)
{
	const bool selected = r->socket.cookie == s->selected;
	const enum role role = selected ? ROLE_SELECTED : ROLE_TEXT;
	char buf[CELL_MAX], pid[16];
	int x = 0;

	snprintf(pid, sizeof(pid), "[%d]", r->socket.pid);
	spot_add(&c->spots, 0, y, c->w, SPOT_ROW, r->socket.cookie);
	if (selected)
		cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_SELECTED);
	/* The name was chosen by the process, its number was not. */
	for (enum column i = 0; i < COLUMN_COUNT; i++)
		columns_cell(c, &x, y, &columns[i], widths[i], role,
			     cell_text(r, s->elapsed, i, buf), i == COLUMN_PROCESS ? pid : NULL);
}

/* What the list lacks, on the line below its last row, if there is one. */
static void render_rest(const struct model *m, struct cells *c, struct rect r)
{
	const struct socklist *s = &m->connections;
	char text[128];
	int y = (int)(s->shown - s->top);

	if (y >= r.h)
		return;
	if (!s->known)
		snprintf(text, sizeof(text), "%s",
			 m->ended ? "the command has ended: nothing is open" : "looking ...");
	else if (s->n == 0 && !s->unseen)
		snprintf(text, sizeof(text), "the command has no TCP or UDP socket open");
	else if (s->shown == 0 && s->n)
		snprintf(text, sizeof(text),
			 "no row contains the filter's text: Esc takes it away");
	else if (s->more)
		snprintf(text, sizeof(text), "and %" PRIu64 " more", s->more);
	else if (s->unseen)
		snprintf(text, sizeof(text), "%u tasks cannot be looked into", s->unseen);
	else
		return;
	cells_text(c, r.x, r.y + y, r.w, ROLE_DIM, text);
}

void socklist_render(const struct model *m, struct cells *c, const struct view_layout *l)
{
	const struct socklist *s = &m->connections;
	int widths[COLUMN_COUNT];

	divide(m, c->w, widths);
	if (l->columns >= 0)
		columns_heads(c, l->columns, columns, COLUMN_COUNT, widths, s->sort);
	for (int y = 0; y < l->body.h && s->top + (unsigned int)y < s->shown; y++)
		render_row(s, c, l->body.y + y, widths, &s->rows[s->order[s->top + y]]);
	render_rest(m, c, l->body);
}
