/* SPDX-License-Identifier: MIT */
/*
 * Draws the pane Log. See struct pane_ops.
 */
#ifndef SANDTOP_TUI_LOG_VIEW_H
#define SANDTOP_TUI_LOG_VIEW_H

#include "tui/cells.h"
#include "tui/model.h"

struct view_layout;

void log_render(const struct model *m, struct cells *c, const struct view_layout *l);

#endif
