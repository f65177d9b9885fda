/* SPDX-License-Identifier: MIT */
/*
 * The pane Rules as a picture.
 */
#ifndef SANDTOP_TUI_RULES_VIEW_H
#define SANDTOP_TUI_RULES_VIEW_H

#include "tui/cells.h"
#include "tui/model.h"

struct view_layout;

void rules_render(const struct model *m, struct cells *c, const struct view_layout *l);

#endif
