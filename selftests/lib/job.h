/* SPDX-License-Identifier: MIT */
/*
 * One run of one test program as one user: its output read, judged against its
 * exit status and said again as nested KTAP.
 */
#ifndef SANDTOP_SELFTESTS_LIB_JOB_H
#define SANDTOP_SELFTESTS_LIB_JOB_H

#include <stdbool.h>
#include <stdint.h>

/* Whom a program runs as. */
enum identity { AS_IS, AS_ROOT, AS_NOBODY, IDENTITIES };

struct job {
	const char *program; /* its path */
	const char *copy;    /* the path of what is run, in whose directory; NULL: in place */
	enum identity identity;
	bool is_unit;  /* a Criterion program */
	bool must_run; /* a skip counts as a failure */
	int timeout;   /* seconds */
};

/* What came of it; no pointers, as it is handed from one process to another. */
struct outcome {
	unsigned int passed, failed, skipped; /* results in its output */
	char skip[512];                       /* why it was skipped as a whole, or empty */
	char problem[512];                    /* what is wrong with it as a whole, or empty */
	bool timed_out;
	int64_t ms, cpu_ms; /* how long it took; what it and all that it started used */
};

/*
 * Run it and wait until it has ended, killing whatever it left behind: all
 * descendants of this process. Its results appear on stdout, its diagnostics as
 * they come. Ends this process when it cannot run anything.
 */
void job_run(const struct job *job, struct outcome *out);

#endif
