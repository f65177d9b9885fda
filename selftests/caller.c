/* SPDX-License-Identifier: MIT */
/*
 * Connections, names and options of sockets, as programs use them: scenarios for
 * compat_test. Ports are never told, as they differ from run to run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { ROOM = 65536, SEGMENT = 100 };

static const char *const loopbacks[] = { "127.0.0.1", "::1", NULL };

static const int on = 1;

static int tcp(const union name *to, int flags)
{
	return MUST(socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

static uint16_t port_of(const union name *n)
{
	return ntohs(n->any.sa_family == AF_INET ? n->v4.sin_port : n->v6.sin6_port);
}

static void tell_name(const char *who, const union name *n)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (n->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &n->v4.sin_addr, text, sizeof(text));
	else if (n->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &n->v6.sin6_addr, text, sizeof(text));
	tell("%s %s, %s port", who, text, port_of(n) ? "a" : "no");
}

static union name own_name(int fd)
{
	union name n = { 0 };
	socklen_t len = sizeof(n);

	say(getsockname(fd, &n.any, &len), "getsockname");
	return n;
}

static union name peer_name(int fd)
{
	union name n = { 0 };
	socklen_t len = sizeof(n);

	say(getpeername(fd, &n.any, &len), "getpeername");
	return n;
}

static void tell_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);
	int result = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);

	say(result, "SO_ERROR %s", error ? strerrorname_np(error) : "0");
}

/* What the other end has sent, up to its end or SIZE. */
static void tell_received(int fd, const char *who)
{
	char bytes[64];
	ssize_t n = await(fd, POLLIN) ? -1 : recv(fd, bytes, sizeof(bytes), 0);

	say(n, "%s received '%.*s'", who, n > 0 ? (int)n : 0, bytes);
}

/* Accept one and let a word go each way. */
static void converse(int listener, int client)
{
	int server;

	say(send(client, "ask", 3, MSG_NOSIGNAL), "client sent");
	MUST(await(listener, POLLIN));
	server = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	tell_received(server, "server");
	say(send(server, "answer", 6, MSG_NOSIGNAL), "server sent");
	tell_received(client, "client");
	close(server);
}

/* ---- who is who ----------------------------------------------------------- */

static void names(char **args)
{
	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		union name to, mine, seen = { 0 };
		socklen_t len, seen_len = sizeof(seen);
		int listener = open_receiver(SOCK_STREAM, *at, &to, &len), client = tcp(&to, 0);
		int server;

		mine = own_name(client);
		tell("unconnected, %s port", port_of(&mine) ? "a" : "no");
		peer_name(client);
		say(connect(client, &to.any, len), "connect");
		server = MUST(accept4(listener, &seen.any, &seen_len, SOCK_CLOEXEC));
		mine = own_name(client);
		tell_name("client", &mine);
		tell_name("server sees", &seen);
		tell("the same %d", port_of(&mine) == port_of(&seen));
		mine = peer_name(client);
		tell("peer is the listener %d", port_of(&mine) == port_of(&to));
		close(server);
		close(client);
		close(listener);
	}
}

static void foreign(void)
{
	union name from;
	socklen_t len = name_set(&from, "192.0.2.1", 0);
	int client = tcp(&from, 0);

	say(bind(client, &from.any, len), "bind to a foreign address");
	close(client);
}

/* A source address of one's own, with a port, without, and with the port left to connect(2). */
static void source(char **args)
{
	static const int late[] = { 0, 1 };

	(void)args;
	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++) {
		union name to, from, seen = { 0 };
		socklen_t len, from_len, seen_len = sizeof(seen);
		int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &len);
		int client = tcp(&to, 0);

		MUST(setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late[i],
				sizeof(late[i])));
		from_len = name_set(&from, "127.0.0.9", 0);
		say(bind(client, &from.any, from_len), "bind");
		from = own_name(client);
		tell_name("bound", &from);
		say(connect(client, &to.any, len), "connect");
		close(MUST(accept4(listener, &seen.any, &seen_len, SOCK_CLOEXEC)));
		tell_name("server sees", &seen);
		close(client);
		close(listener);
	}
	foreign();
}

/* ---- ways to connect --------------------------------------------------------- */

static void poll_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	int count = poll(&p, 1, SCENARIO_PATIENCE);

	say(count, "poll %#x", p.revents);
	tell_error(fd);
}

/* What it leaves behind: neither readable nor in the way of the next attempt. */
static void refused_while_waiting(const char *at)
{
	union name to;
	socklen_t len;
	int listener = open_receiver(SOCK_STREAM, at, &to, &len), client = tcp(&to, 0);

	close(listener);
	say(connect(client, &to.any, len), "to a closed port, waiting");
	poll_for(client);
	say(connect(client, &to.any, len), "once more");
	fcntl(client, F_SETFL, O_NONBLOCK);
	say(connect(client, &to.any, len), "once more, not waiting");
	poll_for(client);
	listener = tcp(&to, 0);
	MUST(bind(listener, &to.any, len));
	MUST(listen(listener, 1));
	say(connect(client, &to.any, len), "now it is open");
	poll_for(client);
	say(connect(client, &to.any, len), "now it is open");
	converse(listener, client);
	close(listener);
	close(client);
}

static void nonblocking(char **args)
{
	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		union name to;
		socklen_t len;
		int listener = open_receiver(SOCK_STREAM, *at, &to, &len);
		int client = tcp(&to, SOCK_NONBLOCK);

		say(connect(client, &to.any, len), "connect");
		poll_for(client);
		say(connect(client, &to.any, len), "again");
		say(connect(client, &to.any, len), "and again");
		converse(listener, client);
		close(client);
		close(listener);

		client = tcp(&to, SOCK_NONBLOCK);
		say(connect(client, &to.any, len), "to a closed port");
		poll_for(client);
		close(client);
		client = tcp(&to, 0);
		refused_while_waiting(*at);
	}
}

/* Go asks for MPTCP first, and takes TCP where there is none. */
static void mptcp(char **args)
{
	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		union name to;
		socklen_t len;
		int listener = open_receiver(SOCK_STREAM, *at, &to, &len);
		int client = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

		if (client < 0)
			client = tcp(&to, 0);
		say(connect(client, &to.any, len), "connect");
		converse(listener, client);
		close(client);
		close(listener);
	}
}

/* tcp(7) has no word on it: connect(2) returns at once and the first send makes the connection. */
static void fast_open_connect(char **args)
{
	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		union name to;
		socklen_t len;
		int listener = open_receiver(SOCK_STREAM, *at, &to, &len), client = tcp(&to, 0);

		if (setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)))
			figure("TCP_FASTOPEN_CONNECT %s", strerrorname_np(errno));
		say(connect(client, &to.any, len), "connect");
		converse(listener, client);
		close(client);
		close(listener);
	}
}

static void unspec(char **args)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		union name to, n;
		socklen_t len;
		int receiver = open_receiver(SOCK_DGRAM, *at, &to, &len), client;

		client = MUST(socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		say(connect(client, &to.any, len), "udp connect");
		say(send(client, "one", 3, 0), "send");
		say(connect(client, &nobody, sizeof(nobody)), "disconnect");
		peer_name(client);
		n = own_name(client);
		tell_name("still", &n);
		say(send(client, "two", 3, 0), "send");
		say(sendto(client, "three", 5, 0, &to.any, len), "sendto");
		tell_received(receiver, "receiver");
		tell_received(receiver, "receiver");
		close(client);
		close(receiver);

		receiver = open_receiver(SOCK_STREAM, *at, &to, &len);
		client = tcp(&to, 0);
		say(connect(client, &to.any, len), "tcp connect");
		close(MUST(accept4(receiver, NULL, NULL, SOCK_CLOEXEC)));
		say(connect(client, &nobody, sizeof(nobody)), "disconnect");
		peer_name(client);
		say(connect(client, &to.any, len), "tcp connect again");
		converse(receiver, client);
		close(client);
		close(receiver);
	}
}

/* ---- the end of a connection ---------------------------------------------------- */

static void halves(char **args)
{
	char byte = 'x';
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	(void)args;
	for (const char *const *at = loopbacks; *at; at++) {
		int fds[2];

		open_connection(*at, fds);
		say(send(fds[0], "last", 4, 0), "send");
		say(shutdown(fds[0], SHUT_WR), "shutdown");
		tell_received(fds[1], "server");
		tell_received(fds[1], "server");
		say(sendmsg(fds[0], &m, MSG_NOSIGNAL), "sendmsg after it");
		say(send(fds[1], "yes", 3, 0), "the other half");
		tell_received(fds[0], "client");
		close(fds[1]);
		tell_received(fds[0], "client");
		close(fds[0]);
	}
}

/* The server closes first: its port waits, and only SO_REUSEADDR may have it meanwhile. */
static void time_wait(char **args)
{
	union name to;
	socklen_t len = name_set(&to, "127.0.0.1", 0);
	int listener = tcp(&to, 0), client = tcp(&to, 0), server;

	(void)args;
	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	say(bind(listener, &to.any, len), "bind");
	say(listen(listener, 5), "listen");
	to = own_name(listener);
	say(connect(client, &to.any, len), "connect");
	server = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(server);
	tell_received(client, "client");
	close(client);
	close(listener);
	listener = tcp(&to, 0);
	say(bind(listener, &to.any, len), "bind without it");
	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	say(bind(listener, &to.any, len), "bind with SO_REUSEADDR");
	say(listen(listener, 5), "listen");
	client = tcp(&to, 0);
	say(connect(client, &to.any, len), "connect");
	converse(listener, client);
	close(client);
	close(listener);
}

/* ---- servers -------------------------------------------------------------------- */

static void reuse_port(char **args)
{
	enum { CLIENTS = 40 };
	union name to;
	int listeners[2], accepted = 0, client;
	socklen_t len = name_set(&to, "127.0.0.1", 0);

	(void)args;
	for (int i = 0; i < 2; i++) {
		listeners[i] = tcp(&to, SOCK_NONBLOCK);
		MUST(setsockopt(listeners[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
		say(bind(listeners[i], &to.any, len), "bind");
		say(listen(listeners[i], CLIENTS), "listen");
		to = own_name(listeners[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		client = tcp(&to, 0);
		MUST(connect(client, &to.any, len));
		close(client);
	}
	for (int i = 0; i < 2; i++)
		while ((client = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			accepted++;
			close(client);
		}
	tell("accepted %d", accepted);
	client = tcp(&to, 0);
	say(bind(client, &to.any, len), "bind without it");
}

static void defer_accept(char **args)
{
	union name to;
	socklen_t len;
	int seconds = 5, listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &len), client;

	(void)args;
	say(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)),
	    "TCP_DEFER_ACCEPT");
	client = tcp(&to, 0);
	say(connect(client, &to.any, len), "connect");
	say(poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 0), "before data");
	say(send(client, "data", 4, 0), "send");
	MUST(await(listener, POLLIN));
	tell_received(MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC)), "server");
}

/* ---- interfaces, scopes, groups ------------------------------------------------- */

static void device(char **args)
{
	static const char *const names_of[] = { "lo", "nonsuch", "", NULL };

	(void)args;
	for (const char *const *name = names_of; *name; name++) {
		union name to;
		socklen_t len;
		int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &len);
		int client = tcp(&to, 0);

		say(setsockopt(client, SOL_SOCKET, SO_BINDTODEVICE, *name, strlen(*name)),
		    "SO_BINDTODEVICE '%s'", *name);
		say(connect(client, &to.any, len), "connect");
		converse(listener, client);
		close(client);
		close(listener);
	}
}

/* fe80::1 is an address of lo: its index names the link, none or another does not. */
static void scope(char **args)
{
	unsigned int lo = MUST((int)if_nametoindex("lo"));
	union name to;
	socklen_t len = name_set(&to, "fe80::1", 0);
	int listener = tcp(&to, 0), receiver, client;

	(void)args;
	say(bind(listener, &to.any, len), "bind without a scope");
	to.v6.sin6_scope_id = lo;
	say(bind(listener, &to.any, len), "bind");
	say(listen(listener, 5), "listen");
	to = own_name(listener);
	tell("scope is lo %d", to.v6.sin6_scope_id == lo);
	client = tcp(&to, 0);
	to.v6.sin6_scope_id = 0;
	say(connect(client, &to.any, len), "connect without a scope");
	to.v6.sin6_scope_id = lo + 77;
	say(connect(client, &to.any, len), "connect to another");
	close(client);
	client = tcp(&to, 0);
	to.v6.sin6_scope_id = lo;
	say(connect(client, &to.any, len), "connect");
	tell("scope is lo %d", peer_name(client).v6.sin6_scope_id == lo);
	converse(listener, client);
	receiver = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	say(bind(receiver, &to.any, len), "bind udp");
	client = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	say(sendto(client, "scoped", 6, 0, &to.any, len), "sendto");
	tell_received(receiver, "receiver");
	to.v6.sin6_scope_id = 0;
	say(sendto(client, "scoped", 6, 0, &to.any, len), "sendto without a scope");
}

static void multicast(char **args)
{
	struct ip_mreqn group = { .imr_ifindex = MUST((int)if_nametoindex("lo")) };
	struct ipv6_mreq group6 = { .ipv6mr_interface = group.imr_ifindex };
	union name to, any;
	socklen_t len = name_set(&to, "239.1.2.3", 7011), any_len = name_set(&any, "0.0.0.0", 7011);
	int receiver = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int sender = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	ssize_t sent;

	(void)args;
	group.imr_multiaddr = to.v4.sin_addr;
	say(bind(receiver, &any.any, any_len), "bind");
	say(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), "join");
	say(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), "again");
	say(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)), "interface");
	say(sendto(sender, "to all", 6, 0, &to.any, len), "sendto");
	tell_received(receiver, "member");
	say(setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), "leave");
	close(receiver);
	close(sender);

	len = name_set(&to, "ff02::1234", 7011);
	any_len = name_set(&any, "::", 7011);
	group6.ipv6mr_multiaddr = to.v6.sin6_addr;
	to.v6.sin6_scope_id = group6.ipv6mr_interface;
	receiver = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	sender = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	say(bind(receiver, &any.any, any_len), "bind");
	say(setsockopt(receiver, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group6, sizeof(group6)), "join");
	sent = sendto(sender, "to all", 6, 0, &to.any, len);
	say(sent, "sendto");
	/* Without a route for it, which lo has not, nothing comes. */
	if (sent > 0)
		tell_received(receiver, "member");
}

/* ---- receiving ------------------------------------------------------------------ */

/* One message that the kernel cuts on the way out and joins again on the way in. */
static void gro(char **args)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	static char bytes[ROOM];
	int size = SEGMENT;
	long total = 0;
	union name to;
	socklen_t len;
	int receiver = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len);
	int sender = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	(void)args;
	say(setsockopt(receiver, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)), "UDP_GRO");
	say(setsockopt(sender, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), "UDP_SEGMENT");
	say(sendto(sender, bytes, 10 * SEGMENT, 0, &to.any, len), "sendto");
	while (total < 10 * SEGMENT && !await(receiver, POLLIN)) {
		struct iovec v = { bytes, sizeof(bytes) };
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control.room,
				    .msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(receiver, &m, 0);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		say(n, "recvmsg, control %s",
		    c && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO ? "UDP_GRO" : "none");
		total += n > 0 ? n : ROOM;
	}
}

static void receive_many(char **args)
{
	enum { ENTRIES = 8 };
	static char bytes[ENTRIES][16];
	struct iovec v[ENTRIES];
	struct mmsghdr m[ENTRIES] = { 0 };
	union name to;
	socklen_t len;
	int receiver = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len), n;
	int sender = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	(void)args;
	for (int i = 0; i < ENTRIES; i++) {
		v[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	}
	say(sendto(sender, "", 0, 0, &to.any, len), "nothing");
	say(sendto(sender, "first", 5, 0, &to.any, len), "sendto");
	say(sendto(sender, "more than there is room for", 27, 0, &to.any, len), "sendto");
	n = recvmmsg(receiver, m, ENTRIES, MSG_WAITFORONE, NULL);
	say(n, "recvmmsg");
	for (int i = 0; i < n; i++)
		tell("%u '%.*s' flags %#x", m[i].msg_len, (int)m[i].msg_len, bytes[i],
		     m[i].msg_hdr.msg_flags);
}

static void abstract(char **args)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	union name at = { .un = { .sun_family = AF_UNIX, .sun_path = "\0sandtop compat" } };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 15, room;

	(void)args;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		int server = MUST(socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0));
		int client = MUST(socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0));
		union name n = { 0 };

		say(connect(client, &at.any, len), "connect to nobody");
		say(bind(server, &at.any, len), "bind");
		say(bind(client, &at.any, len), "bind another");
		room = sizeof(n);
		MUST(getsockname(server, &n.any, &room));
		tell("getsockname '%s' of %u", n.un.sun_path + 1, room);
		if (types[i] != SOCK_DGRAM)
			say(listen(server, 5), "listen");
		say(connect(client, &at.any, len), "connect");
		room = sizeof(n);
		MUST(getpeername(client, &n.any, &room));
		tell("getpeername '%s' of %u", n.un.sun_path + 1, room);
		if (types[i] != SOCK_DGRAM) {
			converse(server, client);
		} else {
			say(send(client, "one", 3, 0), "send");
			say(sendto(client, "two", 3, 0, &at.any, len), "sendto");
			tell_received(server, "receiver");
			tell_received(server, "receiver");
		}
		close(server);
		close(client);
	}
}

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "names", names },
		{ "source", source },
		{ "nonblocking", nonblocking },
		{ "mptcp", mptcp },
		{ "fast_open_connect", fast_open_connect },
		{ "unspec", unspec },
		{ "halves", halves },
		{ "time_wait", time_wait },
		{ "reuse_port", reuse_port },
		{ "defer_accept", defer_accept },
		{ "device", device },
		{ "scope", scope },
		{ "multicast", multicast },
		{ "gro", gro },
		{ "receive_many", receive_many },
		{ "abstract", abstract },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}
