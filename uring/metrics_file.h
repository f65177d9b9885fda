/* SPDX-License-Identifier: MIT */
/*
 * --metrics-file: the figures of the run as a file that is written anew every few
 * seconds. Whoever reads it sees a whole text, the old or the new one: it is
 * written under another name and then renamed. Every step is an operation of the
 * ring, as the file system may hang; the loop waits for none.
 */
#ifndef SANDTOP_URING_METRICS_FILE_H
#define SANDTOP_URING_METRICS_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/metrics.h"
#include "uring/loop.h"
#include "uring/report.h"

/* Seconds. */
enum { METRICS_PERIOD = 5, METRICS_PATIENCE = 2 };

struct metrics_file {
	struct event event; /* the step under way */
	struct event tick;
	struct __kernel_timespec period;
	struct loop *loop;
	const struct ledger *ledger;
	struct report *report;
	const char *path; /* absolute; NULL: no file is written */
	char temp[PATH_MAX];
	mode_t mode;
	int fd; /* of the file in the making, or -1 */
	bool given_up;
	bool again;  /* write it once more when this writing is over */
	bool failed; /* as the user was told */
	size_t len, written;
	char text[METRICS_TEXT_MAX];
};

/*
 * Begin to write the file `path`, which is borrowed and absolute, or NULL: no file. What is new in
 * it has the mode that the umask of this moment leaves of 0666. *m must be all zero.
 * Returns 0, -ENAMETOOLONG, or -errno of the ring.
 */
int metrics_file_init(struct metrics_file *m, struct loop *loop, const struct ledger *ledger,
		      struct report *report, const char *path);

/* Write it a last time, if that takes no longer than METRICS_PATIENCE. */
void metrics_file_finish(struct metrics_file *m);

/* Whether nothing is being written, or nobody waits for it any more. */
bool metrics_file_is_idle(const struct metrics_file *m);

#endif
