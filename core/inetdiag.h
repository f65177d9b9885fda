/* SPDX-License-Identifier: MIT */
/*
 * What the kernel knows of TCP and UDP sockets: sock_diag(7). It tells of the
 * sockets of one network namespace, our own.
 */
#ifndef SANDTOP_CORE_INETDIAG_H
#define SANDTOP_CORE_INETDIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct inetdiag_query {
	int protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct sockaddr_storage local, peer;
	unsigned device; /* that it is bound to, or 0 */
	uint64_t cookie; /* SO_COOKIE of the one that is meant; 0: whichever it is */
};

struct inetdiag_socket {
	int state; /* TCP_ESTABLISHED, ... */
	uint64_t cookie;
	bool receives; /* somebody has it open, and it is not shut for receiving */
};

/* One of a list of all. */
struct inetdiag_entry {
	uint64_t cookie, inode;
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t state;  /* TCP_ESTABLISHED, ... */
	uint16_t local_port, peer_port;
	uint8_t local[16], peer[16]; /* in network order, of IPv4 the first four */
	/* TCP: bytes of the stream that came, and that were sent at least once. */
	bool has_bytes;
	uint64_t in, out;
};

typedef void inetdiag_fn(void *arg, const struct inetdiag_entry *e);

/* Returns a descriptor that belongs to the caller, or -errno. */
int inetdiag_open(void);

/*
 * Find the socket that a packet from `peer` to `local` would reach, also when that is one that
 * listens. Returns 0; -ENOENT when there is none, or another than the one that is meant; -EIO, or
 * -errno of send(2), when the kernel does not say.
 */
int inetdiag_find(int diag, const struct inetdiag_query *q, struct inetdiag_socket *out);

enum { INETDIAG_ALL = -1 }; /* states */

/*
 * Tell `fn` of every socket of this protocol and family that is in one of `states`: 1 << TCP_LISTEN
 * and so on, or INETDIAG_ALL. Returns 0, or -errno of send(2), recv(2) or the kernel's answer.
 */
int inetdiag_list(int diag, int protocol, int family, int states, inetdiag_fn *fn, void *arg);

#endif
