/* SPDX-License-Identifier: MIT */
/*
 * Which inode is behind a descriptor, and since when: what tells a socket's file
 * that the sandbox made from one of the host.
 */
#ifndef SANDTOP_CORE_INODE_H
#define SANDTOP_CORE_INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* As the kernel itself uses them: stat(2) shows others on btrfs and overlayfs. */
struct inode {
	uint64_t dev, ino;
};

/*
 * What is behind `fd` (O_PATH), by the numbers that sock_diag(7) reports. `pid` is a task that sees
 * the mount. Returns 0, -ENOENT when the kernel does not say, or another -errno.
 */
int inode_identify(pid_t pid, int fd, struct inode *out);

/* The time that an inode made now would bear, or an earlier one. */
void inode_now(struct timespec *out);

/*
 * Whether what is behind `fd` was made after inode_now() had said `since`. True also where nobody
 * knows: the file system does not note it, or by the clock of another machine.
 */
bool inode_is_new(int fd, const struct timespec *since);

#endif
