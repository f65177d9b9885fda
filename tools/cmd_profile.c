/* SPDX-License-Identifier: MIT */
/*
 * sandtop profile list|show|check: the saved profiles.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "policy/lint.h"
#include "tools/cmd.h"
#include "tools/make_policy.h"

static const char suffix[] = ".toml";

/* The length of a file's name without ".toml", or 0 if it is not one of a profile. */
static size_t stem(const char *file)
{
	size_t n = strlen(file);

	if (n < sizeof(suffix) || *file == '.' || strcmp(file + n - strlen(suffix), suffix))
		return 0;
	return n - strlen(suffix);
}

static int is_profile(const struct dirent *entry)
{
	return stem(entry->d_name) > 0;
}

/* The saved profiles by name, each to be freed like the array. Returns how many, or -1. */
static int find_saved(struct dirent ***out)
{
	char dir[PATH_MAX], text[1024];
	int n;

	if (profile_file_path(NULL, dir))
		return -1;
	n = scandir(dir, out, is_profile, alphasort);
	if (n > 0)
		return n;
	escape_text(dir, text, sizeof(text));
	complain("profile: no profile in '%s'%s%s", text, n ? ": " : "", n ? strerror(errno) : "");
	if (!n)
		free(*out);
	return -1;
}

static int list(void)
{
	struct dirent **saved;
	int n = find_saved(&saved);
	char text[1024];

	for (int i = 0; i < n; i++) {
		saved[i]->d_name[stem(saved[i]->d_name)] = '\0';
		escape_text(saved[i]->d_name, text, sizeof(text));
		puts(text);
		free(saved[i]);
	}
	if (n > 0)
		free(saved);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The file of a saved profile; a word with a slash or with ".toml" at its end is a file itself. */
static int find_file(const char *word, char path[static PATH_MAX])
{
	if (!strchr(word, '/') && !stem(word))
		return profile_file_path(word, path);
	snprintf(path, PATH_MAX, "%s", word);
	return 0;
}

static int show(const char *word)
{
	char path[PATH_MAX], buf[1 << 16];
	size_t n;
	FILE *f;

	if (find_file(word, path))
		return EXIT_FAILURE;
	f = fopen(path, "re");
	if (!f) {
		escape_text(path, buf, 1024);
		complain("profile show: cannot read '%s': %s", buf, strerror(errno));
		return EXIT_FAILURE;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) && fwrite(buf, 1, n, stdout) == n)
		;
	n = ferror(f) || ferror(stdout) || fflush(stdout);
	if (n)
		complain("profile show: %s", strerror(errno));
	fclose(f);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool is_strict(const char *word)
{
	return !strcmp(word, "--strict");
}

struct check {
	const struct profile_file *file;
	int warnings;
};

static int print_warning(void *arg, const struct lint_warning *w)
{
	struct check *c = arg;
	const struct profile_item *item = profile_rule(&c->file->profile, w->rule);
	char path[1024], text[4 * sizeof(w->text)];

	c->warnings++;
	escape_text(c->file->path, path, sizeof(path));
	escape_text(w->text, text, sizeof(text));
	printf("%s:%u:%u: warning: %s [%s]\n", path, item->line, item->column, text,
	       lint_name(w->id));
	return 0;
}

/* Whether the profile can be used, and with `strict` has no warning; the user is told what is. */
static bool is_good(const char *word, bool strict)
{
	const struct options no_options = { 0 };
	struct profile_file f = { 0 };
	struct check c = { .file = &f };
	struct draft *d = NULL;
	char path[PATH_MAX];
	int status = find_file(word, path);

	if (!status)
		status = profile_file_read("profile check", path, &f);
	if (!status)
		status = make_draft(&no_options, &f, &d);
	if (!status && lint(d, print_warning, &c)) {
		complain("profile check: out of memory");
		status = EXIT_FAILURE;
	}
	draft_free(d);
	profile_file_free(&f);
	return !status && !(strict && c.warnings);
}

/* Every saved profile. */
static bool are_good(bool strict)
{
	struct dirent **saved;
	int n = find_saved(&saved);
	bool good = n > 0;

	for (int i = 0; i < n; i++) {
		saved[i]->d_name[stem(saved[i]->d_name)] = '\0';
		good &= is_good(saved[i]->d_name, strict);
		free(saved[i]);
	}
	if (n > 0)
		free(saved);
	return good;
}

static int check(int argc, char **argv)
{
	bool strict = false, good = true;
	int names = 0;

	for (int i = 0; i < argc; i++)
		strict |= is_strict(argv[i]);
	for (int i = 0; i < argc; i++) {
		if (is_strict(argv[i]))
			continue;
		good &= is_good(argv[i], strict);
		names++;
	}
	if (!names)
		good = are_good(strict);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(const char *word)
{
	static const char expected[] = "expected list, show NAME, or check [--strict] [NAME...]";
	char text[1024];

	if (word) {
		escape_text(word, text, sizeof(text));
		complain("profile: unexpected '%s': %s", text, expected);
	} else {
		complain("profile: a word is missing: %s", expected);
	}
	return EXIT_USAGE;
}

int cmd_profile(int argc, char **argv)
{
	const char *verb = argv[1];

	if (!verb)
		return usage(NULL);
	/* Every other word is a name. */
	for (int i = 2; i < argc; i++)
		if (!argv[i][0] ||
		    (argv[i][0] == '-' && !(is_strict(argv[i]) && !strcmp(verb, "check"))))
			return usage(argv[i]);
	if (!strcmp(verb, "list"))
		return argc == 2 ? list() : usage(argv[2]);
	if (!strcmp(verb, "show"))
		return argc == 3 ? show(argv[2]) : usage(argc > 3 ? argv[3] : NULL);
	if (!strcmp(verb, "check"))
		return check(argc - 2, argv + 2);
	return usage(verb);
}
