/* SPDX-License-Identifier: MIT */
/*
 * Seccomp user notifications: receiving and answering trapped system calls.
 * See seccomp_unotify(2) and kernel/seccomp.c.
 *
 * A listener is the descriptor that SECCOMP_FILTER_FLAG_NEW_LISTENER gave.
 * Nothing here decides anything.
 */
#ifndef SANDTOP_CORE_NOTIF_H
#define SANDTOP_CORE_NOTIF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One trapped system call, as the kernel reports it. */
struct notif {
	uint64_t id; /* names the notification until it is answered */
	pid_t tid;   /* a thread id, in the supervisor's PID namespace */
	int nr;      /* system call number of the native ABI */
	uint64_t args[6];
};

/* Returns 0, or -E2BIG when this kernel's structures are larger than ours, or -ENOSYS. */
int notif_init(void);

/*
 * Ask the kernel to run the other side on this CPU when one side wakes it (Linux 6.6). Only speed
 * depends on it. Returns 0 or -errno.
 */
int notif_sync_wake_up(int listener);

/*
 * Whether a notification waits: 1, 0, or -errno when that cannot be said. RECV sleeps when none
 * does, O_NONBLOCK or not, so every notif_recv() follows a notif_ready() of 1.
 */
int notif_ready(int listener);

/*
 * Take one waiting notification. Returns 0; -ENOENT when its task was killed meanwhile (normal);
 * -EINTR; any other -errno is a fault of the listener.
 */
int notif_recv(int listener, struct notif *out);

/* Whether the task still waits for the answer to `id`: only then does its tid name it. */
bool notif_valid(int listener, uint64_t id);

/*
 * Answer: the call returns `value` when error is 0, else fails with the positive errno `error`.
 * Returns 0, or -ENOENT when the task is gone.
 */
int notif_answer(int listener, uint64_t id, int64_t value, int error);

/*
 * Answer a call whose task has a signal to handle: the kernel restarts it or makes it fail with
 * EINTR, as SA_RESTART says. Only for a task that was woken by a signal: one without a signal
 * would see errno 512. Returns as notif_answer().
 */
int notif_restart(int listener, uint64_t id);

/*
 * Put a duplicate of our descriptor `fd` in the place of the waiting task's descriptor `number`,
 * close-on-exec or not. Returns 0, -ENOENT when the task is gone, or another -errno: then nothing
 * has changed.
 */
int notif_replace_fd(int listener, uint64_t id, int fd, int number, bool cloexec);

/*
 * Let the kernel run the call as it stands. Never for a call whose arguments were looked at in the
 * task's memory: they can have changed since. Returns as notif_answer().
 */
int notif_continue(int listener, uint64_t id);

#endif
