/* SPDX-License-Identifier: MIT */
/*
 * The TCP connections that the sandbox has open, for --max-connections.
 *
 * Nothing tells the supervisor when a task closes a socket (close(2) is not
 * trapped), so the kernel is asked, and only when the limit seems reached:
 * sock_diag(7) finds a socket by its addresses and its cookie.
 */
#ifndef SANDTOP_CORE_CONNECTIONS_H
#define SANDTOP_CORE_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct connection;

struct connections {
	unsigned max; /* 0: no limit, nothing is remembered */
	unsigned count;
	struct connection *list; /* max of them */
	int diag;                /* NETLINK_SOCK_DIAG */
};

/* Returns 0, -ENOMEM, or -errno of the diagnostic socket. */
int connections_init(struct connections *c, unsigned max);
void connections_exit(struct connections *c);

/*
 * Whether one more may be opened from socket `sock`, which is then counted. Connecting again what
 * is counted already takes no further place. Returns false at the limit, and when the kernel does
 * not answer.
 */
bool connections_take(struct connections *c, int sock, const struct sockaddr_storage *peer);

/* The attempt from `sock` was made. Whether it lasts, the kernel knows. */
void connections_made(struct connections *c, int sock);

#endif
