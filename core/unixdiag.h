/* SPDX-License-Identifier: MIT */
/*
 * What the kernel knows of AF_UNIX sockets: sock_diag(7). It tells of the
 * sockets of one network namespace, our own.
 */
#ifndef SANDTOP_CORE_UNIXDIAG_H
#define SANDTOP_CORE_UNIXDIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

struct unixdiag {
	int fd; /* NETLINK_SOCK_DIAG, or -1: then nothing is known */
};

struct unixdiag_socket {
	uint32_t ino;              /* of the socket */
	int type;                  /* SOCK_... */
	uint64_t vfs_dev, vfs_ino; /* of the path it is bound to, cut to 32 bits; 0 without one */
	/* What it was bound to, as in sun_path; a path has its NUL. */
	size_t name_len;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
};

void unixdiag_init(struct unixdiag *d);
void unixdiag_exit(struct unixdiag *d);

/*
 * Look for the socket with inode `ino` and SO_COOKIE `cookie`: inode numbers of sockets come again
 * after 2^32, also while another has them. Returns 0, -ENOENT, -ESTALE (one with another cookie was
 * found first), or another -errno.
 */
int unixdiag_find(struct unixdiag *d, uint32_t ino, uint64_t cookie, struct unixdiag_socket *out);

/* Gets each socket; a non-zero return ends the search and is returned. */
typedef int unixdiag_fn(void *arg, const struct unixdiag_socket *s);

/* Show all sockets that listen. Returns 0, what `fn` returned, or -errno. */
int unixdiag_listeners(struct unixdiag *d, unixdiag_fn *fn, void *arg);

#endif
