/* SPDX-License-Identifier: MIT */
#include "core/task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/uapi.h"

void tasks_init(struct tasks *t)
{
	t->opened = 0;
	for (size_t i = 0; i < TASKS_CACHED; i++)
		t->slot[i].pidfd = t->slot[i].task_dir = -1;
}

static void forget(struct tasks *t, size_t i)
{
	if (t->slot[i].pidfd >= 0)
		close(t->slot[i].pidfd);
	if (t->slot[i].task_dir >= 0)
		close(t->slot[i].task_dir);
	t->slot[i].pidfd = t->slot[i].task_dir = -1;
}

void tasks_exit(struct tasks *t)
{
	for (size_t i = 0; i < TASKS_CACHED; i++)
		forget(t, i);
}

/*
 * A descriptor of the thread itself: one of its process would answer ESRCH once the group's leader
 * has exited, and would look into the wrong table for a thread that unshared its own.
 */
static int open_pidfd(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	return fd < 0 ? -errno : fd;
}

/* A pidfd is readable once its thread is gone. */
static void sweep(struct tasks *t)
{
	struct pollfd fds[TASKS_CACHED];

	for (size_t i = 0; i < TASKS_CACHED; i++)
		fds[i] = (struct pollfd){ .fd = t->slot[i].pidfd, .events = POLLIN };
	if (poll(fds, TASKS_CACHED, 0) <= 0)
		return;
	for (size_t i = 0; i < TASKS_CACHED; i++) {
		if (fds[i].revents)
			forget(t, i);
	}
}

int tasks_pin(struct tasks *t, pid_t tid, int fd)
{
	size_t at = (unsigned)tid % TASKS_CACHED;
	typeof(t->slot[0]) *slot = &t->slot[at];

	for (;;) {
		bool fresh = slot->pidfd < 0 || slot->tid != tid;
		int dup;

		if (fresh) {
			int pidfd = open_pidfd(tid);

			if (pidfd < 0)
				return pidfd;
			if (++t->opened % TASKS_SWEEP == 0)
				sweep(t);
			forget(t, at);
			slot->tid = tid;
			slot->pidfd = pidfd;
		}
		dup = (int)syscall(SYS_pidfd_getfd, slot->pidfd, fd, 0);
		if (dup >= 0)
			return dup;
		if (errno != ESRCH || fresh)
			return -errno;
		/* The thread behind the cached descriptor is gone and its number lives on. */
		forget(t, at);
	}
}

bool tasks_is_alone(struct tasks *t, pid_t tid)
{
	typeof(t->slot[0]) *slot = &t->slot[(unsigned)tid % TASKS_CACHED];
	struct stat st;
	char path[64];

	if (slot->pidfd < 0 || slot->tid != tid)
		return false;
	if (slot->task_dir < 0) {
		snprintf(path, sizeof(path), "/proc/%d/task", tid);
		slot->task_dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	/*
	 * fs/proc/base.c proc_task_getattr(): two links of the directory itself, and one for each
	 * thread. Of a task that is gone, whose number may live on, there are none.
	 */
	return slot->task_dir >= 0 && fstat(slot->task_dir, &st) == 0 && st.st_nlink == 2 + 1;
}

/* The cached descriptor was good for a tasks_pin() of the same call. */
static int ask_pidfd(const struct tasks *t, pid_t tid, struct task_ids *out)
{
	typeof(t->slot[0]) *slot = &t->slot[(unsigned)tid % TASKS_CACHED];
	struct pidfd_info info = { .mask = PIDFD_INFO_CREDS };

	if (slot->pidfd < 0 || slot->tid != tid || ioctl(slot->pidfd, PIDFD_GET_INFO, &info) ||
	    !(info.mask & PIDFD_INFO_CREDS))
		return -EOPNOTSUPP;
	*out = (struct task_ids){
		.tgid = (pid_t)info.tgid,
		.uid = info.ruid,
		.euid = info.euid,
		.suid = info.suid,
		.gid = info.rgid,
		.egid = info.egid,
		.sgid = info.sgid,
	};
	return 0;
}

int tasks_ids(struct tasks *t, pid_t tid, struct task_ids *out)
{
	struct task_status status;

	if (ask_pidfd(t, tid, out) == 0)
		return 0;
	if (task_status(tid, &status))
		return -ESRCH;
	*out = (struct task_ids){
		.tgid = status.tgid,
		.uid = status.uid,
		.euid = status.euid,
		.suid = status.suid,
		.gid = status.gid,
		.egid = status.egid,
		.sgid = status.sgid,
	};
	return 0;
}

ssize_t task_readv(pid_t tid, void *dst, size_t len, const struct iovec *remote, size_t count)
{
	struct iovec local = { .iov_base = dst, .iov_len = len };
	ssize_t n;

	if (len == 0)
		return 0;
	n = process_vm_readv(tid, &local, 1, remote, count, 0);
	if (n < 0)
		return -errno;
	return n == 0 ? -EFAULT : n;
}

int task_read(pid_t tid, void *dst, uint64_t addr, size_t len)
{
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
	ssize_t n = task_readv(tid, dst, len, &remote, 1);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EFAULT;
}

int task_write(pid_t tid, uint64_t addr, const void *src, size_t len)
{
	struct iovec local = { .iov_base = (void *)src, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
	ssize_t n;

	if (len == 0)
		return 0;
	n = process_vm_writev(tid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

/* A status file with as many groups as we take: up to 11 characters each. */
enum { STATUS_SIZE = 4096 + 11 * TASK_GROUPS_MAX };

/*
 * Read all of a file of /proc, NUL-terminated. The files that are read so are one record
 * (single_open()): all of it comes at once if there is room. Returns the length or -errno.
 */
static ssize_t read_path(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : -ESRCH;
}

/* The same of /proc/TID/NAME. */
static ssize_t read_proc(pid_t tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	n = read_path(path, buf, size);
	return n == -ENOENT ? -ESRCH : n;
}

/*
 * The value of "\nNAME:" in the text of a status file; a thread's name stands in the first line
 * only, with its newlines escaped, and cannot imitate another.
 */
static const char *status_field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? at + strlen(name) : NULL;
}

static void read_groups(const char *at, struct task_status *out)
{
	char *end;

	out->ngroups = 0;
	while (*at != '\n') {
		unsigned long gid = strtoul(at, &end, 10);

		if (end == at)
			break;
		if (out->ngroups == TASK_GROUPS_MAX) {
			out->ngroups++;
			break;
		}
		out->groups[out->ngroups++] = (gid_t)gid;
		at = end + strspn(end, " \t");
	}
}

int task_status(pid_t tid, struct task_status *out)
{
	char text[STATUS_SIZE];
	ssize_t n = read_proc(tid, "status", text, sizeof(text));
	const char *tgid, *uid, *gid, *groups, *umask_at, *cap;
	unsigned ruid, euid, suid, fsuid, rgid, egid, sgid, fsgid;

	if (n < 0)
		return (int)n;
	umask_at = status_field(text, "\nUmask:");
	tgid = status_field(text, "\nTgid:");
	uid = status_field(text, "\nUid:");
	gid = status_field(text, "\nGid:");
	groups = status_field(text, "\nGroups:");
	cap = status_field(text, "\nCapEff:");
	if (!umask_at || !tgid || !uid || !gid || !groups || !cap)
		return -EIO;
	if (sscanf(uid, "%u %u %u %u", &ruid, &euid, &suid, &fsuid) != 4 ||
	    sscanf(gid, "%u %u %u %u", &rgid, &egid, &sgid, &fsgid) != 4)
		return -EIO;
	*out = (struct task_status){
		.tgid = (pid_t)strtol(tgid, NULL, 10),
		.uid = ruid,
		.euid = euid,
		.suid = suid,
		.fsuid = fsuid,
		.gid = rgid,
		.egid = egid,
		.sgid = sgid,
		.fsgid = fsgid,
		.umask = (mode_t)strtoul(umask_at, NULL, 8),
		.cap_effective = strtoull(cap, NULL, 16),
	};
	read_groups(groups + strspn(groups, " \t"), out);
	return 0;
}

int task_check_proc(void)
{
	char text[STATUS_SIZE];
	ssize_t n = read_path("/proc/self/status", text, sizeof(text));
	const char *numbers;
	char *end;

	if (n < 0)
		return (int)n;
	/*
	 * proc_pid_status(5), NSpid: one number for each namespace from that of the mount to our
	 * own. Without the field there are no PID namespaces.
	 */
	numbers = status_field(text, "\nNSpid:");
	if (!numbers)
		return 0;
	return strtol(numbers, &end, 10) == getpid() && *end == '\n' ? 0 : -ESRCH;
}

pid_t task_tgid(pid_t tid)
{
	char text[1024];
	ssize_t n = read_proc(tid, "status", text, sizeof(text));
	const char *at = n < 0 ? NULL : status_field(text, "\nTgid:");

	return at ? (pid_t)strtol(at, NULL, 10) : -ESRCH;
}

/* The last number of a line: that of the innermost namespace (proc_pid_status(5), NSpid). */
static pid_t innermost(const char *at)
{
	pid_t number = -1;
	char *end;

	while (at && *at != '\n') {
		long n = strtol(at, &end, 10);

		if (end == at)
			break;
		number = (pid_t)n;
		at = end + strspn(end, " \t");
	}
	return number;
}

int task_numbers(pid_t tid, struct task_numbers *out)
{
	char text[STATUS_SIZE];
	ssize_t n = read_proc(tid, "status", text, sizeof(text));
	struct task_numbers found;

	if (n < 0)
		return (int)n;
	found.thread = innermost(status_field(text, "\nNSpid:"));
	found.process = innermost(status_field(text, "\nNStgid:"));
	if (found.thread <= 0 || found.process <= 0)
		return -EIO;
	*out = found;
	return 0;
}

void task_comm(pid_t tid, char comm[static 16])
{
	char text[17]; /* 15 bytes, newline, NUL */
	ssize_t n = read_proc(tid, "comm", text, sizeof(text));

	if (n <= 0)
		strcpy(text, "?");
	else if (text[n - 1] == '\n')
		text[n - 1] = '\0';
	memcpy(comm, text, 16);
	comm[15] = '\0';
}

int task_exe(pid_t tid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	n = readlink(path, buf, size);
	if (n < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

int task_open_stat(pid_t tid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool task_is_signalled(int stat_fd)
{
	char text[128];
	ssize_t n = pread(stat_fd, text, sizeof(text) - 1, 0);
	const char *at;

	if (n <= 0)
		return false;
	text[n] = '\0';
	/* "PID (NAME) S ...": the name may contain anything, also parentheses, but is short. */
	at = strrchr(text, ')');
	return at && at[1] == ' ' && at[2] == 'D';
}
