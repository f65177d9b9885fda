/* SPDX-License-Identifier: MIT */
/*
 * What the mouse does in the lists: what a key would, on what is under it.
 */
#ifndef SANDTOP_TUI_MOUSE_H
#define SANDTOP_TUI_MOUSE_H

#include "tui/model.h"

/* Take a KEYS_MOUSE that is not for the command. */
struct effect mouse_take(struct model *m, const struct event *e);

/* Leave the mouse to the terminal, or take it again. */
void mouse_toggle(struct model *m, const struct event *e);

#endif
