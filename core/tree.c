/* SPDX-License-Identifier: MIT */
#include "core/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/reap.h"
#include "core/uapi.h"

/*
 * A task can hand a socket on to a new task, and end, while its like are looked at; so all are
 * looked at until nothing new appears, up to a bound.
 */
enum { PASSES_MAX = 8 };

/* Enough to see what a list of children that changed meanwhile (proc(5)) has left out. */
enum { LOOK_PASSES = 2 };

/* A set of numbers: open addressing, never more than half full. */
struct set {
	uint64_t *slot; /* 0 is free */
	size_t slots, n;
};

struct walk {
	tree_fn *fn;
	tree_inode_fn *inode_fn; /* instead of it */
	void *arg;
	struct set tasks, sockets; /* thread ids, and cookies or inodes, that were seen */
	struct set checked;        /* cookies of what was looked into in this pass */
	struct tree_result result;
	bool in_flight, news; /* in this pass */
};

static size_t probe(const uint64_t *slot, size_t slots, uint64_t value)
{
	size_t at = (size_t)(value * 0x9e3779b97f4a7c15U >> 32) & (slots - 1);

	while (slot[at] && slot[at] != value)
		at = (at + 1) & (slots - 1);
	return at;
}

/* Returns 1 when the value is new, 0 when it is not, or -ENOMEM. */
static int set_add(struct set *s, uint64_t value)
{
	size_t at;

	if (2 * (s->n + 1) > s->slots) {
		size_t slots = s->slots ? 2 * s->slots : 256;
		uint64_t *slot = calloc(slots, sizeof(*slot));

		if (!slot)
			return -ENOMEM;
		for (size_t i = 0; i < s->slots; i++)
			if (s->slot[i])
				slot[probe(slot, slots, s->slot[i])] = s->slot[i];
		free(s->slot);
		s->slot = slot;
		s->slots = slots;
	}
	at = probe(s->slot, s->slots, value);
	if (s->slot[at])
		return 0;
	s->slot[at] = value;
	s->n++;
	return 1;
}

/* Whether descriptors wait in the socket (net/unix/af_unix.c unix_show_fdinfo()). */
static bool has_descriptors(pid_t tid, const char *fd)
{
	char text[1024];
	unsigned waiting = 0;
	const char *at;
	ssize_t n;
	int info;

	snprintf(text, sizeof(text), "/proc/%d/fdinfo/%s", tid, fd);
	info = open(text, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return false;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "scm_fds:");
	return at && sscanf(at, "scm_fds: %u", &waiting) == 1 && waiting;
}

/* Look at what an AF_UNIX socket has in it. Returns 0 or -ENOMEM. */
static int check_local(struct walk *w, pid_t tid, const char *fd, uint64_t cookie)
{
	int ret = set_add(&w->checked, cookie);

	if (ret > 0 && has_descriptors(tid, fd))
		w->in_flight = true;
	return ret < 0 ? ret : 0;
}

static int look(struct walk *w, pid_t tid, const char *fd, int sock)
{
	int domain = 0, ret;
	socklen_t len = sizeof(domain), cookie_len = sizeof(uint64_t);
	uint64_t cookie;

	/*
	 * The number may have become a file's, which must not even be looked at: it can be on a
	 * file system that the command serves. The inode would not do: those of sockets come again
	 * after 2^32.
	 */
	if (getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    getsockopt(sock, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_len))
		return 0;
	ret = set_add(&w->sockets, cookie);
	if (ret > 0) {
		w->news = true;
		w->fn(w->arg, sock, cookie);
	}
	if (ret >= 0)
		ret = domain == AF_UNIX ? check_local(w, tid, fd, cookie) : 0;
	return ret;
}

/* Returns 0 or -ENOMEM. */
static int visit(struct walk *w, int pidfd, pid_t tid, const char *fd)
{
	int sock = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(fd), 0);
	int ret;

	if (sock < 0)
		return 0; /* closed meanwhile */
	ret = look(w, tid, fd, sock);
	close(sock);
	return ret;
}

/* The inode of "socket:[INODE]", or 0. */
static uint64_t inode_of(int dir, const char *name)
{
	char link[64];
	unsigned long long inode = 0;
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	if (n <= 0)
		return 0;
	link[n] = '\0';
	return sscanf(link, "socket:[%llu]", &inode) == 1 ? inode : 0;
}

/* The same by its number alone. */
static int note(struct walk *w, pid_t tid, uint64_t inode)
{
	int ret = set_add(&w->sockets, inode);

	if (ret > 0)
		w->inode_fn(w->arg, inode, tid);
	return ret < 0 ? ret : 0;
}

/* What the task has open. Returns 0 or -ENOMEM. */
static int visit_table(struct walk *w, pid_t tid)
{
	struct dirent *entry;
	char path[64];
	int ret = 0;
	int pidfd;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", tid);
	dir = opendir(path);
	if (!dir) {
		/* One that is gone has nothing open. */
		w->result.unseen += errno == EACCES || errno == EPERM;
		return 0;
	}
	pidfd = pidfd_open(tid, PIDFD_THREAD);
	while (pidfd >= 0 && !ret && (entry = readdir(dir))) {
		uint64_t inode = inode_of(dirfd(dir), entry->d_name);

		if (!inode)
			continue;
		if (w->inode_fn)
			ret = note(w, tid, inode);
		else
			ret = visit(w, pidfd, tid, entry->d_name);
	}
	if (pidfd >= 0)
		close(pidfd);
	closedir(dir);
	return ret;
}

/* The threads of a process; most share the descriptors of its first. */
static int visit_process(struct walk *w, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		ret = set_add(&w->tasks, (uint64_t)tid);
		if (ret > 0)
			w->news = true;
		if (ret < 0)
			break;
		if (tid == pid || syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) != 0)
			ret = visit_table(w, tid);
		else
			ret = 0;
	}
	closedir(dir);
	return ret;
}

/* Returns how many descendants there are, with *out to be freed, or -errno. */
static int descendants(pid_t **out)
{
	size_t room = 256;
	pid_t *pids = NULL;

	for (;;) {
		pid_t *more = reallocarray(pids, room, sizeof(*pids));
		int n = more ? reap_descendants(more, room) : -ENOMEM;

		if (n < 0) {
			free(more ? more : pids);
			return n;
		}
		pids = more;
		if ((size_t)n <= room) {
			*out = pids;
			return n;
		}
		room = (size_t)n + 64;
	}
}

static int pass(struct walk *w)
{
	pid_t *pids;
	int ret = 0;
	int n = descendants(&pids);

	if (n < 0)
		return n;
	w->news = w->in_flight = false;
	w->result.unseen = 0;
	free(w->checked.slot);
	w->checked = (struct set){ 0 };
	for (int i = 0; !ret && i < n; i++)
		ret = visit_process(w, pids[i]);
	free(pids);
	return ret;
}

static int walk(struct walk *w, int passes, struct tree_result *out)
{
	int ret = 0;

	w->news = true;
	for (int i = 0; !ret && w->news && i < passes; i++)
		ret = pass(w);
	free(w->tasks.slot);
	free(w->sockets.slot);
	free(w->checked.slot);
	w->result.unsettled = w->news || w->in_flight;
	if (!ret)
		*out = w->result;
	return ret;
}

int tree_sockets(tree_fn *fn, void *arg, struct tree_result *out)
{
	struct walk w = { .fn = fn, .arg = arg };

	return walk(&w, PASSES_MAX, out);
}

int tree_inodes(tree_inode_fn *fn, void *arg, struct tree_result *out)
{
	struct walk w = { .inode_fn = fn, .arg = arg };

	return walk(&w, LOOK_PASSES, out);
}
