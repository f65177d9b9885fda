/* SPDX-License-Identifier: MIT */
#include "core/socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* Linux 5.6 */
#endif

static struct sockets cache;

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	cr_assert_eq(getsockopt(fd, SOL_SOCKET, name, &value, &len), 0);
	return value;
}

static void expect_kind(int fd, enum socket_kind kind)
{
	struct socket_info info = { 0 };

	for (int again = 0; again < 2; again++) {
		cr_assert_eq(socket_inspect(&cache, fd, &info), 0);
		cr_expect_eq(info.kind, kind, "domain %d, type %d: kind %d, not %d", info.domain,
			     info.type, info.kind, kind);
		cr_expect_eq(info.domain, option(fd, SO_DOMAIN));
		cr_expect_eq(info.type, option(fd, SO_TYPE));
		cr_expect_eq(info.netns, 0);
	}
}

/* What the kernel's SO_DOMAIN, SO_TYPE and SO_PROTOCOL say, whichever way it is found out. */
static const struct {
	int domain, type, protocol;
	enum socket_kind kind;
} made[] = {
	{ AF_INET, SOCK_STREAM, 0, SOCKET_TCP },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, SOCKET_TCP },
	{ AF_INET, SOCK_DGRAM, 0, SOCKET_UDP },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, SOCKET_UDP },
	{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, SOCKET_PING },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, SOCKET_PING },
	{ AF_INET, SOCK_STREAM, IPPROTO_MPTCP, SOCKET_UNKNOWN },
	{ AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, SOCKET_UNKNOWN },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, SOCKET_UNKNOWN },
	{ AF_INET, SOCK_STREAM, IPPROTO_SCTP, SOCKET_UNKNOWN },
	{ AF_INET, SOCK_RAW, IPPROTO_TCP, SOCKET_UNKNOWN },
	{ AF_INET6, SOCK_RAW, IPPROTO_UDP, SOCKET_UNKNOWN },
	{ AF_UNIX, SOCK_STREAM, 0, SOCKET_UNIX },
	{ AF_UNIX, SOCK_DGRAM, 0, SOCKET_UNIX },
	{ AF_UNIX, SOCK_SEQPACKET, 0, SOCKET_UNIX },
	{ AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, SOCKET_NETLINK },
};

Test(socket, is_what_the_options_say_it_is)
{
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		int fd = socket(made[i].domain, made[i].type | SOCK_CLOEXEC, made[i].protocol);

		if (fd < 0) /* absent here, or not for this user */
			continue;
		expect_kind(fd, made[i].kind);
		close(fd);
	}
}

Test(socket, is_the_same_when_it_was_accepted)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	socklen_t len = sizeof(at);
	struct sockaddr_in to = { .sin_family = AF_INET };
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd;

	if (listener < 0)
		cr_skip_test("no IPv6 here");
	cr_assert_eq(bind(listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	cr_assert_eq(listen(listener, 1), 0);
	to.sin_port = at.sin6_port;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	fd = accept(listener, NULL, NULL);
	cr_assert_geq(fd, 0);
	expect_kind(fd, SOCKET_TCP);
	close(fd);
	close(client);
	close(listener);
}

Test(socket, anything_else_is_none)
{
	struct socket_info info;
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	cr_expect_eq(socket_inspect(&cache, pipes[0], &info), -ENOTSOCK);
	cr_expect_eq(socket_inspect(&cache, -1, &info), -EBADF);
}
