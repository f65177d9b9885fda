/* SPDX-License-Identifier: MIT */
/*
 * The directory of the control sockets: see core/control.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control.h"

static const char suffix[] = ".sock";

/* Whether nobody else can put something into the directory, or move what is in it. */
static bool is_private(int fd, mode_t forbidden)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & forbidden);
}

/* The directory `name` in `parent`, made if need be; no link is followed. */
static int open_in(int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
	if (is_private(fd, 077))
		return fd;
	close(fd);
	return -EPERM;
}

/* The directory below one that the system made for this user. */
static int open_below(const char *base, const char *name)
{
	int parent, fd;

	parent = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	fd = is_private(parent, 022) ? open_in(parent, name) : -EPERM;
	close(parent);
	return fd;
}

/* In /tmp, where the sticky bit keeps others from moving it once it is ours. */
static int open_in_tmp(const char *name)
{
	struct stat st;
	int parent, fd;

	parent = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	if (fstat(parent, &st) || (st.st_uid && st.st_uid != geteuid()) ||
	    ((st.st_mode & 022) && !(st.st_mode & S_ISVTX)))
		fd = -EPERM;
	else
		fd = open_in(parent, name);
	close(parent);
	return fd;
}

/* Opens the directory and writes its path. */
static int find_dir(char path[static PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char base[64], name[64];
	int fd = -ENOENT;

	/* A relative path is invalid and to be ignored (XDG Base Directory Specification). */
	if (runtime && *runtime == '/' && strlen(runtime) < PATH_MAX - sizeof("/sandtop")) {
		fd = open_below(runtime, "sandtop");
		sprintf(path, "%s/sandtop", runtime);
	}
	if (fd < 0) {
		snprintf(base, sizeof(base), "/run/user/%u", geteuid());
		fd = open_below(base, "sandtop");
		snprintf(path, PATH_MAX, "%s/sandtop", base);
	}
	if (fd < 0) {
		snprintf(name, sizeof(name), "sandtop-%u", geteuid());
		snprintf(path, PATH_MAX, "/tmp/%s", name);
		fd = open_in_tmp(name);
	}
	return fd;
}

int control_dir(char buf[static PATH_MAX])
{
	int fd = find_dir(buf);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int control_open_dir(void)
{
	char path[PATH_MAX];

	return find_dir(path);
}

void control_path(int dir, const char *name, char buf[static CONTROL_PATH_MAX])
{
	snprintf(buf, CONTROL_PATH_MAX, "/proc/self/fd/%d/%.*s%s", dir, CONTROL_NAME_MAX, name,
		 suffix);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int control_names(struct control_names *out)
{
	struct control_names names = { 0 };
	struct dirent *entry;
	char path[PATH_MAX];
	int ret = control_dir(path);
	DIR *dir;

	if (ret)
		return ret;
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		char(*v)[CONTROL_NAME_MAX + 1];

		if (len <= strlen(suffix) || len - strlen(suffix) > CONTROL_NAME_MAX ||
		    strcmp(entry->d_name + len - strlen(suffix), suffix) || entry->d_name[0] == '/')
			continue;
		v = reallocarray(names.v, names.n + 1, sizeof(*v));
		if (!v) {
			ret = -ENOMEM;
			break;
		}
		names.v = v;
		snprintf(v[names.n++], sizeof(*v), "%.*s", (int)(len - strlen(suffix)),
			 entry->d_name);
	}
	closedir(dir);
	if (ret) {
		free(names.v);
		return ret;
	}
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_text);
	*out = names;
	return 0;
}
