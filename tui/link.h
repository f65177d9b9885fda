/* SPDX-License-Identifier: MIT */
/*
 * The monitor's connection to the sandbox: its ledger, its events, the command's
 * terminal, and requests whose replies come later.
 */
#ifndef SANDTOP_TUI_LINK_H
#define SANDTOP_TUI_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/control.h"
#include "core/ledger.h"
#include "core/opened.h"
#include "tui/judged.h"

enum {
	LINK_ASKED = 32,     /* requests that wait for their replies */
	LINK_WHAT_MAX = 352, /* bytes of a verb and its spec */
	LINK_TEXT_MAX = 1024,
};

struct link {
	int control;   /* the caller's */
	int terminal;  /* a stream, or -1: the command has none of its own, or it is cut off */
	size_t replay; /* how many of its next bytes are of earlier */
	struct ledger_reader *ledger;
	json_t *early;  /* the policy, and events that came before the terminal did, oldest first */
	int early_body; /* of the policy, or -1 */
	char *profile;  /* the path of the one it began with, or NULL */
	char asked[LINK_ASKED][LINK_WHAT_MAX]; /* what was asked for, the oldest first */
	uint64_t answered[LINK_ASKED];         /* the question that it answers, or 0 */
	unsigned int n_asked;
};

struct link_profile {
	const char *path; /* for messages */
	const char *text;
	size_t size;
	bool whole;          /* it is the whole policy */
	uint64_t generation; /* the one it is made for; 0: any */
};

/* What came from the sandbox. */
enum link_news {
	LINK_NOTHING,
	LINK_REPLY,       /* see ok and text */
	LINK_CONNECTIONS, /* see connections */
	LINK_QUESTIONS,   /* see body: the text of `held` */
	LINK_JUDGED,      /* see judged */
	LINK_POLICY,      /* see body and generation; so for the next two */
	LINK_HITS,
	LINK_SAVE,     /* the policy, for link_ask_policy() with `save` */
	LINK_TERMINAL, /* the command's terminal is there again, from its first byte on */
	LINK_TRIAL,    /* see ok, body (of lines; NULL unless ok), text and generation */
	LINK_SWAP,     /* another policy is live */
	LINK_EXIT,     /* see status and by_sandtop */
	LINK_GONE,
};

struct link_message {
	enum link_news news;
	bool ok;
	bool by_sandtop;
	int status;
	bool is_pause, paused; /* with LINK_REPLY: it is one to a pause; there is one now */
	uint64_t question;     /* with LINK_REPLY: the one that was answered, or 0 */
	struct judged_reply judged;
	uint64_t generation;
	char *body; /* to be freed, or NULL */
	size_t size;
	struct opened_list connections; /* its rows are to be freed */
	char text[LINK_TEXT_MAX];       /* what was asked for, and what became of it; not escaped */
};

/*
 * Ask for everything that a monitor needs, with a terminal of that size. Returns 0, or -errno with
 * *err filled and nothing to close.
 */
int link_open(struct link *l, int control, int rows, int cols, struct control_error *err);
void link_close(struct link *l);

/*
 * Send a request of this verb, with a member "spec" unless it is NULL. Its reply comes as a
 * message. Returns 0; -EAGAIN when the sandbox does not take it now, or too many wait; -EINVAL
 * when the spec is not UTF-8; or -errno.
 */
int link_ask(struct link *l, const char *verb, const char *spec);

/*
 * Ask for the open connections, which come as LINK_CONNECTIONS. Returns as link_ask(), and
 * -EALREADY while the last ones have not come.
 */
int link_ask_connections(struct link *l);

/* Ask what the policy says to the endpoints; the same with LINK_JUDGED. */
int link_judge(struct link *l, const struct judged_batch *batch);

/*
 * Ask for the live policy without the rules that end, or for what those rules have decided; as
 * link_ask_connections(). With `save` the policy comes as LINK_SAVE.
 */
int link_ask_policy(struct link *l, bool save);
int link_ask_hits(struct link *l);

/*
 * Make this profile the live policy, or with `trial` learn what that would change: as the verb
 * reload has it. Returns as link_ask().
 */
int link_reload(struct link *l, const struct link_profile *p, bool trial);

/* Have the socket of this cookie shut; as link_ask(). `what` is for its reply. */
int link_disconnect(struct link *l, uint64_t cookie, const char *what);

/* Ask for the questions, which come as LINK_QUESTIONS; as link_ask_connections(). */
int link_ask_questions(struct link *l);

/*
 * Answer the question of that number, with what it is about for the reply; `scope` and `profile`,
 * an absolute path, may be NULL. As link_ask().
 */
int link_answer(struct link *l, uint64_t id, const char *about, const char *verdict,
		const char *lifetime, const char *scope, const char *profile);

/* Hold every new call of the command, until that is taken back or this connection ends. */
int link_pause(struct link *l, bool on);

/* Attach to the command's terminal again, which comes as LINK_TERMINAL; as link_ask_connections().
 */
int link_ask_terminal(struct link *l, int rows, int cols);

/* The same for `kill` with a signal, and for the size of the terminal, which needs no reply. */
int link_kill(struct link *l, int sig);
int link_resize(struct link *l, int rows, int cols);

/* Take the next message, if one has come. */
void link_receive(struct link *l, struct link_message *out);

#endif
