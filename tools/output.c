/* SPDX-License-Identifier: MIT */
#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/escape.h"
#include "tools/cmd.h"

/* Returns EXIT_HOST. */
static int cannot_write(const char *flag, const char *path, int error)
{
	char text[1024];

	escape_text(path, text, sizeof(text));
	complain("%s: cannot write '%s': %s", flag, text, strerror(error));
	return EXIT_HOST;
}

/* The path from the root, with links as they are. To be freed; NULL with errno set. */
static char *absolute(const char *path)
{
	char *dir, *out;

	if (*path == '/')
		return strdup(path);
	dir = getcwd(NULL, 0);
	if (!dir)
		return NULL;
	if (asprintf(&out, "%s/%s", dir, path) < 0)
		out = NULL;
	free(dir);
	return out;
}

int output_open(const char *flag, const char *path, struct output *out)
{
	*out = (struct output){ .fd = -1 };
	if (!path)
		return 0;
	if (strcmp(path, "-") == 0) {
		out->fd = fcntl(2, F_DUPFD_CLOEXEC, 3);
		return out->fd < 0 ? cannot_write(flag, path, errno) : 0;
	}
	out->path = absolute(path);
	if (out->path)
		out->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (out->fd >= 0)
		return 0;
	cannot_write(flag, path, errno);
	free(out->path);
	return EXIT_HOST;
}

/* The directory that holds or will hold the file. To be freed; NULL with errno set. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir, *out;

	if (!slash)
		return realpath(".", NULL);
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return NULL;
	out = realpath(dir, NULL);
	free(dir);
	return out;
}

/* The path of a file that need not exist, without links. To be freed; NULL with errno set. */
static char *resolve(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *out = realpath(path, NULL), *dir;

	if (out || errno != ENOENT)
		return out;
	dir = directory_of(path);
	if (!dir)
		return NULL;
	if (asprintf(&out, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, slash ? slash + 1 : path) < 0)
		out = NULL;
	free(dir);
	return out;
}

/* Whether files can be made and renamed beside this one. Returns 0 or a positive errno. */
static int check_directory(const char *path)
{
	char *dir = directory_of(path);
	int error = 0;

	if (!dir || access(dir, W_OK | X_OK))
		error = errno;
	free(dir);
	return error;
}

int output_metrics(const char *path, char **out)
{
	struct stat st;
	char text[1024];
	int error;

	*out = NULL;
	if (!path)
		return 0;
	/* It is replaced, which must not happen to a device. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		escape_text(path, text, sizeof(text));
		complain("--metrics-file: '%s': expected a regular file, which is replaced", text);
		return EXIT_USAGE;
	}
	*out = resolve(path);
	if (!*out)
		return cannot_write("--metrics-file", path, errno);
	error = check_directory(*out);
	if (!error)
		return 0;
	free(*out);
	return cannot_write("--metrics-file", path, error);
}
