/* SPDX-License-Identifier: MIT */
#include "tools/profile_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/escape.h"
#include "core/profile_store.h"
#include "core/read_file.h"
#include "policy/dns.h"
#include "tools/cmd.h"

enum { BLOCK_FILE_MAX = 256 << 20 }; /* a list of a million names is a tenth of it */

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

static int cannot_read(const char *who, const char *path, int error)
{
	char file[1024];

	escape_text(path, file, sizeof(file));
	complain("%s: cannot read '%s': %s", who, file, strerror(error));
	return EXIT_USAGE;
}

static int load(const char *who, const char *path, size_t max, char **text, size_t *size)
{
	int ret = read_file(path, max, text, size);

	return ret ? cannot_read(who, path, -ret) : 0;
}

int profile_file_load(const char *who, const char *path, char **text, size_t *size)
{
	return load(who, path, PROFILE_SIZE_MAX, text, size);
}

int profile_file_read(const char *who, const char *path, struct profile_file *out)
{
	struct policy_error err = { "" };
	size_t size;
	char *text;
	int ret = profile_file_load(who, path, &text, &size);

	if (ret)
		return ret;
	ret = profile_read(text, size, &out->profile, &err);
	if (ret) {
		free(text);
		if (ret == -ENOMEM)
			return cannot_read(who, path, ENOMEM);
		profile_file_complain(path, &err);
		return EXIT_USAGE;
	}
	out->text = text;
	out->size = size;
	snprintf(out->path, sizeof(out->path), "%s", path);
	return 0;
}

static int block_names(const char *path, const struct profile_list *list, struct draft *d)
{
	struct policy_error err = { "" };
	int ret = draft_block_list(d, list->text, list->size, &err);

	if (ret == -ENOMEM)
		return cannot_read("dns.block_file", path, ENOMEM);
	if (!ret)
		return 0;
	profile_file_complain(path, &err);
	return EXIT_USAGE;
}

int profile_file_block(struct profile_file *f, struct draft *d)
{
	size_t n = f->profile.n_block_files;
	int status = 0;

	f->lists = n ? calloc(n, sizeof(*f->lists)) : NULL;
	if (n && !f->lists)
		return cannot_read("dns.block_file", f->path, ENOMEM);
	for (size_t i = 0; !status && i < n; i++) {
		struct profile_list *list = &f->lists[i];
		const struct profile_place *at = &f->profile.block_places[i];
		char path[2 * PATH_MAX], file[1024], who[1200];

		escape_text(f->path, file, sizeof(file));
		snprintf(who, sizeof(who), "%s:%u:%u: dns.block_file", file, at->line, at->column);
		profile_list_path(f->path, f->profile.block_files[i], path, sizeof(path));
		status = load(who, path, BLOCK_FILE_MAX, &list->text, &list->size);
		if (!status)
			status = block_names(path, list, d);
	}
	return status;
}

int profile_file_of(const struct options *o, struct profile_file *out)
{
	char path[PATH_MAX];

	if (o->learn && access(o->learn, F_OK) && errno == ENOENT)
		return 0;
	if (o->learn)
		return profile_file_read("--learn", o->learn, out);
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
	for (size_t i = 0; f->lists && i < f->profile.n_block_files; i++)
		free(f->lists[i].text);
	free(f->lists);
	profile_free(&f->profile);
	free(f->text);
}

void profile_file_complain(const char *path, const struct policy_error *err)
{
	char file[1024], text[4 * sizeof(err->text)];

	escape_text(path, file, sizeof(file));
	escape_text(err->text, text, sizeof(text));
	complain("%s:%s", file, text);
}
