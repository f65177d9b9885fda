/* SPDX-License-Identifier: MIT */
/*
 * Reads the ledger and the clocks for the model, which looks at neither.
 */
#ifndef SANDTOP_TUI_FEED_H
#define SANDTOP_TUI_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ledger.h"
#include "tui/model.h"

/* Zeroed before feed_init(). */
struct feed {
	uint64_t next; /* seq of the decision to go on with */
	uint64_t seen; /* decisions when the flows were read */
	bool has_seen;
	struct flow *flows;
	struct ledger_head *head;
	struct ledger_decision *decisions;
};

/* Returns 0 or -ENOMEM; feed_exit() is due in both cases. */
int feed_init(struct feed *f);
void feed_exit(struct feed *f);

/* Tell the model what is new in the ledger. */
void feed_read(struct feed *f, struct ledger_reader *ledger, struct model *model);

/* Tell the operator how something went; the text is escaped here. */
void feed_tell(struct model *model, bool ok, const char *text);

/* The same for what a function of link.h that asks for something has returned. */
void feed_asked(struct model *model, int ret);

/* An event that happens now. */
struct event feed_event(enum event_kind kind);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t feed_elapsed(void);

#endif
