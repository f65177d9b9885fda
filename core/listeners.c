/* SPDX-License-Identifier: MIT */
#include "core/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "core/inetdiag.h"
#include "policy/addr.h"

/* include/net/flow.h: the index of lo in every network namespace. */
enum { LOOPBACK_IFINDEX = 1 };

/* Returns 0 if the kernel does not say; none is 0. */
static uint64_t get_cookie(int sock, int which)
{
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	return getsockopt(sock, SOL_SOCKET, which, &cookie, &len) ? 0 : cookie;
}

void listeners_init(struct listeners *l)
{
	*l = (struct listeners){ .diag = inetdiag_open() };
	l->netns = get_cookie(l->diag, SO_NETNS_COOKIE);
}

void listeners_exit(struct listeners *l)
{
	if (l->diag >= 0)
		close(l->diag);
}

/*
 * Whether the socket is one of a group of which each packet chooses a member. The task can change
 * the option at any time, and the membership lasts: only a socket that has neither answers EINVAL
 * to taking the group's program away (net/core/sock_reuseport.c reuseport_detach_prog()).
 */
static bool is_shared(int sock)
{
	int option = 1;
	socklen_t len = sizeof(option);

	if (getsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &option, &len) || option)
		return true;
	return !setsockopt(sock, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &option, sizeof(option)) ||
	       errno != EINVAL;
}

/* Where the cookie is among those that are remembered, or LISTENERS_MAX. */
static unsigned find(const struct listeners *l, uint64_t cookie)
{
	unsigned i = 0;

	while (i < LISTENERS_MAX && l->cookies[i] != cookie)
		i++;
	return i;
}

void listeners_add(struct listeners *l, int sock)
{
	uint64_t cookie = get_cookie(sock, SO_COOKIE);
	unsigned at = cookie ? find(l, cookie) : LISTENERS_MAX;
	bool shared = is_shared(sock);

	if (at < LISTENERS_MAX) {
		/* A socket can be bound anew: a client's own port goes when it disconnects. */
		if (shared)
			l->cookies[at] = 0;
		return;
	}
	if (!cookie || shared)
		return;
	l->cookies[l->next] = cookie;
	l->next = (l->next + 1) % LISTENERS_MAX;
}

static struct sockaddr_storage sockaddr_of(struct addr addr, uint16_t port)
{
	struct sockaddr_storage sa = { .ss_family = addr.family == 4 ? AF_INET : AF_INET6 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&sa;

	if (addr.family == 4) {
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, addr.bytes, 4);
	} else {
		sin6->sin6_port = htons(port);
		memcpy(&sin6->sin6_addr, addr.bytes, 16);
	}
	return sa;
}

/*
 * Whom a datagram of `sock` to the loopback address `to` comes from: a connected socket takes those
 * of its peer alone. A socket that is not bound to an address sends from the loopback address.
 */
static struct sockaddr_storage sender(int sock, struct addr to)
{
	struct addr from = { .family = to.family };
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	uint16_t port;

	getsockname(sock, (struct sockaddr *)&sa, &len);
	if (sa.ss_family == AF_INET) {
		from = addr_from_v4(&((const struct sockaddr_in *)&sa)->sin_addr);
		port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
	} else {
		from = addr_from_v6(&((const struct sockaddr_in6 *)&sa)->sin6_addr);
		port = ntohs(((const struct sockaddr_in6 *)&sa)->sin6_port);
	}
	if (from.family != to.family || addr_is_unspecified(from))
		from = endpoint_out(PROTO_UDP, (struct addr){ .family = to.family }, port).addr;
	return sockaddr_of(from, port);
}

bool listeners_has(const struct listeners *l, int sock, const struct endpoint *e)
{
	struct inetdiag_query q = {
		.protocol = e->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.local = sockaddr_of(e->addr, e->port),
		.peer = sockaddr_of((struct addr){ .family = e->addr.family }, 0),
		/* One that is bound to lo would go before one that is not. */
		.device = LOOPBACK_IFINDEX,
	};
	struct inetdiag_socket found;

	/* Of another network namespace nothing is known here. */
	if (l->diag < 0 || !l->netns || get_cookie(sock, SO_NETNS_COOKIE) != l->netns)
		return false;
	if (e->proto == PROTO_UDP)
		q.peer = sender(sock, e->addr);
	if (inetdiag_find(l->diag, &q, &found))
		return false;
	return found.cookie && find(l, found.cookie) < LISTENERS_MAX;
}
