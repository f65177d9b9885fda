/* SPDX-License-Identifier: MIT */
/*
 * The bar that asks how much a rule for the selected flow is to cover. See
 * struct bar_ops.
 */
#ifndef SANDTOP_TUI_SCOPE_BAR_H
#define SANDTOP_TUI_SCOPE_BAR_H

#include <stdbool.h>

#include "core/flow.h"
#include "tui/cells.h"

struct model;
struct event;
struct effect;

struct scope_bar {
	bool open;
	bool allow;       /* else deny */
	struct flow flow; /* as it was when the bar opened: rows may move meanwhile */
};

void scope_bar_open(struct model *m, const struct flow *f, bool allow);
int scope_bar_rows(const struct model *m);
bool scope_bar_key(struct model *m, const struct event *e, struct effect *effect);
void scope_bar_render(const struct model *m, struct cells *c, struct rect r);

#endif
