/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets: which of them the sandbox made itself, and how a task's
 * path is turned into the one socket that it names.
 *
 * A service of the host can act for whoever reaches its socket, so a task may
 * only talk to sockets that were bound inside the sandbox. The supervisor binds
 * on behalf and remembers each: a path by an O_PATH descriptor of its inode,
 * which keeps the inode's number from being used again; an abstract name by the
 * inode of the socket, of which the kernel is asked whether it still is there.
 */
#ifndef SANDTOP_CORE_LOCAL_H
#define SANDTOP_CORE_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum {
	LOCAL_SOCKETS = 1024, /* remembered at once */
	LOCAL_NAME_MAX = 2 + 4 * (int)sizeof(((struct sockaddr_un *)0)->sun_path),
};

struct local_socket {
	uint64_t dev, ino; /* of the path, or 0 and the inode of the abstract socket */
	int fd;            /* O_PATH of the path; -1: abstract */
	bool used;
};

struct local {
	int diag; /* NETLINK_SOCK_DIAG, or -1 */
	uid_t fsuid;
	gid_t fsgid;
	struct local_socket *sockets;
};

/* What an address names. */
struct local_peer {
	int fd;   /* O_PATH of the socket's inode, the caller's; -1 for an abstract name */
	bool own; /* it was made inside the sandbox */
	struct sockaddr_un address; /* how to reach exactly this one */
	socklen_t len;
};

/* Returns 0 or -ENOMEM. */
int local_init(struct local *l);
void local_exit(struct local *l);

/*
 * Whether a peer would see the same user in the supervisor as in task `tid`: SO_PEERCRED and
 * SCM_CREDENTIALS of what is done on behalf are the supervisor's (unix(7)).
 */
bool local_is_same_user(const struct local *l, pid_t tid);

/*
 * Find what `name` of `len` bytes (family AF_UNIX) is to task `tid`. Returns 0; -ENOENT, -ENOTDIR,
 * -EACCES, -ECONNREFUSED, ... as the kernel's lookup would; -EACCES also where the supervisor
 * cannot take the task's view (other credentials, another root directory).
 */
int local_find(struct local *l, pid_t tid, const struct sockaddr_un *name, socklen_t len,
	       struct local_peer *out);

/*
 * bind(2) socket `sock` for task `tid` and remember it. Returns 0, -errno of bind(2), -EACCES as
 * above, or -ENOBUFS when LOCAL_SOCKETS of the sandbox exist already.
 */
int local_bind(struct local *l, pid_t tid, int sock, const struct sockaddr_un *name, socklen_t len);

/* "/path" or "@name" (NULs as @), for people and rules. */
const char *local_name(const struct sockaddr_un *name, socklen_t len,
		       char buf[static LOCAL_NAME_MAX]);

#endif
