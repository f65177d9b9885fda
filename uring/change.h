/* SPDX-License-Identifier: MIT */
/*
 * One change of the policy (swap.h), and what of it is done beside the loop: to
 * put it together, resolve, compile and compare it, and later to shut what it
 * denies. Private to swap.c.
 */
#ifndef SANDTOP_URING_CHANGE_H
#define SANDTOP_URING_CHANGE_H

#include "core/shut.h"
#include "policy/diff.h"
#include "uring/dns.h"
#include "uring/swap.h"

enum change_kind {
	CHANGE_INSERT,
	CHANGE_RELOAD,
	CHANGE_UNDO,
	CHANGE_END, /* rules whose time is over go */
	CHANGE_PANIC,
	CHANGE_SHUT,
	CHANGE_LOOK,
	CHANGE_KEEP
};

struct change {
	struct job job;
	struct swap *swap;
	enum change_kind kind;
	struct control_client *client; /* NULL: nobody waits for it */
	char *text;                    /* the rule */
	char *path;                    /* of the profile that gets it, too, or NULL */
	struct reload reload;          /* its texts are the change's */
	unsigned seconds;              /* that a rule lasts, 0 = for good */
	uint64_t question;
	enum verdict verdict;     /* of its answer */
	struct snapshot *retired; /* to be freed on the way */
	struct facts *facts;      /* by which open flows are judged */
	/* What came of it. */
	int ret;
	struct policy_error err;
	struct source *source;
	struct policy *policy;
	struct diff diff;
	int *match; /* see snapshot_match() */
	struct shut_result shut;
	struct dns_known known; /* what the new policy is to know, a part of it */
	unsigned cancelled;     /* calls that waited */
	uint64_t *cookies;
	size_t n_cookies;
};

/* Free it; what it still has goes with it. */
void change_free(struct change *c);

/*
 * The first step, on the job's thread: c->ret, and what the kind of change has of c, with a first
 * part of c->known.
 */
void change_prepare(struct job *j);

/* The next part. */
void change_find_known(struct job *j);

/* The last step, there too: shut the open flows that the policy denies, see c->shut. */
void change_narrow(struct job *j);

#endif
