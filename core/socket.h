/* SPDX-License-Identifier: MIT */
/*
 * What a pinned descriptor is, and what an address means to it.
 *
 * The same sockaddr means different things to different sockets and calls. A
 * target is the answer for one socket and one call: the endpoint to judge and
 * the address to act with, which is rebuilt from what was judged. So the two
 * cannot differ, whatever the task does to its socket in between.
 */
#ifndef SANDTOP_CORE_SOCKET_H
#define SANDTOP_CORE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/endpoint.h"

/* ping connects a UDP socket to this port to learn its own address (iputils, ping/ping.c). */
enum { PING_PROBE_PORT = 1025 };

enum socket_kind {
	SOCKET_UNKNOWN, /* none of the below: raw, MPTCP, ... */
	SOCKET_TCP,
	SOCKET_UDP,
	SOCKET_PING, /* SOCK_DGRAM of ICMP or ICMPv6 */
	SOCKET_UNIX,
	SOCKET_NETLINK,
};

struct socket_info {
	enum socket_kind kind;
	int domain; /* AF_... */
	int type;   /* SOCK_..., without flags */
	uint64_t cookie;
	uint64_t netns; /* of an internet socket: mirror_cookie() */
};

/*
 * What was found out about recently seen sockets, by SO_COOKIE, which names a socket for as long as
 * the kernel runs. Of what is kept only the domain can change (IPV6_ADDRFORM, TCP_ULP); a target
 * that was made for the old one then is an address that the kernel refuses.
 */
enum { SOCKETS_CACHED = 256 };

struct sockets {
	struct {
		uint64_t cookie; /* 0: free */
		struct socket_info info;
	} slot[SOCKETS_CACHED];
};

/* Look at `fd`. Returns 0, or -ENOTSOCK, or -EBADF for an O_PATH descriptor. */
int socket_inspect(struct sockets *cache, int fd, struct socket_info *out);

/* Whether O_NONBLOCK is set. */
bool socket_is_nonblocking(int fd);

/* SO_SNDTIMEO in nanoseconds; 0 means no limit. */
uint64_t socket_send_timeout(int fd);

/* "tcp", "udp" or "icmp" as the policy knows it; only for SOCKET_TCP, SOCKET_UDP and SOCKET_PING.
 */
enum proto socket_proto(const struct socket_info *info);

bool socket_is_inet(const struct socket_info *info);

enum target_kind {
	TARGET_NONE,       /* no address takes part: the call goes where the socket is connected */
	TARGET_DISCONNECT, /* connect with AF_UNSPEC */
	TARGET_INET,       /* `endpoint` is to be judged */
	TARGET_LOCAL,      /* AF_UNIX or AF_NETLINK: `address` as the task wrote it */
};

struct target {
	enum target_kind kind;
	struct endpoint endpoint; /* TARGET_INET */
	struct sockaddr_storage address;
	socklen_t len; /* 0 with TARGET_NONE */
};

/*
 * What the `len` bytes at `raw` (copied from the task; len <= sizeof(struct sockaddr_storage)) mean
 * to connect(2), to a send, or to bind(2) on socket `fd`, which is of kind `info`.
 *
 * Return 0, or the -errno with which the kernel refuses such an address: -EINVAL (length),
 * -EAFNOSUPPORT (family).
 */
int target_connect(const struct socket_info *info, int fd, const void *raw, size_t len,
		   struct target *out);
int target_send(const struct socket_info *info, int fd, const void *raw, size_t len,
		struct target *out);
int target_bind(const struct socket_info *info, const void *raw, size_t len, struct target *out);

/*
 * What listen(2) on `fd` would open: its local address, the wildcard address and port 0 when it was
 * never bound. Returns 0 or -errno.
 */
int target_listen(const struct socket_info *info, int fd, struct target *out);

#endif
