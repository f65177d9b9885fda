/* SPDX-License-Identifier: MIT */
/*
 * What the pane Decisions does: its rows, the selected one, and the rules that
 * are made from it. See struct pane_ops for what these functions are to do.
 */
#ifndef SANDTOP_TUI_FLOWLIST_H
#define SANDTOP_TUI_FLOWLIST_H

#include "tui/model.h"

/* Take all flows there are. */
void flowlist_take(struct model *m, const struct event *e);

void flowlist_arrange(struct model *m);
void flowlist_move(struct model *m, long by);
void flowlist_unselect(struct model *m);
void flowlist_select(struct model *m, uint64_t id);
const char *flowlist_sort(struct model *m, int order);
bool flowlist_find(struct model *m, bool forward);
struct effect flowlist_command(struct model *m, const struct event *e, enum command command);

#endif
