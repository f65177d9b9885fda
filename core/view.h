/* SPDX-License-Identifier: MIT */
/*
 * Paths as a task sees them: from its root and working directory, in its mount
 * namespace.
 *
 * The task's directories are opened as who we are, paths are followed as whoever
 * we are at the moment (identity.h). The working directory of this process
 * changes in the course of it and is "/" afterwards; no path of ours may depend
 * on it.
 */
#ifndef SANDTOP_CORE_VIEW_H
#define SANDTOP_CORE_VIEW_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

/* What tells one mounted directory from all others. */
struct view_mark {
	uint64_t dev, ino, mount;
};

struct view {
	uint64_t namespace; /* inode of our mount namespace */
	struct view_mark root;
};

/* Returns 0 or -errno. */
int view_init(struct view *v);

/* The directories that one task sees paths from. */
struct view_task {
	pid_t tid;
	int cwd;
	int root; /* -1: a path means to it what it means to us in `cwd` */
	/* With `root`: where from there `cwd` is, "" for the root itself; else NULL. */
	char *below;
	char buf[PATH_MAX];
};

/* Returns 0 or -errno; after 0 view_leave() is due. */
int view_enter(const struct view *v, pid_t tid, struct view_task *out);
void view_leave(struct view_task *t);

/*
 * Open what `path` is to the task, with O_PATH and `flags`. Returns a descriptor that belongs
 * to the caller, or -errno of the lookup; -EACCES also for a path that cannot be followed from
 * outside (through /proc/self in another root).
 */
int view_open(const struct view_task *t, const char *path, int flags);

/* Where a socket is to be bound: in the directory `dir`, the caller's, under the path `name`. */
struct view_place {
	int dir;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 64];
};

/*
 * Find the place of `path`. Where the task sees what we see, place->name is `path` itself, which
 * getsockname(2) will show; through /proc/self it is the path as it is from outside, and in another
 * root its last component. Returns 0 or -errno as view_open().
 */
int view_place(const struct view_task *t, const char *path, struct view_place *out);

/*
 * The path by which descriptor `fd` (O_PATH) is found from our own root, free of links. Returns 0;
 * -ENAMETOOLONG; -ENOENT when there is none, as it was removed or lies in a mount of another
 * namespace.
 */
int view_real_path(int fd, char *buf, size_t size);

#endif
