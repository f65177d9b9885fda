/* SPDX-License-Identifier: MIT */
/*
 * Profiles as files: where the saved ones are, and reading one, with the user
 * told what is wrong.
 */
#ifndef SANDTOP_TOOLS_PROFILE_FILE_H
#define SANDTOP_TOOLS_PROFILE_FILE_H

#include <limits.h>

#include "policy/profile.h"
#include "tools/options.h"

/* What a file of names that a profile names has. */
struct profile_list {
	char *text;
	size_t size;
};

/* A zeroed one is no profile. */
struct profile_file {
	char path[PATH_MAX]; /* for messages; empty without a profile */
	struct profile profile;
	char *text; /* of `size` bytes; NULL without a profile */
	size_t size;
	struct profile_list *lists; /* of profile.block_files, once profile_file_block() was called */
};

/*
 * Write the directory of the saved profiles to `buf`, or with a name the file of that profile.
 * Returns 0, or an exit status when the environment does not say where they are.
 */
int profile_file_path(const char *name, char buf[static PATH_MAX]);

/*
 * The text of the file, to be freed. `who` wants it, for a message. Returns 0 or an exit status.
 */
int profile_file_load(const char *who, const char *path, char **text, size_t *size);

/*
 * Read the profile in the file, to be freed with profile_file_free(). `who` wants it, for a
 * message. Returns 0 or an exit status.
 */
int profile_file_read(const char *who, const char *path, struct profile_file *out);

/*
 * Read the profile's files of names, whose paths begin in the profile's directory, into f->lists,
 * and block the names. Returns 0, or an exit status with the user told.
 */
int profile_file_block(struct profile_file *f, struct draft *d);

/*
 * The profile that the options name; none is fine, and so is one that is yet to be learned. Returns
 * what profile_file_read() does.
 */
int profile_file_of(const struct options *o, struct profile_file *out);

void profile_file_free(struct profile_file *f);

/* Tell the user what the profile's text has that is wrong: err->text begins with the place. */
void profile_file_complain(const char *path, const struct policy_error *err);

#endif
