/* SPDX-License-Identifier: MIT */
/*
 * Small text files of a test. Failures are the test's.
 */
#ifndef SANDTOP_SELFTESTS_LIB_TEXTFILE_H
#define SANDTOP_SELFTESTS_LIB_TEXTFILE_H

/* Make the file, or replace what it has. */
void textfile_write(const char *path, const char *text);

/* What it has, up to 1 MiB, or "(missing)"; valid until the next call. */
const char *textfile_read(const char *path);

#endif
