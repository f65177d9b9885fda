/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what a run has decided, in shared memory.
 *
 * The supervisor alone writes it; monitors read it through the descriptor of a
 * sealed memfd, which they get over the control socket. A reader that sleeps,
 * dies or lies changes nothing: it can neither write nor resize the memory, and
 * the writer never looks whether anybody reads. What a reader missed is counted
 * for it. Documentation/ledger.rst has the layout.
 */
#ifndef SANDTOP_CORE_LEDGER_H
#define SANDTOP_CORE_LEDGER_H

#include <stdint.h>
#include <sys/types.h>

#include "core/flow.h"
#include "core/record.h"
#include "core/stats.h"

enum {
	LEDGER_VERSION = 3,      /* raised with every change of what is shared, also of an order */
	LEDGER_DECISIONS = 1024, /* recent ones; a power of two */
	/* Fields of text, each with its NUL. */
	LEDGER_NAME_MAX = 72,
	LEDGER_COMMAND_MAX = 1024,
	LEDGER_WORD_MAX = 16,
	LEDGER_PROFILE_MAX = 1024,
	LEDGER_TEXT_MAX = 256,
};

/* The run as a whole. Texts are cut to their fields, end in NUL, and are not escaped. */
struct ledger_head {
	char name[LEDGER_NAME_MAX];       /* of the sandbox */
	char command[LEDGER_COMMAND_MAX]; /* its words, with blanks between */
	char fallback[LEDGER_WORD_MAX];   /* "deny", "allow", "ask", "learn" or "panic" */
	char profile[LEDGER_PROFILE_MAX]; /* name or file of the profile, or empty */
	pid_t pid;                        /* of the command */
	uint64_t start;                   /* nanoseconds of CLOCK_REALTIME */
	uint64_t generation;              /* of the live policy */
	uint64_t decisions;               /* seq of the last one, 0 = none yet */
	uint64_t held;                    /* requests that wait for an answer now */
	uint64_t tasks;                   /* of the command, 0 = not known */
	struct flow_totals evicted;       /* what the flow table has no row for any more */
	/*
	 * Each number in it is up to date and never goes backwards, but they are read one after the
	 * other while they change.
	 */
	struct stats stats;
};

/* What a JSON line has of a decision. Texts are cut to their fields and not escaped. */
struct ledger_decision {
	uint64_t seq; /* from 1, without a gap */
	uint64_t generation;
	uint64_t ts; /* nanoseconds of CLOCK_REALTIME */
	uint64_t latency_ns;
	uint64_t answers; /* seq of the ask that this answers, or 0 */
	uint64_t flow;    /* id of its row, which may be gone */
	uint8_t addr[16];
	uint8_t dir, proto, family;
	uint8_t verdict, reason;
	uint16_t port;
	int32_t rule;           /* number, or 0 */
	int32_t decision_error; /* positive errno with REASON_ERROR */
	int32_t error;          /* positive errno that the task got */
	int32_t pid, tid;
	char comm[16];
	char syscall[16];
	char name[LEDGER_TEXT_MAX];      /* unix and dns, else empty */
	char rule_text[LEDGER_TEXT_MAX]; /* of the rule, or the reason */
	char host[LEDGER_TEXT_MAX];      /* the name the address was learned from, or empty */
	char exe[LEDGER_TEXT_MAX];       /* path of the executable, or empty if not known */
};

/* The writer. */

struct ledger;

/*
 * Make an empty ledger, sealed from the start. It is not for a process that forks a task of the
 * sandbox later: the mapping would be inherited.
 * Returns NULL with errno set: ENOMEM, EMFILE, ENFILE, ENOSYS, EACCES (forbidden).
 */
struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);

/* The descriptor to hand to readers; the ledger's own. */
int ledger_fd(const struct ledger *l);

/* The counters, which live in the ledger. */
struct stats *ledger_stats(struct ledger *l);
struct flow_table *ledger_flows(struct ledger *l);

/* Say what runs, once; `argv` ends in NULL. The time of the start is now. */
void ledger_set_run(struct ledger *l, const char *name, pid_t pid, char *const *argv);

/* Say which policy is live: its number, what --default says, and its profile's name or file, or
 * NULL. */
void ledger_set_policy(struct ledger *l, uint64_t generation, const char *fallback,
		       const char *profile);

void ledger_set_held(struct ledger *l, uint64_t held);
void ledger_set_tasks(struct ledger *l, uint64_t tasks);

/*
 * Add a decision, whose seq is one higher than that of the one before, to its flow and to the
 * recent ones. Returns its row, with *is_new set, as flow_touch() does.
 */
const struct flow *ledger_add(struct ledger *l, const struct record *r, bool *is_new);

/* What a reader sees in ledger_read_head(). */
void ledger_head(const struct ledger *l, struct ledger_head *out);

/* A reader, in any process. */

struct ledger_reader;

/*
 * Takes ownership of `fd`, also on failure. Returns NULL with errno set: EINVAL (not a ledger, or
 * not sealed), EPROTO (of another version), ENOMEM.
 */
struct ledger_reader *ledger_reader_new(int fd);
void ledger_reader_free(struct ledger_reader *r);

void ledger_read_head(const struct ledger_reader *r, struct ledger_head *out);

/*
 * Consistent copies of up to `max` (FLOW_ROWS is all) rows, in no order that means anything.
 * Returns how many. A row that is being written at every one of many tries is left out this time:
 * it is not gone. Behind the copies *out is garbage.
 */
unsigned int ledger_read_flows(const struct ledger_reader *r, struct flow *out, unsigned int max);

/*
 * Copies of up to `max` decisions from the seq *next on (0 and 1: from the first), in order without
 * a gap; *next becomes the seq to go on with. Those that were overwritten before they could be
 * read are added to *missed, which may be NULL. Returns how many it copied, 0 when there is no new
 * one.
 */
unsigned int ledger_read_decisions(struct ledger_reader *r, uint64_t *next,
				   struct ledger_decision *out, unsigned int max, uint64_t *missed);

/* A decision as a record, for line_format() and json_decision(). Borrows from *d. */
struct record ledger_record(const struct ledger_decision *d);

#endif
