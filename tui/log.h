/* SPDX-License-Identifier: MIT */
/*
 * The pane Log: decisions and what sandtop itself has to say, one line each, in
 * the order in which they came. It shows the last ones until somebody goes up,
 * or pauses it; then it stands still while lines are added below.
 *
 * Its functions that take a model are for the table of panes; see struct pane_ops.
 */
#ifndef SANDTOP_TUI_LOG_H
#define SANDTOP_TUI_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ledger.h"
#include "tui/keys.h"

enum {
	LOG_LINES = 2048, /* that are kept; a power of two */
	LOG_TEXT_MAX = 384,
};

enum log_kind { LOG_ALLOWED, LOG_DENIED, LOG_ASKED, LOG_MESSAGE };

/* A decision becomes text when somebody wants to see it: in a flood that is one of many. */
struct log_line {
	uint64_t ts; /* nanoseconds of CLOCK_REALTIME */
	enum log_kind kind;
	bool filtered; /* it does not contain the filter */
	union {
		struct ledger_decision decision;
		char text[LOG_TEXT_MAX]; /* LOG_MESSAGE; escaped, and cut */
	};
};

struct log {
	struct log_line *lines; /* a ring: line i is element i % LOG_LINES */
	uint64_t n;             /* ever added */
	bool paused;
	uint64_t end;   /* behind the last line that shows, while it is paused */
	uint64_t found; /* behind the line that the search stands on, 0: on none */
};

struct model;
struct event;
struct effect;

/* Returns 0 or -ENOMEM. */
int log_new(struct log *l);
void log_free(struct log *l);

/* Add a decision; `filter` is the text that shown lines contain. */
void log_decision(struct log *l, const struct ledger_decision *d, const char *filter);

/* That many decisions came and went between two looks at the ledger. */
void log_missed(struct log *l, uint64_t ts, uint64_t decisions, const char *filter);

/* A line of sandtop's own; it is escaped here. */
void log_message(struct log *l, uint64_t ts, const char *text, const char *filter);

/* The numbers of the up to `max` lines that show, in order. Returns how many. */
unsigned int log_visible(const struct log *l, unsigned int max, uint64_t *out);

/* The number of the oldest line that is kept; l->n is that of the next one to come. */
uint64_t log_oldest(const struct log *l);

/* The line of that number, which must not have been overwritten. */
const struct log_line *log_line(const struct log *l, uint64_t i);

/* Its decision, or NULL if it is a message. */
const struct ledger_decision *log_decided(const struct log *l, uint64_t i);

/* Its text, escaped and cut, in `buf` or elsewhere. */
const char *log_text(const struct log *l, uint64_t i, char buf[static LOG_TEXT_MAX]);

void log_arrange(struct model *m);

void log_move(struct model *m, long by);
void log_unselect(struct model *m);
/* Forward is towards older lines: the search begins at the newest. */
bool log_find(struct model *m, bool forward);
struct effect log_command(struct model *m, const struct event *e, enum command command);

#endif
