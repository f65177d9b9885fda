/* SPDX-License-Identifier: MIT */
/*
 * What the pane Connections does; its rows are in socklist.h. See struct
 * pane_ops for what these functions are to do.
 */
#ifndef SANDTOP_TUI_CONNECTIONS_H
#define SANDTOP_TUI_CONNECTIONS_H

#include "tui/model.h"

void connections_arrange(struct model *m);
void connections_move(struct model *m, long by);
void connections_unselect(struct model *m);
void connections_select(struct model *m, uint64_t id);
const char *connections_sort(struct model *m, int order);
bool connections_find(struct model *m, bool forward);
struct effect connections_command(struct model *m, const struct event *e, enum command command);

#endif
