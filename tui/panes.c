/* SPDX-License-Identifier: MIT */
#include "tui/panes.h"

#include <assert.h>

#include "tui/connections.h"
#include "tui/decisions.h"
#include "tui/filter.h"
#include "tui/flowlist.h"
#include "tui/rules.h"
#include "tui/rules_view.h"
#include "tui/scope_bar.h"
#include "tui/socklist_view.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* In the order of the tabs. */
static const struct pane_ops panes[] = {
	[MODEL_DECISIONS] = {
		.name = "Decisions",
		.place = KEYS_IN_LIST,
		.render = decisions_render,
		.arrange = flowlist_arrange,
		.move = flowlist_move,
		.unselect = flowlist_unselect,
		.sort = flowlist_sort,
		.command = flowlist_command,
	},
	[MODEL_CONNECTIONS] = {
		.name = "Connections",
		.place = KEYS_IN_CONNECTIONS,
		.render = socklist_render,
		.arrange = connections_arrange,
		.move = connections_move,
		.unselect = connections_unselect,
		.sort = connections_sort,
		.command = connections_command,
	},
	[MODEL_RULES] = {
		.name = "Rules",
		.place = KEYS_IN_RULES,
		.render = rules_render,
		.arrange = rules_arrange,
		.move = rules_move,
		.unselect = rules_unselect,
		.command = rules_command,
	},
	/* The monitor draws it and sends it what is typed. */
	[MODEL_OUTPUT] = { .name = "Output", .place = KEYS_IN_OUTPUT },
};

static_assert(COUNT(panes) == MODEL_PANES, "every pane has a row");

static const struct bar_ops bars[] = {
	{ .rows = review_rows, .key = review_key, .render = review_render },
	{ .rows = rules_bar_rows,
	  .key = rules_bar_key,
	  .render = rules_bar_render,
	  .takes_paste = true },
	{ .rows = scope_bar_rows, .key = scope_bar_key, .render = scope_bar_render },
	{ .rows = filter_rows, .key = filter_key, .render = filter_render, .takes_paste = true },
};

const struct pane_ops *panes_get(enum pane_kind kind)
{
	return &panes[kind];
}

const struct bar_ops *panes_bar(const struct model *m)
{
	for (size_t i = 0; i < COUNT(bars); i++)
		if (bars[i].rows(m) > 0)
			return &bars[i];
	return NULL;
}
