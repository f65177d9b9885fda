/* SPDX-License-Identifier: MIT */
/*
 * The pane Connections as a picture.
 */
#ifndef SANDTOP_TUI_SOCKLIST_VIEW_H
#define SANDTOP_TUI_SOCKLIST_VIEW_H

#include "tui/cells.h"
#include "tui/model.h"

struct view_layout;

void socklist_render(const struct model *m, struct cells *c, const struct view_layout *l);

#endif
