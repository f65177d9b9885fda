/* SPDX-License-Identifier: MIT */
#include "core/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/inode.h"
#include "core/task.h"

/* In a directory of control sockets more than this are not looked at. */
enum { CONTROL_SOCKETS = 1024 };

static const socklen_t path_offset = offsetof(struct sockaddr_un, sun_path);

/* Where a sandtop of this user puts its control socket. */
static int find_control_directories(struct local *l)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	unsigned uid = getuid();

	if (runtime && asprintf(&l->control[0], "%s/sandtop", runtime) < 0)
		l->control[0] = NULL;
	if (asprintf(&l->control[1], "/run/user/%u/sandtop", uid) < 0)
		l->control[1] = NULL;
	if (asprintf(&l->control[2], "/tmp/sandtop-%u", uid) < 0)
		l->control[2] = NULL;
	return (l->control[0] || !runtime) && l->control[1] && l->control[2] ? 0 : -ENOMEM;
}

int local_init(struct local *l, struct identity *identity)
{
	int ret;

	*l = (struct local){ .identity = identity };
	/* Without it nothing can be remembered, and nothing is reachable. */
	unixdiag_init(&l->diag);
	l->sockets = calloc(LOCAL_SOCKETS, sizeof(*l->sockets));
	ret = l->sockets ? find_control_directories(l) : -ENOMEM;
	return ret ? ret : view_init(&l->view);
}

void local_exit(struct local *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->sockets[i].used && l->sockets[i].fd >= 0)
			close(l->sockets[i].fd);
	free(l->sockets);
	for (size_t i = 0; i < sizeof(l->control) / sizeof(l->control[0]); i++)
		free(l->control[i]);
	unixdiag_exit(&l->diag);
}

/* "@name": as /proc/net/unix writes it, with NULs as @. */
static void write_abstract(const struct sockaddr_un *name, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = name->sun_path[i] ? name->sun_path[i] : '@';
	out[n] = '\0';
}

/* The path of `name`, which need not end in a NUL. */
static void copy_path(const struct sockaddr_un *name, socklen_t len,
		      char out[static sizeof(name->sun_path) + 1])
{
	size_t n = strnlen(name->sun_path, len - path_offset);

	memcpy(out, name->sun_path, n);
	out[n] = '\0';
}

/* What the kernel knows of a socket that is still the one that was remembered. */
static int find_socket(struct local *l, const struct local_socket *s, struct unixdiag_socket *found)
{
	return unixdiag_find(&l->diag, (uint32_t)s->ino, s->cookie, found);
}

/* The entry of an abstract name, or of a path before that was looked for. */
static struct local_socket entry_of(int sock)
{
	struct local_socket s = { .fd = -1, .used = true };
	socklen_t len = sizeof(s.cookie);
	struct stat st;

	if (fstat(sock, &st) == 0 && getsockopt(sock, SOL_SOCKET, SO_COOKIE, &s.cookie, &len) == 0)
		s.ino = st.st_ino;
	return s;
}

/* An entry whose socket is gone: the path was removed, or the abstract socket closed. */
static bool is_dead(struct local *l, const struct local_socket *s)
{
	struct unixdiag_socket found;
	struct stat st;

	if (s->fd >= 0)
		return fstat(s->fd, &st) || st.st_nlink == 0;
	return find_socket(l, s, &found) != 0;
}

static struct local_socket *free_entry(struct local *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->sockets[i].used)
			return &l->sockets[i];
	if (l->n < LOCAL_SOCKETS)
		return &l->sockets[l->n++];
	for (size_t i = 0; i < l->n; i++) {
		struct local_socket *s = &l->sockets[i];

		if (is_dead(l, s)) {
			if (s->fd >= 0)
				close(s->fd);
			s->used = false;
			return s;
		}
	}
	return NULL;
}

static bool is_own_path(const struct local *l, const struct stat *st)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct local_socket *s = &l->sockets[i];

		if (s->used && s->fd >= 0 && s->dev == st->st_dev && s->ino == st->st_ino)
			return true;
	}
	return false;
}

static bool has_name(const struct unixdiag_socket *s, const struct sockaddr_un *name, size_t n)
{
	return s->name_len == n && memcmp(s->name, name->sun_path, n) == 0;
}

/* A name is one socket's at a time: ask about those that we saw bound. */
static bool is_own_abstract(struct local *l, const struct sockaddr_un *name, size_t n)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct local_socket *s = &l->sockets[i];
		struct unixdiag_socket found;

		if (s->used && s->fd < 0 && find_socket(l, s, &found) == 0 &&
		    has_name(&found, name, n))
			return true;
	}
	return false;
}

struct sought {
	const struct sockaddr_un *name;
	size_t n;
	int type;
};

static int is_sought(void *arg, const struct unixdiag_socket *s)
{
	const struct sought *sought = arg;

	return s->type == sought->type && has_name(s, sought->name, sought->n);
}

/*
 * Whether the kernel would find nobody by an abstract name, without anybody noticing the question:
 * a datagram socket does not see who connects to it, the others must be listening.
 */
static bool is_nobody(struct local *l, int type, const struct sockaddr_un *name, socklen_t len)
{
	struct sought sought = { .name = name, .n = len - path_offset, .type = type };
	int probe, error;

	if (type != SOCK_DGRAM)
		return unixdiag_listeners(&l->diag, is_sought, &sought) == 0;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return false;
	error = connect(probe, (const struct sockaddr *)name, len) ? errno : 0;
	close(probe);
	return error == ECONNREFUSED;
}

static int find_abstract(struct local *l, int type, const struct sockaddr_un *name, socklen_t len,
			 struct local_peer *out)
{
	size_t n = len - path_offset;

	out->own = is_own_abstract(l, name, n);
	if (!out->own && is_nobody(l, type, name, len))
		return -ECONNREFUSED;
	out->address = *name;
	out->len = len;
	out->known = true;
	write_abstract(name, n, out->name);
	return 0;
}

/* As the task. */
static int find_path(const struct local *l, const struct view_task *task, const char *path,
		     struct local_peer *out)
{
	struct stat st;
	int fd = view_open(task, path, 0);
	int ret;

	if (fd < 0)
		return fd;
	/* In the kernel's order: net/unix/af_unix.c unix_find_bsd(). */
	ret = faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) ? -errno : 0;
	if (!ret && (fstat(fd, &st) || !S_ISSOCK(st.st_mode)))
		ret = -ECONNREFUSED;
	if (ret)
		goto err_close;
	out->own = is_own_path(l, &st);
	if (!out->own) {
		ret = view_real_path(fd, out->name, sizeof(out->name));
		if (ret == -ENAMETOOLONG)
			goto err_close;
		out->known = !ret;
	}
	if (!out->known)
		strcpy(out->name, path);
	out->fd = fd;
	out->address.sun_family = AF_UNIX;
	snprintf(out->address.sun_path, sizeof(out->address.sun_path), "/proc/self/fd/%d", fd);
	out->len = sizeof(out->address);
	return 0;

err_close:
	close(fd);
	return ret;
}

int local_find(struct local *l, pid_t tid, int type, const struct sockaddr_un *name, socklen_t len,
	       struct local_peer *out)
{
	char path[sizeof(name->sun_path) + 1];
	struct view_task task;
	int ret;

	*out = (struct local_peer){ .fd = -1 };
	/* net/unix/af_unix.c unix_validate_addr() */
	if (len <= path_offset || len > sizeof(*name) || name->sun_family != AF_UNIX)
		return -EINVAL;
	if (!name->sun_path[0])
		return find_abstract(l, type, name, len, out);
	copy_path(name, len, path);
	ret = view_enter(&l->view, tid, &task);
	if (ret)
		return ret;
	ret = identity_take(l->identity, tid);
	if (!ret)
		ret = find_path(l, &task, path, out);
	identity_drop(l->identity);
	view_leave(&task);
	return ret;
}

/* "sandtop/NAME.sock" or "sandtop-UID/NAME.sock", wherever that is: see local_init(). */
static bool is_control_name(const char *path)
{
	const char *base = strrchr(path, '/');
	const char *parent = base;
	size_t n;

	if (!base)
		return false;
	n = strlen(base);
	if (n < 5 || strcmp(base + n - 5, ".sock"))
		return false;
	while (parent > path && parent[-1] != '/')
		parent--;
	n = (size_t)(base - parent);
	if (n < 7 || strncmp(parent, "sandtop", 7))
		return false;
	return n == 7 || (parent[7] == '-' && strspn(parent + 8, "0123456789") == n - 8);
}

/* By a hard link, or in a directory that is mounted elsewhere. */
static bool is_in_directory(const char *path, const struct stat *st)
{
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;
	struct stat other;
	bool found = false;

	for (int i = 0; dir && !found && i < CONTROL_SOCKETS && (entry = readdir(dir)); i++)
		found = fstatat(dirfd(dir), entry->d_name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISSOCK(other.st_mode) && other.st_dev == st->st_dev &&
			other.st_ino == st->st_ino;
	if (dir)
		closedir(dir);
	return found;
}

static bool is_at(const struct unixdiag_socket *s, const struct inode *inode)
{
	return s->vfs_ino == (uint32_t)inode->ino && s->vfs_dev == (uint32_t)inode->dev;
}

/* Whether a socket was bound as a control socket, and is what the inode is now. */
static int was_control(void *arg, const struct unixdiag_socket *s)
{
	const struct inode *inode = arg;

	return s->name_len && s->name[0] == '/' && is_control_name(s->name) && is_at(s, inode);
}

bool local_is_control(struct local *l, pid_t tid, int type, const struct local_peer *peer)
{
	struct inode inode;
	struct stat st;

	if (peer->fd < 0)
		return false;
	if (is_control_name(peer->name))
		return true;
	/* It is a SOCK_SEQPACKET, and the kernel connects none but that. */
	if (type != SOCK_SEQPACKET)
		return false;
	if (fstat(peer->fd, &st) || inode_identify(tid, peer->fd, &inode))
		return true; /* nobody can say */
	for (size_t i = 0; i < sizeof(l->control) / sizeof(l->control[0]); i++)
		if (is_in_directory(l->control[i], &st))
			return true;
	return unixdiag_listeners(&l->diag, was_control, &inode) != 0;
}

/*
 * Bind with the task's umask, from the directory of the place; this thread shares neither with
 * another.
 */
static int bind_path(pid_t tid, int sock, const struct view_place *place)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	size_t n = strlen(place->name);
	struct task_status status;
	mode_t mask;
	int ret;

	if (task_status(tid, &status))
		return -EACCES;
	if (fchdir(place->dir))
		return -errno;
	/* Without a NUL where there is no room for one. */
	memcpy(name.sun_path, place->name, n);
	mask = umask(status.umask);
	ret = bind(sock, (const struct sockaddr *)&name,
		   path_offset + (socklen_t)(n < sizeof(name.sun_path) ? n + 1 : n))
		      ? -errno
		      : 0;
	umask(mask);
	return chdir("/") && !ret ? -errno : ret;
}

/*
 * Remember the inode of `path`, if that is what `sock` has been bound to since `since`: a task can
 * have put another socket there. The kernel tells only a part of the inode's number, and no
 * subvolume; a service of the host can have the same, but was there before.
 */
static void remember_path(struct local *l, struct local_socket *entry, const struct view_task *task,
			  int sock, const char *path, const struct timespec *since)
{
	int fd = view_open(task, path, O_NOFOLLOW);
	struct local_socket s = entry_of(sock);
	struct unixdiag_socket bound;
	struct inode inode;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || inode_identify(task->tid, fd, &inode) || find_socket(l, &s, &bound) ||
	    !is_at(&bound, &inode) || !inode_is_new(fd, since)) {
		close(fd);
		return;
	}
	*entry = (struct local_socket){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.fd = fd,
		.used = true,
	};
}

/* As the task. */
static int bind_and_remember(struct local *l, struct local_socket *entry,
			     const struct view_task *task, int sock, const char *path)
{
	struct view_place place;
	struct timespec since;
	int ret = view_place(task, path, &place);

	if (ret)
		return ret;
	inode_now(&since);
	ret = bind_path(task->tid, sock, &place);
	if (!ret)
		remember_path(l, entry, task, sock, path, &since);
	close(place.dir);
	return ret;
}

int local_bind(struct local *l, pid_t tid, int sock, const struct sockaddr_un *name, socklen_t len)
{
	char path[sizeof(name->sun_path) + 1];
	struct local_socket *entry;
	struct view_task task;
	int ret;

	if (len < path_offset || len > sizeof(*name) || name->sun_family != AF_UNIX)
		return -EINVAL;
	entry = free_entry(l);
	if (!entry)
		return -ENOBUFS;
	/* The family alone asks the kernel for a free abstract name (unix(7), autobind). */
	if (len == path_offset || !name->sun_path[0]) {
		if (bind(sock, (const struct sockaddr *)name, len))
			return -errno;
		*entry = entry_of(sock);
		return 0;
	}
	copy_path(name, len, path);
	ret = view_enter(&l->view, tid, &task);
	if (ret)
		return ret;
	ret = identity_take(l->identity, tid);
	if (!ret)
		ret = bind_and_remember(l, entry, &task, sock, path);
	identity_drop(l->identity);
	view_leave(&task);
	return ret;
}

void local_add(struct local *l, int sock)
{
	struct local_socket *entry = free_entry(l);

	if (entry)
		*entry = entry_of(sock);
}
