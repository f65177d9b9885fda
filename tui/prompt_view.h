/* SPDX-License-Identifier: MIT */
/*
 * The bar with the question whose turn it is (prompt.h), below every pane but the
 * command's own terminal. See struct bar_ops.
 */
#ifndef SANDTOP_TUI_PROMPT_VIEW_H
#define SANDTOP_TUI_PROMPT_VIEW_H

#include "tui/cells.h"
#include "tui/model.h"

int prompt_view_rows(const struct model *m);
bool prompt_view_key(struct model *m, const struct event *e, struct effect *effect);
void prompt_view_render(const struct model *m, struct cells *c, struct rect r);

/* The reply to `held` has come. Returns whether a question is new. */
bool prompt_view_take(struct model *m, const struct event *e);

#endif
