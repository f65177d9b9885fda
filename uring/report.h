/* SPDX-License-Identifier: MIT */
/*
 * What the operator is told: decisions as lines and JSON events, messages, the
 * summary at the end. Nothing here waits: see sink.h.
 */
#ifndef SANDTOP_URING_REPORT_H
#define SANDTOP_URING_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ledger.h"
#include "core/option.h"
#include "core/process.h"
#include "core/record.h"
#include "core/stats.h"
#include "uring/sink.h"

struct learn;

struct report_config {
	int log_fd;  /* text lines of all decisions, or -1; the report's from now on */
	int json_fd; /* JSON lines of all events, or -1; the same */
	/* Their files as absolute paths, to open them anew; NULL for stderr. */
	const char *log_path, *json_path;
	bool verbose;
	bool quiet;
	struct learn *learn;         /* gets every decision, too; or NULL */
	struct option_policy policy; /* the run's, as it was begun */
	bool monitored; /* stderr gets messages and the summary: decisions are on the monitor */
};

/* Called from the loop: NULL, or one line that says which file could not be opened, and why. */
typedef void report_reopened_fn(void *arg, const char *error);

struct report {
	struct report_config config;
	struct ledger *ledger;
	struct stats *stats;
	struct sink err, log, json;
	struct processes processes;
	uint64_t seq;
	time_t minute;                /* when the minute began in which `lines` were printed */
	unsigned lines;               /* to stderr in this minute */
	uint64_t suppressed;          /* in this minute, for want of room */
	bool log_failed, json_failed; /* as the user was told */
	bool want_process_all;        /* every record needs pid, comm and exe */
	unsigned reopening;           /* files that are being opened anew */
	char reopen_error[512];
	report_reopened_fn *reopened;
	void *reopened_arg;
};

/*
 * `r` is zeroed memory, most of which is not touched before it is used; `loop` and `ledger` must
 * outlive the report.
 */
void report_init(struct report *r, const struct report_config *config, struct loop *loop,
		 struct ledger *ledger);

/* Close the logs. Nothing may be under way any more. */
void report_exit(struct report *r);

/*
 * Record a decision: seq, ts, pid, comm and exe of *record are filled in here; for a line or a log
 * as they are now, for the ledger alone as they were lately. record->tid must still name the task.
 */
void report_decision(struct report *r, struct record *record);

/* The run begins, and ends (no decision comes after that). */
void report_start(struct report *r, const char *name, pid_t pid, char *const *argv,
		  uint64_t generation);
void report_end(struct report *r, uint64_t generation, int status, int signal, const char *by);

/* A message of sandtop's own, printed also with -q: "sandtop: " is put in front. */
void report_message(struct report *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Open the files of --log and --json anew by their paths, as after a rotation or a full disk; a
 * file that cannot be opened goes on as it is. `reopened`, which may be NULL, is called once,
 * later. Returns 0, -ENOENT when neither is a file, -EBUSY when that is under way.
 */
int report_reopen(struct report *r, report_reopened_fn *reopened, void *arg);

/* Begin to write what this turn of the loop has queued. */
void report_flush(struct report *r);

/* Whether everything has been written. */
bool report_is_idle(const struct report *r);

#endif
