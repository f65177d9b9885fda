/* SPDX-License-Identifier: MIT */
/*
 * The questions that wait for the operator: which one shows, what would be
 * answered, and whether a key may be meant for it.
 *
 * An answer goes by the number of the question that is on the screen. What is
 * known of a question is kept as it first came, so that nothing the command does
 * (another name, another program) changes what the operator has read.
 */
#ifndef SANDTOP_TUI_PROMPT_H
#define SANDTOP_TUI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/line.h"
#include "core/process.h"
#include "policy/endpoint.h"
#include "tui/keys.h"

enum {
	PROMPT_QUESTIONS = 256,   /* as many as are ever held */
	PROMPT_GUARD = 500000000, /* ns from when a question shows until keys count */
	PROMPT_HOST_MAX = 256,
	PROMPT_PROCESS_MAX = 80,
	PROMPT_EXE_MAX = 4 * PROCESS_EXE_MAX, /* escaped */
};

/* How much an answer covers, in the order of the keys 1 to 5. */
enum prompt_scope {
	PROMPT_HOST,
	PROMPT_ENDPOINT,
	PROMPT_NETWORK,
	PROMPT_PORT,
	PROMPT_ANY,
	PROMPT_SCOPES,
};

/* How long it holds, in the order of the keys o, s, p, t. */
enum prompt_lifetime {
	PROMPT_ONCE,
	PROMPT_SESSION,
	PROMPT_PROFILE,
	PROMPT_TEN_MINUTES,
	PROMPT_LIFETIMES,
};

/* Texts are escaped, as they come. */
struct question {
	uint64_t id;
	char proto[16]; /* "tcp", "in udp" */
	char target[LINE_TARGET_MAX];
	char host[PROMPT_HOST_MAX]; /* or empty */
	char process[PROMPT_PROCESS_MAX];
	char exe[PROMPT_EXE_MAX]; /* or empty */
	unsigned int left;        /* seconds */
	bool sent;                /* its answer is on its way, */
	bool arrived;             /* or has arrived: the next list says whether that settled it */
};

struct prompt {
	struct question *v; /* PROMPT_QUESTIONS, by rising number */
	unsigned int n;
	uint64_t newest; /* the highest number that ever came */
	uint64_t id;     /* of the question whose turn it is, or 0 */
	/* What would be answered to it. */
	enum verdict verdict; /* VERDICT_ASK: not chosen yet */
	enum prompt_scope scope;
	enum prompt_lifetime lifetime;
	/* What is on the screen, and since when by CLOCK_MONOTONIC; 0: none. */
	uint64_t seen, seen_elapsed;
	bool ready; /* keys count now; for the picture */
	bool left;  /* the last one has left by itself, with keys on their way to it perhaps */
};

/* What has changed with a list. */
struct prompt_news {
	bool arrived;         /* there is a question that was not there before */
	unsigned int over;    /* how many went without an answer of ours, */
	bool current_is_over; /* the one whose turn it was among them, */
	struct question last; /* as it was, then */
};

/* Returns 0 or -ENOMEM. */
int prompt_new(struct prompt *p);
void prompt_free(struct prompt *p);

/* Take the reply to `held` with "exe": the questions there are. Lines that are none are left out.
 */
void prompt_take(struct prompt *p, const char *text, struct prompt_news *news);

/* The question of that number, or NULL. */
struct question *prompt_find(const struct prompt *p, uint64_t id);

/* The question whose turn it is, or NULL. */
const struct question *prompt_current(const struct prompt *p);

/* How many wait for an answer, and which of them the current one is, from 1. */
unsigned int prompt_waiting(const struct prompt *p);
unsigned int prompt_position(const struct prompt *p);

/* The picture with question `id` (0: without a bar) was shown at that time. */
void prompt_shown(struct prompt *p, uint64_t id, uint64_t elapsed);

/* The screen is being changed by something else: what is on it is to be seen anew. */
void prompt_unsee(struct prompt *p);

/* Whether a key at that time can be meant for the current question: it was there long enough. */
bool prompt_listens(const struct prompt *p, uint64_t elapsed);

/*
 * Whether a key at that time may have been meant for a question that is no more: the picture
 * without it has not been there for long enough.
 */
bool prompt_lingers(const struct prompt *p, uint64_t elapsed);

/* Whether a question of this kind has such a scope. */
bool prompt_has_scope(const struct question *q, enum prompt_scope scope);

/*
 * One of the commands of KEYS_IN_PROMPT but COMMAND_ANSWER: choose. Returns NULL, or why that is
 * not possible: nothing has changed then.
 */
const char *prompt_choose(struct prompt *p, enum command command);

/* Why the answer cannot be sent as it is, or NULL. */
const char *prompt_refusal(const struct prompt *p);

/* That question is answered: if it was the current one, the next one has its turn. */
void prompt_answered(struct prompt *p, uint64_t id);

/*
 * What became of the answer to that question. If it was refused, or could not be sent, the question
 * waits again.
 */
void prompt_replied(struct prompt *p, uint64_t id, bool ok);

/* As the control protocol has them. */
const char *prompt_scope_word(enum prompt_scope scope);
const char *prompt_lifetime_word(enum prompt_lifetime lifetime);

#endif
