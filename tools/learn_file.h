/* SPDX-License-Identifier: MIT */
/*
 * --learn FILE: the profile that is learned, from the look before the run to
 * the text behind it.
 *
 * It is written by the guardian, which may write the user's files and lives as
 * long as the run does.
 */
#ifndef SANDTOP_TOOLS_LEARN_FILE_H
#define SANDTOP_TOOLS_LEARN_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/learn.h"
#include "policy/policy.h"
#include "tools/profile_file.h"

struct learn_file {
	const char *path; /* as the user wrote it */
	char *target;     /* where that leads to */
	const char *text; /* of the profile at the start, or what a new one begins with */
	size_t size;
	bool is_new;
	struct policy *have; /* what the profile allows already */
	struct learn *learn; /* to be filled by the run */
};

/*
 * See that the profile can be learned and written, of which `f` has the text if there is one; both
 * must outlive the file. `sinkhole` says whether the run has one. Returns 0 or an exit status, with
 * the user told.
 */
int learn_file_open(struct learn_file *out, const char *path, const struct profile_file *f,
		    bool sinkhole);

/*
 * Write what was learned, and say so unless `quiet`. A profile that has changed since the start is
 * not touched: the text goes to another file beside it. Returns `status`, or an exit status of its
 * own where that is 0 and the profile cannot be written.
 */
int learn_file_write(const struct learn_file *l, int status, bool quiet);

void learn_file_close(struct learn_file *l);

#endif
