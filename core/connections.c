/* SPDX-License-Identifier: MIT */
#include "core/connections.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/inetdiag.h"

struct connection {
	uint64_t cookie; /* SO_COOKIE: never used twice */
	bool made;       /* `local` is known: connect(2) has chosen it */
	struct sockaddr_storage local, peer;
};

int connections_init(struct connections *c, unsigned max)
{
	*c = (struct connections){ .max = max, .diag = -1 };
	if (!max)
		return 0;
	c->list = calloc(max, sizeof(*c->list));
	if (!c->list)
		return -ENOMEM;
	c->diag = inetdiag_open();
	return c->diag < 0 ? c->diag : 0;
}

void connections_exit(struct connections *c)
{
	free(c->list);
	c->list = NULL;
	if (c->max && c->diag >= 0)
		close(c->diag);
}

static uint64_t cookie_of(int sock)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	getsockopt(sock, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}

/* Returns 0 or -errno. */
static int ask(const struct connections *c, const struct connection *conn, unsigned device,
	       struct inetdiag_socket *out)
{
	const struct inetdiag_query q = {
		.protocol = IPPROTO_TCP,
		.local = conn->local,
		.peer = conn->peer,
		.device = device,
		.cookie = conn->cookie,
	};

	return inetdiag_find(c->diag, &q, out);
}

static bool leads_somewhere(const struct inetdiag_socket *s)
{
	switch (s->state) {
	case TCP_ESTABLISHED:
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
	case TCP_CLOSE_WAIT:
		return true;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return s->receives; /* half of it is shut, and the peer goes on */
	default:
		return false;
	}
}

/* A socket that its task has closed, or shut, leads nowhere any more. */
static bool is_open(const struct connections *c, const struct connection *conn)
{
	struct inetdiag_socket found;
	struct if_nameindex *devices;
	int ret;

	if (!conn->made)
		return true; /* a call that waits on the ring */
	ret = ask(c, conn, 0, &found);
	/* One that is bound to a device (SO_BINDTODEVICE) is found by that device only. */
	devices = ret == -ENOENT ? if_nameindex() : NULL;
	for (struct if_nameindex *d = devices; d && d->if_index && ret == -ENOENT; d++)
		ret = ask(c, conn, d->if_index, &found);
	if (devices)
		if_freenameindex(devices);
	return ret ? ret == -EIO : leads_somewhere(&found);
}

static void drop_closed(struct connections *c)
{
	for (unsigned i = 0; i < c->count;) {
		if (is_open(c, &c->list[i]))
			i++;
		else
			c->list[i] = c->list[--c->count];
	}
}

static struct connection *find(struct connections *c, uint64_t cookie)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->list[i].cookie == cookie)
			return &c->list[i];
	return NULL;
}

bool connections_take(struct connections *c, int sock, const struct sockaddr_storage *peer)
{
	uint64_t cookie;

	if (!c->max)
		return true;
	cookie = cookie_of(sock);
	if (!find(c, cookie)) {
		if (c->count == c->max)
			drop_closed(c);
		if (c->count == c->max)
			return false;
		c->list[c->count++] = (struct connection){ .cookie = cookie, .peer = *peer };
	}
	return true;
}

void connections_made(struct connections *c, int sock)
{
	struct connection *conn = c->max ? find(c, cookie_of(sock)) : NULL;
	socklen_t len = sizeof(conn->local);

	if (conn)
		conn->made = getsockname(sock, (struct sockaddr *)&conn->local, &len) == 0;
}
