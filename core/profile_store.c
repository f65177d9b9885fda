/* SPDX-License-Identifier: MIT */
#include "core/profile_store.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/read_file.h"
#include "core/replace_file.h"
#include "policy/error.h"
#include "policy/profile.h"
#include "policy/profile_edit.h"
#include "policy/profile_match.h"

/* Returns `ret`. */
static int fail(struct policy_error *err, const char *path, const char *what, int ret)
{
	policy_error_set(err, "%.300s: cannot %s: %s", path, what, strerror(-ret));
	return ret;
}

/* What the profile's own functions say has to have its name in front. Returns `ret`. */
static int fail_edit(struct policy_error *err, const char *path, const struct policy_error *wrong,
		     int ret)
{
	if (ret != -EINVAL)
		return fail(err, path, "edit", ret);
	return policy_error_set(err, "%.300s:%s", path, wrong->text);
}

/* Returns 0 or -errno; a file that does not exist is an empty text. */
static int load(const char *path, char **text, size_t *size, struct policy_error *err)
{
	int ret = read_file(path, PROFILE_SIZE_MAX, text, size);

	if (ret == -ENOENT) {
		*text = calloc(1, 1);
		*size = 0;
		ret = *text ? 0 : -ENOMEM;
	}
	return ret ? fail(err, path, "read", ret) : 0;
}

static int store(const char *path, const char *text, size_t size, struct policy_error *err)
{
	int ret = replace_file(path, text, size);

	return ret ? fail(err, path, "write", ret) : 0;
}

int profile_store_insert(const char *path, const char *rule, struct policy_error *err)
{
	struct policy_error wrong;
	char *text, *edited;
	size_t size;
	int ret = load(path, &text, &size, err);

	if (ret)
		return ret;
	ret = profile_edit_insert(text, size, &rule, 1, &edited, &wrong);
	free(text);
	if (ret)
		return fail_edit(err, path, &wrong, ret);
	ret = store(path, edited, strlen(edited), err);
	free(edited);
	return ret;
}

/* Whether two lists, named in two profiles, are one file. */
static bool is_same_list(const char *path, const char *name, const char *other)
{
	char list[2 * PATH_MAX], real[PATH_MAX], other_real[PATH_MAX];

	profile_list_path(path, name, list, sizeof(list));
	return realpath(list, real) && realpath(other, other_real) && !strcmp(real, other_real);
}

/* The lists of the other profile have whole paths. Returns 0; -EINVAL with *err filled; -ENOMEM. */
static int compare_lists(const char *path, const struct profile *p, const struct profile *other,
			 struct policy_error *err)
{
	bool same = p->n_block_files == other->n_block_files;

	for (size_t i = 0; same && i < p->n_block_files; i++)
		same = is_same_list(path, p->block_files[i], other->block_files[i]);
	return same ? 0
		    : policy_error_set(err, " its dns.block_file is not that of the live policy");
}

static int check_lists(const char *path, const char *text, size_t size, const char *wanted,
		       size_t wanted_size, struct policy_error *err)
{
	struct policy_error other_err;
	struct profile p, other;
	int ret = profile_read(text, size, &p, err);

	if (ret)
		return ret;
	ret = profile_read(wanted, wanted_size, &other, &other_err);
	if (!ret) {
		ret = compare_lists(path, &p, &other, err);
		profile_free(&other);
	} else if (ret == -EINVAL) {
		ret = -EBADMSG;
	}
	profile_free(&p);
	return ret;
}

int profile_store_save(const char *path, const char *text, size_t size, struct policy_error *err)
{
	struct policy_error wrong;
	char *old, *edited = NULL;
	size_t old_size;
	int ret = load(path, &old, &old_size, err);

	if (ret)
		return ret;
	if (!old_size || profile_is_written(old, old_size)) {
		free(old);
		return store(path, text, size, err);
	}
	ret = check_lists(path, old, old_size, text, size, &wrong);
	if (!ret)
		ret = profile_match(old, old_size, text, size, &edited, &wrong);
	free(old);
	if (ret)
		return fail_edit(err, path, &wrong, ret);
	ret = store(path, edited, strlen(edited), err);
	free(edited);
	return ret;
}
