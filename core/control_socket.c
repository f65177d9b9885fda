/* SPDX-License-Identifier: MIT */
#include "core/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/uapi.h"

enum {
	BACKLOG = 16,
	LOCK_TRIES = 200,
};

/* Returns a descriptor that holds the lock, or -errno: -EBUSY after a second. */
static int lock_dir(int dir)
{
	static const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	int fd = openat(dir, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return -EBUSY;
}

static socklen_t set_address(int dir, const char *name, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	control_path(dir, name, out->sun_path);
	return sizeof(*out);
}

static void remove_file(int dir, const char *name)
{
	struct sockaddr_un address;

	set_address(dir, name, &address);
	unlink(address.sun_path);
}

/*
 * Whether nobody has the socket any more; any doubt means that somebody does. A socket of another
 * type is not let in, and whoever listens is not woken: the answer is EPROTOTYPE (net/unix/af_unix.c
 * unix_find_bsd()).
 */
static bool is_stale(int dir, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = set_address(dir, name, &address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)&address, len) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static void sweep(int dir)
{
	struct control_names names;

	if (control_names(&names))
		return;
	for (size_t i = 0; i < names.n; i++)
		if (is_stale(dir, names.v[i]))
			remove_file(dir, names.v[i]);
	free(names.v);
}

static int open_listener(struct control_socket *s)
{
	struct sockaddr_un address;
	socklen_t len = set_address(s->dir, s->name, &address);
	struct stat st;
	int on = 1;

	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Accepted sockets inherit the two options. */
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    setsockopt(s->fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) ||
	    bind(s->fd, (const struct sockaddr *)&address, len))
		return -errno;
	if (listen(s->fd, BACKLOG) || stat(address.sun_path, &st)) {
		int error = errno;

		unlink(address.sun_path);
		return -error;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

static int fail(struct control_error *err, int error, const char *name)
{
	char path[PATH_MAX];

	if (error == -EADDRINUSE) {
		snprintf(err->text, sizeof(err->text),
			 "--name: '%s': a sandbox of this name is running: expected another name",
			 name);
		return error;
	}
	control_dir(path);
	snprintf(err->text, sizeof(err->text),
		 "sandtop ps and ctl will not see this run: cannot use '%.300s': %s", path,
		 error == -EPERM   ? "expected a directory that is this user's alone"
		 : error == -EBUSY ? "another process keeps .lock in it locked"
				   : strerror(-error));
	return error;
}

int control_socket_init(struct control_socket *s, const char *name, struct control_error *err)
{
	int lock, ret;

	*s = (struct control_socket){ .fd = -1, .dir = control_open_dir() };
	if (s->dir < 0)
		return fail(err, s->dir, name);
	snprintf(s->name, sizeof(s->name), "%s", name);
	lock = lock_dir(s->dir);
	ret = lock < 0 ? lock : 0;
	if (!ret) {
		sweep(s->dir);
		ret = open_listener(s);
		close(lock);
	}
	if (!ret)
		return 0;
	s->ino = 0;
	control_socket_exit(s);
	return fail(err, ret, name);
}

void control_socket_exit(struct control_socket *s)
{
	struct sockaddr_un address;
	struct stat st;

	if (s->ino) {
		set_address(s->dir, s->name, &address);
		if (stat(address.sun_path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
			unlink(address.sun_path);
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->dir >= 0)
		close(s->dir);
	*s = (struct control_socket){ .fd = -1, .dir = -1 };
}
