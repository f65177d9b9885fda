/* SPDX-License-Identifier: MIT */
#include "tui/panes.h"

#include <assert.h>

#include "tui/connections.h"
#include "tui/decisions.h"
#include "tui/filter.h"
#include "tui/flowlist.h"
#include "tui/log.h"
#include "tui/log_view.h"
#include "tui/name_bar.h"
#include "tui/prompt_view.h"
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
		.select = flowlist_select,
		.sort = flowlist_sort,
		.find = flowlist_find,
		.command = flowlist_command,
	},
	[MODEL_CONNECTIONS] = {
		.name = "Connections",
		.place = KEYS_IN_CONNECTIONS,
		.render = socklist_render,
		.arrange = connections_arrange,
		.move = connections_move,
		.unselect = connections_unselect,
		.select = connections_select,
		.sort = connections_sort,
		.find = connections_find,
		.command = connections_command,
	},
	[MODEL_RULES] = {
		.name = "Rules",
		.place = KEYS_IN_RULES,
		.render = rules_render,
		.arrange = rules_arrange,
		.move = rules_move,
		.unselect = rules_unselect,
		.select = rules_select,
		.find = rules_find,
		.command = rules_command,
	},
	[MODEL_LOG] = {
		.name = "Log",
		.place = KEYS_IN_LOG,
		.render = log_render,
		.arrange = log_arrange,
		.move = log_move,
		.unselect = log_unselect,
		.find = log_find,
		.command = log_command,
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
	{ .rows = name_bar_rows,
	  .key = name_bar_key,
	  .render = name_bar_render,
	  .takes_paste = true },
	{ .rows = filter_rows, .key = filter_key, .render = filter_render, .takes_paste = true },
	/* Behind all in which something is typed. */
	{ .rows = prompt_view_rows, .key = prompt_view_key, .render = prompt_view_render },
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
