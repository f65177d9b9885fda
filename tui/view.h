/* SPDX-License-Identifier: MIT */
/*
 * The model as a picture. Pure: the same model and size give the same cells.
 */
#ifndef SANDTOP_TUI_VIEW_H
#define SANDTOP_TUI_VIEW_H

#include "tui/cells.h"
#include "tui/model.h"

/* Where things are on a screen; what there is no room for has a y of -1. */
struct view_layout {
	int title, counters, tabs, columns, bar;
	struct rect body;
};

struct view_layout view_layout(enum pane_kind pane, int w, int h);

/*
 * Draw everything into `c`, at the size that it has; the body of MODEL_OUTPUT stays blank for
 * pane_render().
 */
void view_render(const struct model *m, struct cells *c);

/* Draw the open bar alone, over what view_render() and pane_render() have drawn. */
void view_render_bar(const struct model *m, struct cells *c);

#endif
