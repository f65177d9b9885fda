/* SPDX-License-Identifier: MIT */
/*
 * Changing the policy while the command runs.
 *
 * A change is made beside the loop: put together, resolved, compiled, and
 * compared with the live policy. Then one pointer is stored in the loop, and the
 * next request is judged by the new snapshot; an error on the way changes
 * nothing. Then, beside the loop again, the open flows that it denies are shut,
 * and only then is whoever asked told.
 *
 * All changes are jobs (jobs.h), of which one runs at a time: the live snapshot
 * does not change while a job works.
 */
#ifndef SANDTOP_URING_SWAP_H
#define SANDTOP_URING_SWAP_H

#include "uring/control.h"
#include "uring/engine.h"
#include "uring/jobs.h"

enum {
	SWAP_HISTORY = 16, /* policies that undo can go back to */
	SWAP_LINES = 100,  /* rules of a diff that a reply lists; the rest is counted */
};

/* A profile for swap_reload(), borrowed. */
struct reload {
	const char *path; /* for messages */
	const char *text;
	size_t size;
	/* The policy is to be this alone, without the options and what was put in front. */
	bool whole;
	bool is_trial;       /* say what would change, and change nothing */
	uint64_t generation; /* refuse when another one is live; 0: whichever is */
};

struct swap {
	struct engine *engine;
	struct jobs *jobs;
	struct control *control;
	struct report *report;
	struct ledger *ledger;
	struct snapshot *history[SWAP_HISTORY]; /* the last one was live before the present one */
	unsigned depth;
	struct event end; /* the time of a rule is over */
	struct __kernel_timespec until_end;
	struct event later;
	struct __kernel_timespec delay;
	/* What was live while flows were opened that may not all have been looked at since. */
	struct snapshot *before[SWAP_HISTORY];
	unsigned n_before;
	unsigned looks; /* how often the open flows were looked at again */
	bool looking;
};

/* Each pointer must outlive it. */
void swap_init(struct swap *s, struct engine *e, struct jobs *jobs, struct control *control,
	       struct report *report, struct ledger *ledger);
void swap_exit(struct swap *s);

/* To be called once in each turn of the loop. */
void swap_run(struct swap *s);

/* A rule to be put in front. */
struct swap_rule {
	const char *text;    /* "allow SPEC", "deny SPEC" */
	unsigned seconds;    /* after which it is taken out again; 0 = never */
	const char *profile; /* the file that gets it as well, or NULL */
	uint64_t question;   /* that it answers (ask.h), whatever it covers; 0 = none */
	enum verdict verdict;
};

/*
 * Ask for a change on behalf of `client`, whose reply comes later. Texts are copied. Return
 * CONTROL_LATER, -ENOMEM, or -EBUSY when too many changes wait.
 *
 * swap_insert() puts a rule in front; swap_reload() replaces the profile, or the policy;
 * swap_undo() goes back by one; swap_shut() changes nothing,
 * but shuts the open flows that "deny SPEC" would deny.
 *
 * swap_panic() denies everything, from now on and not only once the change has been made, and shuts
 * every internet socket, listeners and accepted ones too. Until that is undone, and that is all that
 * an undo then takes back, no rule can be added.
 */
int swap_insert(struct swap *s, struct control_client *client, const struct swap_rule *rule);
int swap_reload(struct swap *s, struct control_client *client, const struct reload *r);
int swap_undo(struct swap *s, struct control_client *client);
int swap_panic(struct swap *s, struct control_client *client);
int swap_shut(struct swap *s, struct control_client *client, const char *rule);

#endif
