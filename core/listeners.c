/* SPDX-License-Identifier: MIT */
#include "core/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "core/inetdiag.h"

void listeners_init(struct listeners *l)
{
	*l = (struct listeners){ .diag = inetdiag_open() };
}

void listeners_copy(const struct listeners *from, struct listeners *to)
{
	*to = *from;
	to->diag = inetdiag_open();
}

void listeners_exit(struct listeners *l)
{
	if (l->diag >= 0)
		close(l->diag);
}

void listeners_add(struct listeners *l, int sock)
{
	uint64_t cookie;
	socklen_t cookie_len = sizeof(cookie), shared_len;
	int shared;

	shared_len = sizeof(shared);
	if (getsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &shared, &shared_len) || shared ||
	    getsockopt(sock, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_len))
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

bool listeners_has(const struct listeners *l, const struct endpoint *e)
{
	const struct inetdiag_query q = {
		.protocol = e->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.local = sockaddr_of(e->addr, e->port),
		.peer = sockaddr_of((struct addr){ .family = e->addr.family }, 0),
	};
	struct inetdiag_socket found;

	if (l->diag < 0 || inetdiag_find(l->diag, &q, &found))
		return false;
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		if (l->cookies[i] && l->cookies[i] == found.cookie)
			return true;
	return false;
}
