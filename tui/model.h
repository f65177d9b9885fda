/* SPDX-License-Identifier: MIT */
/*
 * What the monitor knows and what it shows of that. Events go in, and what is
 * to be done about them comes out: nothing here draws, reads, writes or asks
 * for the time.
 *
 * A row is selected by the identity of its flow and stays so wherever it moves:
 * what is pressed cannot hit another row.
 */
#ifndef SANDTOP_TUI_MODEL_H
#define SANDTOP_TUI_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ledger.h"
#include "policy/explain.h"
#include "tui/judged.h"
#include "tui/keys.h"
#include "tui/log.h"
#include "tui/name_bar.h"
#include "tui/order.h"
#include "tui/prompt.h"
#include "tui/rate.h"
#include "tui/review.h"
#include "tui/rulelist.h"
#include "tui/scope_bar.h"
#include "tui/socklist.h"
#include "tui/spot.h"
#include "tui/typing.h"

enum pane_kind {
	MODEL_DECISIONS,
	MODEL_CONNECTIONS,
	MODEL_RULES,
	MODEL_LOG,
	MODEL_OUTPUT, /* the command's terminal */
	MODEL_PANES,
};

enum model_mode {
	MODEL_PANE,   /* nothing in front of the pane */
	MODEL_DETAIL, /* of the selected row */
	MODEL_HELP,
	MODEL_QUIT,   /* the question how to leave */
	MODEL_PANIC,  /* the question whether everything is to be denied */
	MODEL_FILTER, /* the filter is being typed, */
	MODEL_SEARCH, /* or what to search for */
};

enum {
	MODEL_FILTER_MAX = 64,
	MODEL_MESSAGE_MAX = 512,
	MODEL_PROCESSES = 64, /* shown of one flow */
};

#define MODEL_NOTHING_LEFT "the command has ended: nothing is left to change"

enum event_kind {
	EVENT_HEAD, /* several times a second, also when nothing has happened */
	EVENT_FLOWS,
	EVENT_DECISIONS,
	EVENT_CONNECTIONS,
	EVENT_POLICY, /* another one is live */
	EVENT_HITS,
	EVENT_FILE,  /* EFFECT_RELOAD has read it */
	EVENT_TRIAL, /* what became of EFFECT_TRY */
	EVENT_KEY,
	EVENT_SIZE,
	EVENT_REPLY,
	EVENT_QUESTIONS,
	EVENT_ANSWERED, /* what became of an answer */
	EVENT_PAUSED,   /* there is a pause, or none any more */
	EVENT_DRAWN,    /* what there is now is on the screen */
	EVENT_JUDGED,   /* what the policy would say to some rows */
	EVENT_MESSAGE,  /* sandtop has to say something */
	EVENT_ENDED,
};

struct event {
	enum event_kind kind;
	uint64_t now;     /* nanoseconds of CLOCK_REALTIME */
	uint64_t elapsed; /* nanoseconds of CLOCK_MONOTONIC */
	/* Borrowed for the call. */
	union {
		const struct ledger_head *head;
		struct {
			const struct flow *v; /* all there are, at most FLOW_ROWS */
			unsigned int n;
		} flows;
		struct {
			const struct ledger_decision *v; /* those since the last event */
			unsigned int n;
			uint64_t missed; /* before them */
		} decisions;
		const struct opened_list *connections;
		struct {
			const struct judged_batch *batch;
			const struct judged_reply *reply;
		} judged;
		struct {
			const struct key *key;
			struct spot spot; /* with KEYS_MOUSE: what is under it */
		};
		struct {
			const char *text; /* a profile, or the numbers of EVENT_HITS by line */
			size_t size;
			uint64_t generation;
		} policy;
		struct {
			const char *path, *text;
			size_t size;
		} file;
		struct {
			bool ok;
			const char *text; /* see struct review; or why not; not escaped */
			uint64_t generation;
		} trial;
		struct {
			unsigned int page; /* how many rows a list shows, at least 1 */
			/* Columns of a bar, and how many lines it may have. */
			int bar_w, bar_room;
		};
		const char *questions; /* the text of `held` */
		bool paused;
		struct {
			uint64_t id;
			bool ok; /* it was taken; not: the question waits again */
		} answered;
		const char *text; /* of the message; not escaped */
		int status;       /* that the command ended with */
		struct {
			bool ok;
			const char *text; /* not escaped */
		} reply;
	};
};

enum effect_kind {
	EFFECT_NONE,
	EFFECT_SEND,  /* the key to the command */
	EFFECT_ALLOW, /* insert a rule in front for this spec */
	EFFECT_DENY,
	EFFECT_UNDO,
	EFFECT_DISCONNECT, /* the socket of this cookie */
	EFFECT_SHUT,       /* the open flows of this spec */
	EFFECT_TRY,        /* what is in struct review; the answer is EVENT_TRIAL */
	EFFECT_APPLY,      /* the same in earnest */
	EFFECT_RELOAD,     /* read the profile's file; the answer is EVENT_FILE */
	EFFECT_SAVE,       /* the live policy to the file whose name is in rules_bar */
	EFFECT_DETACH,
	EFFECT_KILL,
	EFFECT_REDRAW, /* the whole screen */
	EFFECT_STOP,   /* the monitor, as Ctrl-Z does elsewhere */
	EFFECT_ANSWER,
	EFFECT_RING, /* the bell */
	EFFECT_PAUSE,
	EFFECT_RESUME,
	EFFECT_PANIC,
};

struct effect {
	enum effect_kind kind;
	struct key key;
	uint64_t cookie;
	char spec[EXPLAIN_HINT_MAX];
	struct {
		uint64_t id; /* of the question */
		/* As the control protocol has them; static. */
		const char *verdict, *lifetime, *scope; /* scope may be NULL */
		const char *profile; /* the file to write it to, or NULL; the model's */
	} answer;
};

/* A process that made decisions of one flow, as far as they are still known. */
struct model_process {
	int32_t pid;
	uint64_t last; /* nanoseconds of CLOCK_REALTIME */
	unsigned int decisions;
	const struct ledger_decision *newest; /* borrowed from the model */
};

/* What is being typed for the pane Rules. */
struct rules_bar {
	enum rules_typed { RULES_NOTHING, RULES_INSERT, RULES_CHANGE, RULES_FILE } what;
	uint64_t row; /* id, 0: none */
	struct typing typing;
	char error[MODEL_MESSAGE_MAX]; /* escaped; empty: none */
};

struct model {
	uint64_t now;
	bool attached;   /* another terminal than the one the run was started on */
	bool has_output; /* the command has a terminal of its own */
	bool ended;      /* the command has, with this status: nothing can be changed any more */
	int status;
	bool dirty; /* something that shows has changed; whoever draws clears it */
	struct ledger_head head;
	struct rate rate;

	enum pane_kind pane;
	enum model_mode mode;
	bool mouse;   /* it is for the lists, and not for the terminal to select text */
	bool paused;  /* by this monitor */
	bool prefix;  /* Ctrl-] was the last key */
	bool pasting; /* what comes was not typed */
	uint64_t key_elapsed;

	struct flow *flows; /* FLOW_ROWS */
	unsigned int n_flows;
	bool has_host, has_long; /* some flow has a host; an address longer than IPv4 */
	uint16_t *order;         /* the rows that are shown, as indices */
	unsigned int shown;
	enum order_sort sort;
	char filter[MODEL_FILTER_MAX];
	char search[MODEL_FILTER_MAX];
	char typed[MODEL_FILTER_MAX]; /* with MODEL_FILTER and MODEL_SEARCH */

	uint64_t selected;      /* id, 0: none */
	struct flow selection;  /* as it was seen last */
	unsigned int top;       /* position of the first row on the screen */
	unsigned int page;      /* how many rows a list shows, at least 1, */
	unsigned int full_page; /* and with no bar open */
	unsigned int scroll;    /* of detail and help, in lines */

	struct judged_answer *judged; /* FLOW_ROWS */
	struct scope_bar scope_bar;
	struct socklist connections;
	struct log log;

	struct prompt prompt;
	struct name_bar name_bar;
	int bar_w, bar_room; /* columns of a bar, and how many lines it may have */

	struct rulelist rules;
	struct rules_bar rules_bar;
	struct review review;
	const char *profile; /* the path of the one that the run began with, or NULL; borrowed */

	char message[MODEL_MESSAGE_MAX]; /* escaped; empty: none */
	bool message_is_error;
	uint64_t message_elapsed; /* when it came */
};

/*
 * Returns NULL for want of memory. A run with a terminal of its own starts on it, unless it is
 * looked at from elsewhere.
 */
struct model *model_new(bool attached, bool has_output);
void model_free(struct model *m);

struct effect model_apply(struct model *m, const struct event *e);

/* Say something to the operator; what is quoted in it must be escaped. */
void model_tell(struct model *m, const struct event *e, bool is_error, const char *text);

/* Have something in front of the pane, from its first line on. */
void model_open(struct model *m, enum model_mode mode);

/* The filter or the size has changed: every pane shows what it now should. */
void model_arrange(struct model *m);

/* Go to that pane, if there is one. */
void model_go_to(struct model *m, const struct event *e, enum pane_kind pane);

/* Go down by so many rows, or lines of what is in front. */
void model_move(struct model *m, long by);

/* Have the list of the pane in that order, or with -1 in the next one. */
void model_sort(struct model *m, const struct event *e, int order);

/* Go to the next row of the pane that contains what is searched for, or to the one before. */
void model_find(struct model *m, const struct event *e, bool forward);

/* Whether everything is denied since a panic. */
bool model_panics(const struct model *m);

/* Where the keys count now. */
enum keys_place model_place(const struct model *m);

/* The position of the selected row among those shown, or -1. */
int model_position(const struct model *m);

/*
 * The rule that gives the flow the other verdict, "allow SPEC" or "deny SPEC". Returns false with a
 * reason in `buf` when no rule means exactly this flow.
 */
bool model_rule(const struct flow *f, enum verdict verdict, char buf[static EXPLAIN_HINT_MAX]);

/* The processes of the selected row, newest first; at most MODEL_PROCESSES. Returns how many. */
unsigned int model_processes(const struct model *m,
			     struct model_process out[static MODEL_PROCESSES]);

#endif
