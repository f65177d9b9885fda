/* SPDX-License-Identifier: MIT */
/*
 * The sinkhole's sockets: datagrams, and connections of tasks.
 *
 * While every question is under way nothing is read, so that a flood waits in the kernel.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "uring/question.h"

enum { DATAGRAMS_PER_TURN = 32 };

static struct addr addr_of(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET)
		return addr_from_v4(&((const struct sockaddr_in *)ss)->sin_addr);
	return addr_from_v6(&((const struct sockaddr_in6 *)ss)->sin6_addr);
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)ss)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)ss)->sin6_port);
}

/* ---- datagrams --------------------------------------------------------- */

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* To which address it was sent. Returns false if the kernel does not say so. */
static bool take_destination(struct msghdr *msg, struct origin *o)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&o->from.v4, CMSG_DATA(c), sizeof(o->from.v4));
		o->asked = addr_from_v4(&o->from.v4.ipi_addr);
		o->from.v4.ipi_spec_dst = o->from.v4.ipi_addr;
		return true;
	}
	if (c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&o->from.v6, CMSG_DATA(c), sizeof(o->from.v6));
		o->asked = addr_from_v6(&o->from.v6.ipi6_addr);
		return true;
	}
	return false;
}

/* Returns false when there is nothing more to read. */
static bool read_datagram(struct dns_server_socket *s)
{
	struct dns *d = s->dns;
	struct origin o = { .socket = s };
	union control control;
	uint8_t wire[4096];
	struct iovec iov = { .iov_base = wire, .iov_len = sizeof(wire) };
	struct msghdr msg = {
		.msg_name = &o.peer,
		.msg_namelen = sizeof(o.peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	o.peer_len = msg.msg_namelen;
	if ((msg.msg_flags & MSG_TRUNC) || !take_destination(&msg, &o))
		return true;
	o.tid = d->askers[PROTO_UDP][port_of(&o.peer)];
	dns_ask(d, wire, (size_t)n, &o);
	return true;
}

static void arm(struct dns *d, struct event *ev, int fd)
{
	/* The events are counted (DNS_EVENTS): the loop has room for them. */
	if (!event_is_armed(ev))
		loop_poll(d->loop, ev, fd, POLLIN);
}

static void datagrams_readable(struct event *ev, int res)
{
	struct dns_server_socket *s = (struct dns_server_socket *)ev;

	(void)res;
	for (int i = 0; i < DATAGRAMS_PER_TURN && s->dns->free; i++)
		if (!read_datagram(s))
			break;
	if (s->dns->free)
		arm(s->dns, &s->event, s->fd);
	else
		s->dns->starved = true;
}

static void send_datagram(const struct origin *o, const uint8_t *wire, size_t len)
{
	union control control = { 0 };
	struct iovec iov = { .iov_base = (void *)wire, .iov_len = len };
	struct msghdr msg = {
		.msg_name = (void *)&o->peer,
		.msg_namelen = o->peer_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	struct cmsghdr *c;
	bool v4 = o->socket->family == AF_INET;
	size_t size = v4 ? sizeof(o->from.v4) : sizeof(o->from.v6);

	msg.msg_controllen = CMSG_SPACE(size);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), &o->from, size);
	(void)!sendmsg(o->socket->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- connections ------------------------------------------------------- */

static void hang_up(struct dns_connection *c)
{
	loop_forget(c->dns->loop, &c->event);
	close(c->fd);
	c->fd = -1;
	c->generation++;
}

static void forget_message(struct dns_connection *c, size_t len)
{
	c->len -= len;
	memmove(c->buf, c->buf + len, c->len);
}

/* The messages that are complete. Returns false when the connection is over. */
static bool read_messages(struct dns_connection *c)
{
	struct dns *d = c->dns;
	uint32_t generation = c->generation;

	while (d->free && c->len >= 2) {
		size_t len = (size_t)(c->buf[0] << 8 | c->buf[1]);
		const struct origin o = {
			.connection = c,
			.generation = generation,
			.asked = c->asked,
			.tid = d->askers[PROTO_TCP][c->port],
		};

		if (len > sizeof(c->buf) - 2)
			return false;
		if (c->len < len + 2)
			break;
		dns_ask(d, c->buf + 2, len, &o);
		if (c->generation != generation)
			return true; /* the answer found it closed */
		forget_message(c, len + 2);
	}
	return true;
}

static void connection_readable(struct event *ev, int res)
{
	struct dns_connection *c = (struct dns_connection *)ev;
	uint32_t generation = c->generation;
	ssize_t n = 1;

	(void)res;
	c->used = loop_now();
	if (c->len < sizeof(c->buf)) {
		n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
		if (n > 0)
			c->len += (size_t)n;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || !read_messages(c)) {
		if (c->generation == generation)
			hang_up(c);
		return;
	}
	if (c->generation != generation)
		return;
	if (c->dns->free)
		arm(c->dns, &c->event, c->fd);
	else
		c->dns->starved = true;
}

/* A free place, for which the connection that was quiet for longest is ended. */
static struct dns_connection *find_place(struct dns *d)
{
	struct dns_connection *oldest = &d->connection[0];

	for (size_t i = 0; i < DNS_CONNECTIONS; i++) {
		struct dns_connection *c = &d->connection[i];

		if (c->fd < 0)
			return c;
		if (c->used < oldest->used)
			oldest = c;
	}
	hang_up(oldest);
	return oldest;
}

static void connection_made(struct event *ev, int res)
{
	struct dns_server_socket *s = (struct dns_server_socket *)ev;
	struct sockaddr_storage peer, local;
	socklen_t len = sizeof(peer), local_len = sizeof(local);
	int fd = accept4(s->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)res;
	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&local, &local_len) == 0) {
		struct dns_connection *c = find_place(s->dns);

		c->fd = fd;
		c->len = 0;
		c->asked = addr_of(&local);
		c->port = port_of(&peer);
		c->used = loop_now();
		arm(s->dns, &c->event, fd);
	} else if (fd >= 0) {
		close(fd);
	}
	arm(s->dns, &s->event, s->fd);
}

static void send_message(struct dns_connection *c, const uint8_t *wire, size_t len)
{
	uint8_t prefix[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	struct iovec iov[2] = { { prefix, sizeof(prefix) }, { (void *)wire, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	/* Its buffer holds several answers; a task that reads none of them gets no more. */
	if (sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)(len + 2))
		hang_up(c);
}

/* ---- both -------------------------------------------------------------- */

void dns_reply(struct dns *d, const struct origin *o, const uint8_t *wire, size_t len)
{
	(void)d;
	if (o->socket)
		send_datagram(o, wire, len);
	else if (o->connection->generation == o->generation)
		send_message(o->connection, wire, len);
}

void dns_go_on(struct dns *d)
{
	d->starved = false;
	for (size_t i = 0; i < DNS_SERVERS; i++)
		if (d->socket[i].fd >= 0)
			arm(d, &d->socket[i].event, d->socket[i].fd);
	for (size_t i = 0; i < DNS_CONNECTIONS; i++) {
		struct dns_connection *c = &d->connection[i];

		if (c->fd < 0 || event_is_armed(&c->event))
			continue;
		/* What it waits with has been read already. */
		if (!read_messages(c))
			hang_up(c);
		else if (c->fd >= 0)
			arm(d, &c->event, c->fd);
	}
}

int dns_listen(struct dns *d, const int server[static DNS_SERVERS])
{
	int ret = 0;

	for (size_t i = 0; i < DNS_CONNECTIONS; i++)
		d->connection[i] = (struct dns_connection){
			.event.fn = connection_readable,
			.dns = d,
			.fd = -1,
		};
	for (size_t i = 0; i < DNS_SERVERS; i++) {
		struct dns_server_socket *s = &d->socket[i];

		*s = (struct dns_server_socket){
			.dns = d,
			.fd = server[i],
			.family = i < 2 ? AF_INET : AF_INET6,
			.type = i % 2 ? SOCK_DGRAM : SOCK_STREAM,
		};
		s->event.fn = s->type == SOCK_DGRAM ? datagrams_readable : connection_made;
		if (s->fd >= 0 && !ret)
			ret = loop_poll(d->loop, &s->event, s->fd, POLLIN);
	}
	return ret;
}

void dns_close(struct dns *d)
{
	for (size_t i = 0; i < DNS_CONNECTIONS; i++)
		if (d->connection[i].dns && d->connection[i].fd >= 0)
			hang_up(&d->connection[i]);
	for (size_t i = 0; i < DNS_SERVERS; i++) {
		if (!d->socket[i].dns || d->socket[i].fd < 0)
			continue;
		loop_forget(d->loop, &d->socket[i].event);
		close(d->socket[i].fd);
	}
}
