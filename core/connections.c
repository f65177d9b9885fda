/* SPDX-License-Identifier: MIT */
#include "core/connections.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	c->diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	return c->diag < 0 ? -errno : 0;
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

static void put_address(const struct sockaddr_storage *from, __be16 *port, __be32 addr[4])
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)from;

		*port = sin->sin_port;
		addr[0] = sin->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)from;

		*port = sin6->sin6_port;
		memcpy(addr, &sin6->sin6_addr, 16);
	}
}

/* Requests are served inside send(): the answer is there at once. Returns a TCP state, or -errno.
 */
static int ask_state(const struct connections *c, const struct connection *conn, unsigned device)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} ask = {
		.nlh = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = (uint8_t)conn->local.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
			.id.idiag_if = device,
			.id.idiag_cookie = { (uint32_t)conn->cookie,
					     (uint32_t)(conn->cookie >> 32) },
		},
	};
	_Alignas(struct nlmsghdr) char buf[4096];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	ssize_t n;

	put_address(&conn->local, &ask.req.id.idiag_sport, ask.req.id.idiag_src);
	put_address(&conn->peer, &ask.req.id.idiag_dport, ask.req.id.idiag_dst);
	if (send(c->diag, &ask, sizeof(ask), 0) != sizeof(ask))
		return -errno;
	n = recv(c->diag, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(*h))
		return -EIO;
	if (h->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	return n < (ssize_t)NLMSG_LENGTH(sizeof(*m)) ? -EIO : m->idiag_state;
}

/* A socket that its task has closed, or shut, leads nowhere any more. */
static bool is_open(const struct connections *c, const struct connection *conn)
{
	struct if_nameindex *devices;
	int state;

	if (!conn->made)
		return true; /* a call that waits on the ring */
	state = ask_state(c, conn, 0);
	/* One that is bound to a device (SO_BINDTODEVICE) is found by that device only. */
	devices = state == -ENOENT ? if_nameindex() : NULL;
	for (struct if_nameindex *d = devices; d && d->if_index && state == -ENOENT; d++)
		state = ask_state(c, conn, d->if_index);
	if (devices)
		if_freenameindex(devices);
	return state == TCP_ESTABLISHED || state == TCP_SYN_SENT || state == TCP_SYN_RECV ||
	       state == TCP_CLOSE_WAIT || state == -EIO;
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
