/* SPDX-License-Identifier: MIT */
#include "core/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/task.h"

/* openat2(2) gives up where directories are being moved about; then it is tried again. */
enum { ATTEMPTS = 8 };

static int get_mark(int dir, const char *path, int flags, struct view_mark *out)
{
	struct statx st;

	if (statx(dir, path, flags, STATX_INO | STATX_MNT_ID, &st))
		return -errno;
	*out = (struct view_mark){
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0,
	};
	return 0;
}

static bool same_mark(const struct view_mark *a, const struct view_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->mount == b->mount;
}

int view_init(struct view *v)
{
	struct stat st;

	if (stat("/proc/self/ns/mnt", &st))
		return -errno;
	v->namespace = st.st_ino;
	return get_mark(AT_FDCWD, "/", 0, &v->root);
}

/* Whether a path means to the task what it means to us in its working directory. */
static bool is_ours(const struct view *v, pid_t tid)
{
	struct view_mark root;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", tid);
	if (stat(path, &st) || st.st_ino != v->namespace)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/root", tid);
	return get_mark(AT_FDCWD, path, 0, &root) == 0 && same_mark(&root, &v->root);
}

/* What begins so is the caller's own to the kernel: below /proc/ID/ from outside. */
static const struct {
	const char *prefix;
	const char *below;
	bool thread; /* ID is the thread's, not the group's */
	bool cwd;    /* the working directory, which the supervisor takes on for a bind */
} about_self[] = {
	{ "/proc/self/cwd/", "cwd/", false, true },
	{ "/proc/thread-self/cwd/", "cwd/", true, true },
	{ "/proc/self/", "", false, false },
	{ "/proc/thread-self/", "", true, false },
	{ "/dev/fd/", "fd/", false, false },
};

enum { PATH_ROOM = sizeof(((struct view_place *)0)->name) };

/*
 * Write to `out` the path by which the supervisor finds what `path` is to the task. Returns whether
 * the supervisor in the task's working directory would find it by `path` as well.
 */
static bool from_outside(pid_t tid, const char *path, char out[static PATH_ROOM])
{
	for (size_t i = 0; i < sizeof(about_self) / sizeof(about_self[0]); i++) {
		size_t len = strlen(about_self[i].prefix);

		if (strncmp(path, about_self[i].prefix, len))
			continue;
		snprintf(out, PATH_ROOM, "/proc/%d/%s%s",
			 about_self[i].thread ? tid : task_tgid(tid), about_self[i].below,
			 path + len);
		return about_self[i].cwd;
	}
	snprintf(out, PATH_ROOM, "%s", path);
	return true;
}

static int open_here(const struct view_task *t, const char *path, int flags)
{
	char outside[PATH_ROOM];
	int fd;

	if (!from_outside(t->tid, path, outside))
		path = outside;
	fd = fchdir(t->cwd) ? -1 : open(path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		fd = -errno;
	if (chdir("/") && fd >= 0) {
		close(fd);
		fd = -EACCES;
	}
	return fd;
}

static int open_below(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
		.resolve = RESOLVE_IN_ROOT,
	};

	for (int i = 0; i < ATTEMPTS; i++) {
		int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return fd;
		if (errno != EAGAIN)
			/* A link of /proc, which would mean the supervisor's own. */
			return errno == EXDEV ? -EACCES : -errno;
	}
	return -EACCES;
}

/* Whether t->below leads to the working directory: what the kernel says counts only then. */
static bool is_below(const struct view_task *t)
{
	struct view_mark found, wanted;
	bool same;
	int fd;

	if (!t->below)
		return false;
	fd = open_below(t->root, *t->below ? t->below : "/", O_DIRECTORY);
	if (fd < 0)
		return false;
	same = get_mark(fd, "", AT_EMPTY_PATH, &found) == 0 &&
	       get_mark(t->cwd, "", AT_EMPTY_PATH, &wanted) == 0 && same_mark(&found, &wanted);
	close(fd);
	return same;
}

/* In another root, where the kernel follows every link as it would for the task. */
static int open_there(const struct view_task *t, const char *path, int flags)
{
	char whole[PATH_MAX + PATH_ROOM];

	if (*path != '/' && !is_below(t))
		return -EACCES;
	snprintf(whole, sizeof(whole), "%s/%s", *path == '/' ? "" : t->below, path);
	return open_below(t->root, whole, flags);
}

/* "root" or "cwd" of the task. */
static int open_directory(pid_t tid, const char *which)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, which);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What the link of /proc says, seen from our root. */
static int read_directory(pid_t tid, const char *which, char buf[static PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, which);
	n = readlink(path, buf, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* Find t->below, if the working directory is not outside of the root. */
static void find_below(struct view_task *t)
{
	char top[PATH_MAX];
	size_t n;

	if (read_directory(t->tid, "root", top) || read_directory(t->tid, "cwd", t->buf))
		return;
	n = strcmp(top, "/") ? strlen(top) : 0;
	if (strncmp(t->buf, top, n) == 0 && (!t->buf[n] || t->buf[n] == '/'))
		t->below = t->buf + n;
}

int view_enter(const struct view *v, pid_t tid, struct view_task *out)
{
	out->tid = tid;
	out->root = -1;
	out->below = NULL;
	out->cwd = open_directory(tid, "cwd");
	if (out->cwd < 0)
		return out->cwd;
	if (is_ours(v, tid))
		return 0;
	out->root = open_directory(tid, "root");
	if (out->root < 0) {
		close(out->cwd);
		return out->root;
	}
	find_below(out);
	return 0;
}

void view_leave(struct view_task *t)
{
	close(t->cwd);
	if (t->root >= 0)
		close(t->root);
}

int view_open(const struct view_task *t, const char *path, int flags)
{
	return t->root < 0 ? open_here(t, path, flags) : open_there(t, path, flags);
}

static int place_here(const struct view_task *t, const char *path, struct view_place *out)
{
	if (from_outside(t->tid, path, out->name))
		strcpy(out->name, path);
	else if (strlen(out->name) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -EACCES;
	out->dir = fcntl(t->cwd, F_DUPFD_CLOEXEC, 0);
	return out->dir < 0 ? -errno : 0;
}

static int place_there(const struct view_task *t, const char *path, struct view_place *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char parent[PATH_ROOM];

	if (!*name)
		return -ENOENT; /* fs/namei.c filename_create(): a directory's name */
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->dir = open_there(t, *parent ? parent : ".", O_DIRECTORY);
	return out->dir < 0 ? out->dir : 0;
}

int view_place(const struct view_task *t, const char *path, struct view_place *out)
{
	return t->root < 0 ? place_here(t, path, out) : place_there(t, path, out);
}

/*
 * The kernel writes a path also for what was removed, and for a mount that is not below our root;
 * so what it says counts only if it leads back.
 */
int view_real_path(int fd, char *buf, size_t size)
{
	char link[32], path[PATH_MAX];
	struct stat there, here;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(path) || (size_t)n >= size)
		return -ENAMETOOLONG;
	path[n] = '\0';
	if (*path != '/' || lstat(path, &there) || fstat(fd, &here) ||
	    there.st_dev != here.st_dev || there.st_ino != here.st_ino)
		return -ENOENT;
	memcpy(buf, path, (size_t)n + 1);
	return 0;
}
