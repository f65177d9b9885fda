/* SPDX-License-Identifier: MIT */
/*
 * The files that a run writes, prepared before it changes its directory.
 */
#ifndef SANDTOP_TOOLS_OUTPUT_H
#define SANDTOP_TOOLS_OUTPUT_H

struct output {
	int fd;     /* -1 = none; the caller's */
	char *path; /* absolute, to open it anew; NULL for none and for stderr; to be freed */
};

/*
 * Open a log, the value of option `flag`, for appending: "-" is stderr, NULL is none. Returns 0, or
 * an exit status with the user told.
 */
int output_open(const char *flag, const char *path, struct output *out);

/*
 * Check that a file can be put in the place of `path`, of --metrics-file; *out becomes the path
 * without links, to be freed, or NULL when `path` is NULL. Returns 0, or an exit status with the
 * user told.
 */
int output_metrics(const char *path, char **out);

#endif
