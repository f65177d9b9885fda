/* SPDX-License-Identifier: MIT */
/*
 * The bar in which the filter, or what to search for, is typed. See struct bar_ops.
 */
#ifndef SANDTOP_TUI_FILTER_H
#define SANDTOP_TUI_FILTER_H

#include "tui/cells.h"
#include "tui/model.h"

/* `mode` is MODEL_FILTER or MODEL_SEARCH. */
void filter_open(struct model *m, enum model_mode mode);
int filter_rows(const struct model *m);
bool filter_key(struct model *m, const struct event *e, struct effect *effect);
void filter_render(const struct model *m, struct cells *c, struct rect r);

#endif
