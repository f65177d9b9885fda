/* SPDX-License-Identifier: MIT */
/*
 * The bar in which the filter is typed. See struct bar_ops.
 */
#ifndef SANDTOP_TUI_FILTER_H
#define SANDTOP_TUI_FILTER_H

#include "tui/cells.h"
#include "tui/model.h"

void filter_open(struct model *m);
int filter_rows(const struct model *m);
bool filter_key(struct model *m, const struct event *e, struct effect *effect);
void filter_render(const struct model *m, struct cells *c, struct rect r);

#endif
