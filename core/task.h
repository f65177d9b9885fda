/* SPDX-License-Identifier: MIT */
/*
 * The sandboxed tasks as the supervisor reaches them: memory, descriptors,
 * credentials.
 *
 * A task is named by its thread id. A thread id can be given to another task
 * as soon as its owner is gone, so what these functions return belongs to the
 * task of a notification only if notif_valid() is true *afterwards*.
 */
#ifndef SANDTOP_CORE_TASK_H
#define SANDTOP_CORE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	TASKS_CACHED = 64,
	TASKS_SWEEP = 16, /* after so many openings those of dead threads are closed */
};

/* Descriptors of recently seen threads, so that a request need not open one. */
struct tasks {
	struct {
		pid_t tid;
		int pidfd;    /* -1: free */
		int task_dir; /* /proc/TID/task, or -1: not opened yet */
	} slot[TASKS_CACHED];
	unsigned opened; /* since the last sweep */
};

void tasks_init(struct tasks *t);
void tasks_exit(struct tasks *t);

/*
 * Duplicate descriptor `fd` of thread `tid` (pidfd_getfd(2)). The duplicate is close-on-exec and
 * belongs to the caller.
 * Returns it; -EBADF when the task has no such descriptor; -ESRCH when the task is gone; -EPERM
 * when the task cannot be traced (not dumpable); -EMFILE, -ENFILE.
 */
int tasks_pin(struct tasks *t, pid_t tid, int fd);

/*
 * Whether the task's process has no other thread. While the task waits for the answer to a
 * notification none can come: only the task itself could make one. Costs one system call, and
 * opens a directory for a thread that is new here.
 */
bool tasks_is_alone(struct tasks *t, pid_t tid);

/* Who a task is. */
struct task_ids {
	pid_t tgid;
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
};

/* Returns 0 or -ESRCH. Costs one system call from Linux 6.13 on. */
int tasks_ids(struct tasks *t, pid_t tid, struct task_ids *out);

/*
 * Copy `len` bytes from address `addr` of the task: all of them, or -EFAULT as the kernel would
 * say, -ESRCH, -EPERM.
 */
int task_read(pid_t tid, void *dst, uint64_t addr, size_t len);

/*
 * Copy what `remote` (at most IOV_MAX vectors) describes into the one buffer `dst` of `len` bytes.
 * Returns the number of bytes copied before the first unreadable one, or -EFAULT when that is 0
 * and len is not, or -ESRCH, -EPERM.
 */
ssize_t task_readv(pid_t tid, void *dst, size_t len, const struct iovec *remote, size_t count);

/* Copy `len` bytes to address `addr` of the task: all of them, or -EFAULT, -ESRCH, -EPERM. */
int task_write(pid_t tid, uint64_t addr, const void *src, size_t len);

/*
 * Whether /proc tells of tasks by the numbers that notifications name them by: that it is the one
 * of our own PID namespace. Returns 0, -ENOENT when it is not there, -ESRCH when it is another's,
 * or the -errno of reading it.
 */
int task_check_proc(void);

enum { TASK_GROUPS_MAX = 1024 };

/* From /proc/TID/status. */
struct task_status {
	pid_t tgid;
	uid_t uid, euid, suid, fsuid;
	gid_t gid, egid, sgid, fsgid;
	mode_t umask;
	uint64_t cap_effective;
	unsigned ngroups; /* TASK_GROUPS_MAX + 1 when there are more than fit */
	gid_t groups[TASK_GROUPS_MAX];
};

/* Returns 0, -ESRCH, or -EIO when the text is not understood. */
int task_status(pid_t tid, struct task_status *out);

/* The thread group of `tid`, or -ESRCH. */
pid_t task_tgid(pid_t tid);

/* The numbers that a thread and its process have in the PID namespace that it looks numbers up in. */
struct task_numbers {
	pid_t thread, process;
};

/* Returns 0, -ESRCH, or -EIO when the text is not understood. */
int task_numbers(pid_t tid, struct task_numbers *out);

/* The thread's name (any bytes), or "?" when the task is gone. */
void task_comm(pid_t tid, char comm[static 16]);

/* The path of the executable. Returns 0, -ESRCH, -ENAMETOOLONG. */
int task_exe(pid_t tid, char *buf, size_t size);

/*
 * Open /proc/TID/stat, for task_is_signalled(). Returns a descriptor that belongs to the caller, or
 * -errno.
 */
int task_open_stat(pid_t tid);

/*
 * Whether the thread of task_open_stat(), which waits for the answer to a notification that was
 * received (WAIT_KILLABLE_RECV), has been woken by a signal: it then sleeps in state D where it
 * slept in S before (kernel/seccomp.c, seccomp_do_user_notification).
 */
bool task_is_signalled(int stat_fd);

#endif
