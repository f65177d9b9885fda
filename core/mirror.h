/* SPDX-License-Identifier: MIT */
/*
 * The mirror: a network namespace of sandtop's own in which every address is this host.
 *
 * A socket of the mirror can be connected to any address, and reaches only the servers that sandtop
 * opened there; each side sees the address that the other one wrote. Nothing of it needs a
 * privilege: as anyone but root a user namespace comes with it.
 *
 * A helper process lives in the namespace, makes sockets there on request and does nothing else. A
 * task could have entered the mirror by way of a socket's namespace and changed it, so that nothing
 * may rest on what happens in there: only on what sandtop's own servers are asked.
 */
#ifndef SANDTOP_CORE_MIRROR_H
#define SANDTOP_CORE_MIRROR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
	MIRROR_KINDS = 4, /* of client sockets: IPv4 and IPv6, stream and datagram */
	MIRROR_POOL = 8,  /* of each kind are kept ready once the first was wanted */
};

struct mirror {
	pid_t helper;
	int channel;     /* to the helper; -1 once it is lost */
	uint64_t cookie; /* SO_NETNS_COOKIE of every socket of the mirror */
	struct {
		int fd[MIRROR_POOL];
		unsigned ready;
		bool asked; /* for more */
	} pool[MIRROR_KINDS];
};

/*
 * Make the namespace and its helper, a child of this process. Returns 0, or -errno with *step the
 * words for what failed: -EPERM, -ENOSPC and -EUSERS where namespaces are refused or without
 * effect.
 */
int mirror_start(struct mirror *m, const char **step);

/* End the helper, after which only sockets that were taken live on. Not for a zeroed mirror. */
void mirror_stop(struct mirror *m);

/*
 * A server's socket on `port` of every address of the family (AF_INET, AF_INET6), non-blocking, and
 * listening if it is a stream. A datagram socket says which address a datagram was sent to
 * (IP_PKTINFO, IPV6_PKTINFO) and may answer from it. Only before mirror_take(), as it waits
 * for the helper. Returns a descriptor that belongs to the caller, or -errno; -EAFNOSUPPORT on a
 * host without IPv6.
 */
int mirror_serve(struct mirror *m, int family, int type, uint16_t port);

/*
 * A new blocking socket of the mirror for a client, whose descriptor belongs to the caller. Never
 * waits: returns -EAGAIN when none is ready yet (wait for POLLIN on m->channel and try again), or
 * -ECONNRESET when the helper is lost.
 *
 * The helper is asked for some when the first is wanted: all that lies unread in the channels of a
 * user's sandboxes counts together against RLIMIT_NOFILE (unix(7), ETOOMANYREFS).
 */
int mirror_take(struct mirror *m, int family, int type);

/* SO_NETNS_COOKIE of a socket, or 0 where the kernel does not tell (before Linux 5.14). */
uint64_t mirror_cookie(int fd);

#endif
