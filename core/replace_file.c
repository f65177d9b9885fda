/* SPDX-License-Identifier: MIT */
#include "core/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file behind the links of `path`, to be freed in *out. */
static int find_target(const char *path, char **out)
{
	char *real = realpath(path, NULL);
	struct stat st;

	if (!real) {
		if (errno != ENOENT)
			return -errno;
		/* A new file; but rename(2) would replace a link, not make what it leads to. */
		if (!lstat(path, &st))
			return -ENOENT;
		real = strdup(path);
		if (!real)
			return -ENOMEM;
	} else if (stat(real, &st)) {
		int ret = -errno;

		free(real);
		return ret;
	} else if (!S_ISREG(st.st_mode)) {
		free(real);
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	*out = real;
	return 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	/* Else a crash soon after the rename could leave an empty file. */
	return fsync(fd) ? -errno : 0;
}

/*
 * A new file with mode 0600 in the target's directory, as rename(2) does not cross file systems.
 * Returns its descriptor with *temporary to be freed, or -errno.
 */
static int make_temporary(const char *target, char **temporary)
{
	int fd;

	if (asprintf(temporary, "%s.XXXXXX", target) < 0)
		return -ENOMEM;
	fd = mkostemp(*temporary, O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	free(*temporary);
	return fd;
}

int replace_file_at(const char *target, const char *text, size_t size)
{
	char *temporary;
	int ret, fd = make_temporary(target, &temporary);

	if (fd < 0)
		return fd;
	ret = write_all(fd, text, size);
	close(fd);
	if (!ret && rename(temporary, target))
		ret = -errno;
	if (ret)
		unlink(temporary);
	free(temporary);
	return ret;
}

int replace_file(const char *path, const char *text, size_t size)
{
	char *target;
	int ret = find_target(path, &target);

	if (ret)
		return ret;
	ret = replace_file_at(target, text, size);
	free(target);
	return ret;
}

int replace_file_find(const char *path, char **target)
{
	char *found, *temporary;
	int fd, ret = find_target(path, &found);

	if (ret)
		return ret;
	fd = make_temporary(found, &temporary);
	if (fd < 0) {
		free(found);
		return fd;
	}
	close(fd);
	unlink(temporary);
	free(temporary);
	*target = found;
	return 0;
}
