/* SPDX-License-Identifier: MIT */
/*
 * Does what the operator wants: the effects of model.h.
 */
#ifndef SANDTOP_TUI_EFFECTS_H
#define SANDTOP_TUI_EFFECTS_H

#include <stdbool.h>

#include "tui/model.h"

struct monitor;

void effects_act(struct monitor *m, const struct effect *effect);

/* Give the terminal back and stop by `how`, which returns when this process goes on, or false. */
void effects_stop(struct monitor *m, bool (*how)(void));

/* Whoever has sent SIGTSTP means this process, whether there is a shell or not. */
bool effects_stop_alone(void);

#endif
