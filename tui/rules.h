/* SPDX-License-Identifier: MIT */
/*
 * What the pane Rules does: the live policy is edited rule by rule. Its rows
 * are in rulelist.h; each change is tried by the sandbox and shown (review.h)
 * before it is made. See struct pane_ops and struct bar_ops for what the
 * functions without a comment are to do.
 */
#ifndef SANDTOP_TUI_RULES_H
#define SANDTOP_TUI_RULES_H

#include "tui/cells.h"
#include "tui/model.h"

/* EVENT_POLICY, EVENT_HITS and EVENT_FILE. */
void rules_take(struct model *m, const struct event *e);
void rules_take_hits(struct model *m, const struct event *e);
struct effect rules_take_file(struct model *m, const struct event *e);

/* The bar's text is right: it is closed. */
void rules_edited(struct model *m);

/* It is wrong, for a reason that is escaped. Returns whether the bar is open and shows that. */
bool rules_refused(struct model *m, const char *text);

/* Ask for the name of the file that the live policy is written to. */
void rules_save(struct model *m);

void rules_arrange(struct model *m);
void rules_move(struct model *m, long by);
void rules_unselect(struct model *m);
void rules_select(struct model *m, uint64_t id);
bool rules_find(struct model *m, bool forward);
struct effect rules_command(struct model *m, const struct event *e, enum command command);

/* The bar in which a rule, or the name of a file, is typed. */
int rules_bar_rows(const struct model *m);
bool rules_bar_key(struct model *m, const struct event *e, struct effect *effect);
void rules_bar_render(const struct model *m, struct cells *c, struct rect r);

#endif
