/* SPDX-License-Identifier: MIT */
/*
 * The monitor as its own files see it: monitor.c has the loop, effects.c does
 * what the operator wants, replies.c takes what comes from the sandbox, and
 * looks.c asks for what the ledger has not.
 */
#ifndef SANDTOP_TUI_MONITOR_STATE_H
#define SANDTOP_TUI_MONITOR_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "tui/feed.h"
#include "tui/link.h"
#include "tui/messages.h"
#include "tui/model.h"
#include "tui/monitor.h"
#include "tui/output.h"
#include "tui/term.h"

#define MILLISECOND UINT64_C(1000000)

struct monitor {
	struct monitor_config config;
	struct monitor_result *result;
	struct link link;
	struct term *term;
	struct model *model;
	struct output output;
	struct feed feed;
	struct messages messages;
	struct judged_batch judged; /* what was asked last */
	struct cells cells;
	int signals;
	sigset_t mask; /* as it was before */
	int w, h;
	bool ended;
	bool over;             /* the command has ended; see result->end */
	bool killing;          /* the operator wants the command to end */
	uint64_t tick;         /* when to look again, CLOCK_MONOTONIC in ns */
	uint64_t look;         /* when to ask again for what the pane shows, */
	enum pane_kind looked; /* and which one that was */
	uint64_t look_held;    /* when to look at the questions again, */
	uint64_t held;         /* and how many there were */
	uint64_t look_output;  /* when to ask for the command's terminal again */
	uint64_t judge;        /* when to ask for verdicts again */
	uint64_t frame;        /* when the last picture was drawn */
};

/* It is over; the first reason counts. */
void monitor_finish(struct monitor *m, enum monitor_end end);

/* Where the command's terminal is on the screen. */
struct rect monitor_output_rect(const struct monitor *m);

/* Learn the terminal's size, and give the command's the one that follows from it. */
void monitor_resize(struct monitor *m);

#endif
