/* SPDX-License-Identifier: MIT */
#include "core/local.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/task.h"

static const socklen_t path_offset = offsetof(struct sockaddr_un, sun_path);

int local_init(struct local *l)
{
	*l = (struct local){
		/* Without it nothing can be remembered, and nothing is reachable. */
		.diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
		.fsuid = geteuid(),
		.fsgid = getegid(),
	};
	l->sockets = calloc(LOCAL_SOCKETS, sizeof(*l->sockets));
	return l->sockets ? 0 : -ENOMEM;
}

void local_exit(struct local *l)
{
	for (size_t i = 0; l->sockets && i < LOCAL_SOCKETS; i++)
		if (l->sockets[i].used && l->sockets[i].fd >= 0)
			close(l->sockets[i].fd);
	free(l->sockets);
	if (l->diag >= 0)
		close(l->diag);
}

const char *local_name(const struct sockaddr_un *name, socklen_t len,
		       char buf[static LOCAL_NAME_MAX])
{
	size_t n = len - path_offset;

	if (len <= path_offset) {
		strcpy(buf, "@");
	} else if (name->sun_path[0]) {
		n = strnlen(name->sun_path, n);
		memcpy(buf, name->sun_path, n);
		buf[n] = '\0';
	} else {
		for (size_t i = 0; i < n; i++)
			buf[i] = name->sun_path[i] ? name->sun_path[i] : '@';
		buf[n] = '\0';
	}
	return buf;
}

/*
 * Whether paths mean the same to the task and to us: same user and groups (a path must not be
 * opened with more rights than the task has), same root directory.
 */
static bool has_our_view(const struct local *l, pid_t tid)
{
	struct task_status status;
	struct stat ours, theirs;
	gid_t groups[TASK_GROUPS_MAX];
	int ngroups = getgroups(TASK_GROUPS_MAX, groups);
	char path[64];

	if (task_status(tid, &status) || status.fsuid != l->fsuid || status.fsgid != l->fsgid)
		return false;
	if (ngroups < 0 || status.ngroups != (unsigned)ngroups ||
	    memcmp(status.groups, groups, sizeof(gid_t) * (unsigned)ngroups))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", tid);
	if (stat("/proc/self/ns/mnt", &ours) || stat(path, &theirs) || ours.st_ino != theirs.st_ino)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/root", tid);
	return stat("/", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

bool local_is_same_user(const struct local *l, pid_t tid)
{
	struct task_status s;

	return task_status(tid, &s) == 0 && s.uid == l->fsuid && s.euid == l->fsuid &&
	       s.gid == l->fsgid && s.egid == l->fsgid;
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

enum { PATH_ROOM = sizeof(((struct sockaddr_un *)0)->sun_path) + 64 };

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

static int open_cwd(pid_t tid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cwd", tid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The path of `name`, which need not end in a NUL. */
static void copy_path(const struct sockaddr_un *name, socklen_t len,
		      char out[static sizeof(name->sun_path) + 1])
{
	size_t n = strnlen(name->sun_path, len - path_offset);

	memcpy(out, name->sun_path, n);
	out[n] = '\0';
}

/* From the task's directory, which is also where a link to /proc/self/cwd then leads. */
static int open_path(pid_t tid, const char *path, int flags)
{
	int cwd = open_cwd(tid);
	int fd;

	if (cwd < 0)
		return cwd;
	fd = fchdir(cwd) ? -1 : open(path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		fd = -errno;
	close(cwd);
	if (chdir("/") && fd >= 0) {
		close(fd);
		fd = -EACCES;
	}
	return fd;
}

/* What the kernel knows of the AF_UNIX socket with inode `ino`: see sock_diag(7). */
struct diag_answer {
	bool found;
	uint64_t vfs_dev, vfs_ino; /* of the path it is bound to, cut to 32 bits */
	size_t name_len;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static int diag_send(const struct local *l, uint32_t ino)
{
	struct {
		struct nlmsghdr nlh;
		struct unix_diag_req req;
	} msg = {
		.nlh = {
			.nlmsg_len = sizeof(msg),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = AF_UNIX,
			.udiag_states = ~0U,
			.udiag_ino = ino,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS,
			.udiag_cookie = { ~0U, ~0U },
		},
	};

	return send(l->diag, &msg, sizeof(msg), 0) == sizeof(msg) ? 0 : -errno;
}

static void diag_attribute(const struct nlattr *a, struct diag_answer *out)
{
	const void *data = (const char *)a + NLA_HDRLEN;
	size_t len = a->nla_len - NLA_HDRLEN;
	struct unix_diag_vfs vfs;

	if (a->nla_type == UNIX_DIAG_NAME && len <= sizeof(out->name)) {
		out->name_len = len;
		memcpy(out->name, data, len);
	} else if (a->nla_type == UNIX_DIAG_VFS && len >= sizeof(vfs)) {
		memcpy(&vfs, data, sizeof(vfs));
		out->vfs_dev = vfs.udiag_vfs_dev;
		out->vfs_ino = vfs.udiag_vfs_ino;
	}
}

/* Requests are served inside send(): the answer is there at once. */
static int diag_ask(const struct local *l, uint32_t ino, struct diag_answer *out)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	ssize_t n;
	size_t at;
	int ret;

	*out = (struct diag_answer){ 0 };
	ret = diag_send(l, ino);
	if (ret)
		return ret;
	n = recv(l->diag, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(*h) || h->nlmsg_len > (size_t)n)
		return -EIO;
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0; /* an error: no such socket */
	out->found = true;
	at = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	while (at + NLA_HDRLEN <= h->nlmsg_len) {
		const struct nlattr *a = (const struct nlattr *)(buf + at);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > h->nlmsg_len - at)
			return -EIO;
		diag_attribute(a, out);
		at += NLA_ALIGN(a->nla_len);
	}
	return 0;
}

/* An entry whose socket is gone: the path was removed, or the abstract socket closed. */
static bool is_dead(const struct local *l, const struct local_socket *s)
{
	struct diag_answer answer;
	struct stat st;

	if (s->fd >= 0)
		return fstat(s->fd, &st) || st.st_nlink == 0;
	return diag_ask(l, (uint32_t)s->ino, &answer) || !answer.found;
}

static struct local_socket *free_entry(struct local *l)
{
	for (size_t i = 0; i < LOCAL_SOCKETS; i++)
		if (!l->sockets[i].used)
			return &l->sockets[i];
	for (size_t i = 0; i < LOCAL_SOCKETS; i++) {
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
	for (size_t i = 0; i < LOCAL_SOCKETS; i++) {
		const struct local_socket *s = &l->sockets[i];

		if (s->used && s->fd >= 0 && s->dev == st->st_dev && s->ino == st->st_ino)
			return true;
	}
	return false;
}

/* A name is one socket's at a time: ask about those that we saw bound. */
static bool is_own_abstract(const struct local *l, const struct sockaddr_un *name, socklen_t len)
{
	size_t n = len - path_offset;

	for (size_t i = 0; i < LOCAL_SOCKETS; i++) {
		const struct local_socket *s = &l->sockets[i];
		struct diag_answer answer;

		if (!s->used || s->fd >= 0 || diag_ask(l, (uint32_t)s->ino, &answer))
			continue;
		if (answer.found && answer.name_len == n &&
		    memcmp(answer.name, name->sun_path, n) == 0)
			return true;
	}
	return false;
}

static int find_path(const struct local *l, pid_t tid, const char *path, struct local_peer *out)
{
	char outside[PATH_ROOM];
	struct stat st;
	int fd;

	from_outside(tid, path, outside);
	fd = open_path(tid, outside, 0);
	if (fd < 0)
		return fd;
	/* In the kernel's order: net/unix/af_unix.c unix_find_bsd(). */
	if (faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS)) {
		int error = errno;

		close(fd);
		return -error;
	}
	if (fstat(fd, &st) || !S_ISSOCK(st.st_mode)) {
		close(fd);
		return -ECONNREFUSED;
	}
	out->fd = fd;
	out->own = is_own_path(l, &st);
	out->address.sun_family = AF_UNIX;
	snprintf(out->address.sun_path, sizeof(out->address.sun_path), "/proc/self/fd/%d", fd);
	out->len = sizeof(out->address);
	return 0;
}

int local_find(struct local *l, pid_t tid, const struct sockaddr_un *name, socklen_t len,
	       struct local_peer *out)
{
	char path[sizeof(name->sun_path) + 1];

	*out = (struct local_peer){ .fd = -1 };
	/* net/unix/af_unix.c unix_validate_addr() */
	if (len <= path_offset || len > sizeof(*name) || name->sun_family != AF_UNIX)
		return -EINVAL;
	if (!name->sun_path[0]) {
		out->own = is_own_abstract(l, name, len);
		out->address = *name;
		out->len = len;
		return 0;
	}
	copy_path(name, len, path);
	if (!has_our_view(l, tid))
		return -EACCES;
	return find_path(l, tid, path, out);
}

/*
 * Bind to the very text that the task wrote, as getsockname(2) shows it to every peer, with the
 * task's directory and umask; this process has one thread.
 */
static int bind_path(pid_t tid, int sock, const struct sockaddr_un *name, socklen_t len)
{
	struct task_status status;
	mode_t mask;
	int cwd, ret;

	if (task_status(tid, &status))
		return -EACCES;
	cwd = open_cwd(tid);
	if (cwd < 0)
		return cwd;
	ret = fchdir(cwd) ? -errno : 0;
	close(cwd);
	if (ret)
		return ret;
	mask = umask(status.umask);
	ret = bind(sock, (const struct sockaddr *)name, len) ? -errno : 0;
	umask(mask);
	return chdir("/") && !ret ? -errno : ret;
}

static uint64_t socket_inode(int sock)
{
	struct stat st;

	return fstat(sock, &st) ? 0 : st.st_ino;
}

/*
 * Device and inode number as the kernel itself uses them, and as diag_ask() reports them: stat(2)
 * shows others on btrfs and overlayfs. See proc_pid_fdinfo(5) and proc_pid_mountinfo(5).
 */
static int raw_identity(int fd, uint64_t *dev, uint64_t *ino)
{
	unsigned long inode;
	unsigned major, minor;
	int mount = -1, id, ret = -ENOENT;
	bool have_ino = false;
	char line[4096];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	f = fopen(line, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "mnt_id: %d", &mount);
		if (sscanf(line, "ino: %lu", &inode) == 1)
			have_ino = true;
	}
	fclose(f);
	if (mount < 0 || !have_ino)
		return -ENOENT;
	*ino = inode;
	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%d %*d %u:%u", &id, &major, &minor) != 3 || id != mount)
			continue;
		*dev = (uint64_t)major << 20 | minor; /* include/linux/kdev_t.h MKDEV() */
		ret = 0;
	}
	fclose(f);
	return ret;
}

static bool is_bound_to(const struct local *l, int sock, int path_fd)
{
	struct diag_answer answer;
	uint64_t dev = 0, ino = 0;

	return raw_identity(path_fd, &dev, &ino) == 0 &&
	       diag_ask(l, (uint32_t)socket_inode(sock), &answer) == 0 && answer.found &&
	       answer.vfs_ino == (uint32_t)ino && answer.vfs_dev == (uint32_t)dev;
}

/*
 * Remember the inode of `path`, if that is what `sock` is bound to: a task can have put another
 * socket there since.
 */
static void remember_path(struct local *l, struct local_socket *entry, pid_t tid, int sock,
			  const char *path)
{
	struct stat st;
	int fd = open_path(tid, path, O_NOFOLLOW);

	if (fd < 0)
		return;
	if (fstat(fd, &st) || !is_bound_to(l, sock, fd)) {
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

int local_bind(struct local *l, pid_t tid, int sock, const struct sockaddr_un *name, socklen_t len)
{
	struct local_socket *entry;
	char path[sizeof(name->sun_path) + 1], outside[PATH_ROOM];
	struct sockaddr_un rewritten = { 0 };
	bool abstract;
	int ret;

	if (len < path_offset || len > sizeof(*name) || name->sun_family != AF_UNIX)
		return -EINVAL;
	entry = free_entry(l);
	if (!entry)
		return -ENOBUFS;
	/* The family alone asks the kernel for a free abstract name (unix(7), autobind). */
	abstract = len == path_offset || !name->sun_path[0];
	if (abstract) {
		if (bind(sock, (const struct sockaddr *)name, len))
			return -errno;
		*entry = (struct local_socket){ .ino = socket_inode(sock), .fd = -1, .used = true };
		return 0;
	}
	copy_path(name, len, path);
	if (!has_our_view(l, tid))
		return -EACCES;
	if (!from_outside(tid, path, outside)) {
		/* Then getsockname(2) shows the path as it is from outside: better than none. */
		if (strlen(outside) >= sizeof(rewritten.sun_path))
			return -EACCES;
		rewritten.sun_family = AF_UNIX;
		strcpy(rewritten.sun_path, outside);
		name = &rewritten;
		len = sizeof(rewritten);
	}
	ret = bind_path(tid, sock, name, len);
	if (!ret)
		remember_path(l, entry, tid, sock, outside);
	return ret;
}
