/* SPDX-License-Identifier: MIT */
#include "tools/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/escape.h"
#include "policy/dns.h"
#include "tools/cmd.h"

enum {
	PROFILE_MAX = 16 << 20,     /* a block-list of 100 000 rules is a quarter of it */
	BLOCK_FILE_MAX = 256 << 20, /* a list of a million names is a tenth of it */
};

/* XDG Base Directory Specification: a relative path is invalid and to be ignored. */
static const char *absolute(const char *variable)
{
	const char *path = getenv(variable);

	return path && *path == '/' ? path : NULL;
}

int profile_file_path(const char *name, char buf[static PATH_MAX])
{
	const char *config = absolute("XDG_CONFIG_HOME");
	const char *home = absolute("HOME");
	int n;

	if (!config && !home) {
		complain("cannot tell where profiles are: expected XDG_CONFIG_HOME or HOME to be "
			 "an absolute path");
		return EXIT_USAGE;
	}
	n = snprintf(buf, PATH_MAX, "%s%s/sandtop/profiles%s%s%s", config ? config : home,
		     config ? "" : "/.config", name ? "/" : "", name ? name : "",
		     name ? ".toml" : "");
	if (n < PATH_MAX)
		return 0;
	complain("the path of the profile is too long");
	return EXIT_USAGE;
}

/* Returns the length of what the file has, or -errno, with *text to be freed. */
static ssize_t read_all(int fd, size_t max, char **text)
{
	size_t size = 1 << 16, len = 0;
	ssize_t n;

	*text = NULL;
	for (;;) {
		char *larger = realloc(*text, size);

		if (!larger)
			return -ENOMEM;
		*text = larger;
		n = read(fd, *text + len, size - len);
		if (n <= 0)
			return n ? -errno : (ssize_t)len;
		len += (size_t)n;
		if (len == size)
			size *= 2;
		if (len > max)
			return -EFBIG;
	}
}

static int cannot_read(const char *who, const char *path, int error)
{
	char file[1024];

	escape_text(path, file, sizeof(file));
	complain("%s: cannot read '%s': %s", who, file, strerror(error));
	return EXIT_USAGE;
}

int profile_file_read(const char *who, const char *path, struct profile_file *out)
{
	struct policy_error err = { "" };
	char *text;
	ssize_t n;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return cannot_read(who, path, errno);
	n = read_all(fd, PROFILE_MAX, &text);
	close(fd);
	ret = n < 0 ? (int)n : profile_read(text, (size_t)n, &out->profile, &err);
	free(text);
	if (n < 0 || ret == -ENOMEM)
		return cannot_read(who, path, -ret);
	if (ret) {
		profile_file_complain(path, &err);
		return EXIT_USAGE;
	}
	snprintf(out->path, sizeof(out->path), "%s", path);
	return 0;
}

static int block_names(const char *path, struct draft *d)
{
	struct policy_error err = { "" };
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -errno : read_all(fd, BLOCK_FILE_MAX, &text);
	int ret = n < 0 ? (int)n : draft_block_list(d, text, (size_t)n, &err);

	if (fd >= 0)
		close(fd);
	free(text);
	if (!ret)
		return 0;
	if (n < 0 || ret == -ENOMEM)
		return cannot_read("dns.block_file", path, -ret);
	profile_file_complain(path, &err);
	return EXIT_USAGE;
}

int profile_file_block(const struct profile_file *f, struct draft *d)
{
	size_t dir = strrchr(f->path, '/') ? (size_t)(strrchr(f->path, '/') - f->path) + 1 : 0;
	int status = 0;

	for (size_t i = 0; !status && i < f->profile.n_block_files; i++) {
		const char *name = f->profile.block_files[i];
		char path[2 * PATH_MAX];

		snprintf(path, sizeof(path), "%.*s%s", *name == '/' ? 0 : (int)dir, f->path, name);
		status = block_names(path, d);
	}
	return status;
}

int profile_file_of(const struct options *o, struct profile_file *out)
{
	char path[PATH_MAX];

	if (o->profile_file)
		return profile_file_read("--profile-file", o->profile_file, out);
	if (!o->profile)
		return 0;
	if (profile_file_path(o->profile, path))
		return EXIT_USAGE;
	return profile_file_read("--profile", path, out);
}

void profile_file_free(struct profile_file *f)
{
	profile_free(&f->profile);
}

void profile_file_complain(const char *path, const struct policy_error *err)
{
	char file[1024], text[4 * sizeof(err->text)];

	escape_text(path, file, sizeof(file));
	escape_text(err->text, text, sizeof(text));
	complain("%s:%s", file, text);
}
