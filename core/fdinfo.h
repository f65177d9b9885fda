/* SPDX-License-Identifier: MIT */
/*
 * What /proc says about a task's descriptors, for replacing one so that the task does not notice.
 *
 * As for core/task.h, what is returned belongs to the task of a notification only if notif_valid()
 * is true afterwards. None of it is cheap.
 */
#ifndef SANDTOP_CORE_FDINFO_H
#define SANDTOP_CORE_FDINFO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The O_ flags of descriptor `fd` of thread `tid`, O_CLOEXEC among them. Returns them or -EBADF. */
int fdinfo_flags(pid_t tid, int fd);

/* That an epoll instance of the task has a file registered. */
struct fdinfo_epoll {
	int fd;          /* the task's number of the instance */
	uint32_t events; /* of struct epoll_event */
	uint64_t data;
};

enum { FDINFO_DESCRIPTORS_MAX = 4096 }; /* a task that has more is not looked through further */

/*
 * Find the epoll instances of the thread in which its descriptor `fd`, the file of inode number
 * `ino`, is registered. Returns how many were written to `out`, at most `max`.
 */
size_t fdinfo_epolls(pid_t tid, int fd, ino_t ino, struct fdinfo_epoll *out, size_t max);

/*
 * Register `sock` with the instance `epoll`, both descriptors of ours, in such a way that the
 * task's descriptor `fd` will stand for it. Returns 0 or -errno.
 */
int fdinfo_register(int epoll, int sock, int fd, uint32_t events, uint64_t data);

#endif
