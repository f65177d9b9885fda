/* SPDX-License-Identifier: MIT */
#include "core/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append to `out`, which has room, what stands in `rest`: "a//./b/../c" as "/a/c". */
static void append_lexically(char *out, const char *rest)
{
	while (*rest) {
		size_t n = strcspn(rest, "/");

		if (n == 2 && !strncmp(rest, "..", 2)) {
			char *slash = strrchr(out, '/');

			if (slash)
				*slash = '\0';
		} else if (n && !(n == 1 && *rest == '.')) {
			size_t end = strlen(out);

			out[end] = '/';
			memcpy(out + end + 1, rest, n);
			out[end + 1 + n] = '\0';
		}
		rest += n;
		rest += strspn(rest, "/");
	}
}

/*
 * The longest part of `path` that exists, without links; *rest is what follows it. "/" is "", so
 * that more can be appended.
 */
static char *longest_existing(char *path, const char **rest)
{
	size_t len = strlen(path);
	char *real;

	for (;;) {
		char cut = path[len];

		path[len] = '\0';
		real = realpath(len ? path : "/", NULL);
		path[len] = cut;
		if (real || errno == ENOMEM || !len)
			break;
		while (len && path[len - 1] != '/')
			len--;
		while (len && path[len - 1] == '/')
			len--;
	}
	*rest = path + len;
	*rest += strspn(*rest, "/");
	if (real && !strcmp(real, "/"))
		*real = '\0';
	return real;
}

/* What may stand for many names: all behind the last slash. */
static const char *last_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

int locate_path(const char *path, bool prefix, char **out)
{
	const char *kept = prefix ? last_name(path) : "";
	char *copy = strndup(path, strlen(path) - strlen(kept));
	char *real = NULL, *whole = NULL;
	const char *rest;
	int ret = -ENOMEM;

	if (copy)
		real = longest_existing(copy, &rest);
	if (real)
		whole = malloc(strlen(real) + strlen(path) + 3);
	if (whole) {
		strcpy(whole, real);
		append_lexically(whole, rest);
		if (prefix || !*whole)
			strcat(whole, "/");
		strcat(whole, kept);
		*out = whole;
		ret = 0;
	}
	free(real);
	free(copy);
	return ret;
}

static size_t variable_length(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* The value of the variable at *s, which moves behind it; NULL with the reason in `why`. */
static const char *expand_one(const char **s, char *why, size_t size)
{
	size_t n = variable_length(*s);
	char name[256];
	const char *value;

	if (**s == '$') {
		(*s)++;
		return "$";
	}
	snprintf(name, sizeof(name), "%.*s", n > 255 ? 255 : (int)n, *s);
	*s += n;
	value = getenv(name);
	if (!value || !*value) {
		snprintf(why, size,
			 "the variable %.100s is %s: expected it in sandtop's "
			 "environment",
			 name, value ? "empty" : "not set");
		return NULL;
	}
	return value;
}

/* Returns 0, -EINVAL with the reason in `why`, -ENOMEM. */
static int expand(const char *s, char **out, char *why, size_t size)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *value;
	int ret = 0;

	if (!f)
		return -ENOMEM;
	while (*s && !ret) {
		if (*s != '$') {
			fputc(*s++, f);
			continue;
		}
		s++;
		value = expand_one(&s, why, size);
		if (value)
			fputs(value, f);
		else
			ret = -EINVAL;
	}
	if (fclose(f) && !ret)
		ret = -ENOMEM;
	if (ret)
		free(text);
	else
		*out = text;
	return ret;
}

int locate_rule(const char *written, char **out, char *why, size_t size)
{
	size_t len = strlen(written);
	bool prefix = written[len - 1] == '*';
	char *copy = strndup(written, len - prefix);
	char *path = NULL;
	int ret = copy ? expand(copy, &path, why, size) : -ENOMEM;

	free(copy);
	if (ret)
		return ret;
	if (*path == '@') {
		*out = path; /* a variable can hold an abstract name, too */
		return 0;
	}
	if (*path == '/') {
		ret = locate_path(path, prefix, out);
	} else {
		snprintf(why, size, "'%.100s' is no absolute path: expected /PATH or @NAME", path);
		ret = -EINVAL;
	}
	free(path);
	return ret;
}
