/* SPDX-License-Identifier: MIT */
/*
 * A file is replaced whole or not at all, and nothing is left beside it.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/replace_file.h"

static char dir[] = "/tmp/replace_file.XXXXXX";

static void enter(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void leave(void)
{
	cr_assert_eq(chdir("/"), 0);
	rmdir(dir);
}

TestSuite(replace_file, .init = enter, .fini = leave);

static int replace(const char *path, const char *text)
{
	return replace_file(path, text, strlen(text));
}

static void expect_text(const char *path, const char *wanted)
{
	char text[100];
	FILE *f = fopen(path, "re");

	cr_assert(f, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	cr_assert_str_eq(text, wanted);
}

/* How many names the directory has besides `.` and `..`. */
static int names(void)
{
	DIR *d = opendir(".");
	int n = -2;

	cr_assert(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(replace_file, makes_and_replaces)
{
	struct stat st;

	cr_assert_eq(replace("a", "one\n"), 0);
	expect_text("a", "one\n");
	cr_assert_eq(chmod("a", 0644), 0);
	cr_assert_eq(replace("a", ""), 0);
	expect_text("a", "");
	cr_assert_eq(stat("a", &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(names(), 1);
	unlink("a");
}

Test(replace_file, a_link_stays)
{
	struct stat st;

	cr_assert_eq(replace("a", "one"), 0);
	cr_assert_eq(symlink("a", "link"), 0);
	cr_assert_eq(replace("link", "two"), 0);
	expect_text("a", "two");
	cr_assert_eq(lstat("link", &st), 0);
	cr_assert(S_ISLNK(st.st_mode));
	unlink("a");
	cr_assert_eq(replace("link", "three"), -ENOENT);
	cr_assert_eq(names(), 1);
	unlink("link");
}

Test(replace_file, what_is_no_file_is_refused)
{
	cr_assert_eq(replace("missing/a", "x"), -ENOENT);
	cr_assert_eq(replace(".", "x"), -EISDIR);
	cr_assert_eq(mkfifo("pipe", 0600), 0);
	cr_assert_eq(replace("pipe", "x"), -EINVAL);
	cr_assert_eq(names(), 1);
	unlink("pipe");
}

/* A name so long that the temporary one has no room. */
Test(replace_file, an_error_leaves_nothing)
{
	char name[253];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(replace(name, "x"), -ENAMETOOLONG);
	cr_assert_eq(names(), 0);
}
