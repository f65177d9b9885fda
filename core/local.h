/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets: which of them the sandbox made itself, and how a task's
 * path is turned into the one socket that it names.
 *
 * A service of the host can act for whoever reaches its socket, so a task may
 * only talk to sockets that were bound inside the sandbox, and to those that the
 * policy names. The supervisor binds
 * on behalf and remembers each: a path by an O_PATH descriptor of its inode,
 * which keeps the inode's number from being used again; an abstract name by the
 * inode and cookie of the socket, of which the kernel is asked whether it still
 * is there.
 */
#ifndef SANDTOP_CORE_LOCAL_H
#define SANDTOP_CORE_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "core/identity.h"
#include "core/unixdiag.h"
#include "core/view.h"
#include "policy/endpoint.h"

enum {
	LOCAL_SOCKETS = 1024, /* remembered at once */
};

struct local_socket {
	uint64_t dev, ino; /* of the path, or 0 and the inode of the abstract socket ... */
	uint64_t cookie;   /* ... and its SO_COOKIE, which is never used twice */
	int fd;            /* O_PATH of the path; -1: abstract */
	bool used;
};

struct local {
	struct unixdiag diag;
	struct view view;
	struct identity *identity; /* paths are followed as the task */
	char *control[3];          /* directories of control sockets, or NULL */
	struct local_socket *sockets;
	unsigned n; /* of them, from the first on: the rest was never touched */
};

/* What an address names. */
struct local_peer {
	int fd;   /* O_PATH of the socket's inode, the caller's; -1 for an abstract name */
	bool own; /* bound by a task of this sandbox */
	/* The address that reaches exactly this socket; a path leads through `fd`. */
	struct sockaddr_un address;
	socklen_t len;
	/*
	 * For rules and people: the real path, or "@name" with NULs as @. Without `known` it is
	 * what the task wrote, as no path leads from our root to the socket.
	 */
	bool known;
	char name[ENDPOINT_NAME_MAX];
};

/* `identity` must outlive it. Returns 0, -ENOMEM, or another -errno. */
int local_init(struct local *l, struct identity *identity);
void local_exit(struct local *l);

/*
 * Find what `name` of `len` bytes (family AF_UNIX) is to task `tid`, for a socket of `type`.
 * Returns 0; -ENOENT, -ENOTDIR, -EACCES, -ECONNREFUSED, ... as the kernel's lookup would; -EACCES
 * also where the supervisor cannot take the task's view; -ENAMETOOLONG for a real path that does
 * not fit.
 */
int local_find(struct local *l, pid_t tid, int type, const struct sockaddr_un *name, socklen_t len,
	       struct local_peer *out);

/*
 * Whether the peer, found for a socket of `type` of task `tid`, is the control socket of a sandtop,
 * by whatever path it was reached: who reaches it could widen the policy.
 */
bool local_is_control(struct local *l, pid_t tid, int type, const struct local_peer *peer);

/*
 * bind(2) socket `sock` for task `tid` and remember it. Returns 0, -errno of bind(2), -EACCES as
 * above, or -ENOBUFS when LOCAL_SOCKETS of the sandbox exist already.
 */
int local_bind(struct local *l, pid_t tid, int sock, const struct sockaddr_un *name, socklen_t len);

/*
 * The kernel has given `sock` an abstract name (unix(7), autobind): remember it, if there is room.
 */
void local_add(struct local *l, int sock);

#endif
