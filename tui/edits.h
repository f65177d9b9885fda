/* SPDX-License-Identifier: MIT */
/*
 * What the pane Rules wants of the world: requests to the sandbox, and the
 * files of profiles. Files are read and written here, by the monitor, as the
 * operator: the sandbox gets texts.
 */
#ifndef SANDTOP_TUI_EDITS_H
#define SANDTOP_TUI_EDITS_H

#include "tui/link.h"
#include "tui/model.h"

/* Carry out one of EFFECT_TRY, EFFECT_APPLY, EFFECT_RELOAD, EFFECT_SAVE. */
void edits_act(struct link *l, struct model *m, enum effect_kind kind);

/* Take a message that is about the policy, and free its body. */
void edits_take(struct model *m, struct link_message *message);

/* Keep the pane up to date while it shows: hits, and the rules when another policy is live. */
void edits_look(struct link *l, const struct model *m);

#endif
