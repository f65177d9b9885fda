/* SPDX-License-Identifier: MIT */
#include "tui/connections.h"

#include <stdio.h>
#include <string.h>

/* k and K. */
static struct effect shut(struct model *m, const struct event *e, enum effect_kind kind)
{
	const struct socklist_row *row = socklist_selected(&m->connections);
	struct effect effect = { .kind = EFFECT_NONE };
	struct endpoint endpoint = { .dir = DIR_OUT };
	char rule[EXPLAIN_HINT_MAX];

	if (!row) {
		model_tell(m, e, true, "select a row first: Up and Down");
	} else if (!row->socket.peer.family) {
		model_tell(m, e, true, "it is not connected: there is nothing to shut");
	} else if (kind == EFFECT_SHUT && !row->socket.outbound) {
		model_tell(m, e, true,
			   "the command has accepted it, so it is no flow: k shuts it alone");
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

void connections_arrange(struct model *m)
{
	socklist_arrange(&m->connections, m->filter, m->page);
}

void connections_move(struct model *m, long by)
{
	socklist_move(&m->connections, by, m->page);
}

void connections_unselect(struct model *m)
{
	m->connections.selected = 0;
}

void connections_select(struct model *m, uint64_t id)
{
	socklist_select(&m->connections, id, m->page);
}

const char *connections_sort(struct model *m, int order)
{
	struct socklist *c = &m->connections;

	c->sort = (enum socklist_sort)(order >= 0 ? order : ((int)c->sort + 1) % SOCKLIST_SORTS);
	return socklist_sort_name(c->sort);
}

bool connections_find(struct model *m, bool forward)
{
	return socklist_find(&m->connections, m->search, forward, m->page);
}

struct effect connections_command(struct model *m, const struct event *e, enum command command)
{
	if (command == COMMAND_DISCONNECT)
		return shut(m, e, EFFECT_DISCONNECT);
	if (command == COMMAND_SHUT)
		return shut(m, e, EFFECT_SHUT);
	return (struct effect){ .kind = EFFECT_NONE };
}
