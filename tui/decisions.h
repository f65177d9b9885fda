/* SPDX-License-Identifier: MIT */
/*
 * The pane Decisions: one row a flow, and the detail of one.
 */
#ifndef SANDTOP_TUI_DECISIONS_H
#define SANDTOP_TUI_DECISIONS_H

#include "tui/cells.h"
#include "tui/model.h"

struct view_layout;

void decisions_render(const struct model *m, struct cells *c, const struct view_layout *l);

#endif
