/* SPDX-License-Identifier: MIT */
/*
 * Other ways to write where the listener is, and other addresses that lead to it.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/in6.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

/* ADDRESS: reached in every way. */
static void run_address(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, args[0]);

	if (n.any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&n.v6.sin6_addr))
		n.v6.sin6_scope_id = if_nametoindex("lo");
	reach_by_all(&n, len);
}

/* An IPv4 address in its family, by sockets of the other. */
static void run_family(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int fd = new_socket(AF_INET6, SOCK_DGRAM, 0);

	(void)args;
	reach_by_connect(fd, &n, len);
	reach_by_sends(fd, &n, len, 0);
	fd = new_socket(AF_INET6, SOCK_STREAM, 0);
	reach_by_connect(fd, &n, len);
	reach_by_sends(fd, &n, len, MSG_FASTOPEN);
}

/* A send with AF_UNSPEC goes to an IPv4 address all the same (net/ipv4/udp.c). */
static void run_unspec(char **args)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	union name n, good;
	socklen_t len = forbidden_at(&n, "127.0.0.1"), good_len = allowed_at(&good, "127.0.0.1");
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	(void)args;
	n.any.sa_family = AF_UNSPEC;
	reach_by_sends(fd, &n, len, 0);
	connect(fd, &good.any, good_len);
	reach_by_sends(fd, &n, len, 0);
	connect(fd, &none, sizeof(none));
	reach_by_sends(fd, &n, len, 0);
	connect(fd, &n.any, len);
	(void)!write(fd, "u", 1);
}

/* Disconnected, the socket may be connected again; that is a decision of its own. */
static void run_disconnect(char **args)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	union name n, good;
	socklen_t len = forbidden_at(&n, "127.0.0.1"), good_len = allowed_at(&good, "127.0.0.1");

	(void)args;
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = new_socket(AF_INET, type, 0);

		reach_by_connect(fd, &good, good_len);
		/* Of several lengths, of which the kernel reads only the family. */
		for (socklen_t none_len = sizeof(sa_family_t); none_len <= sizeof(none); none_len++)
			connect(fd, &none, none_len);
		reach_by_connect(fd, &n, len);
		close(fd);
	}
}

/* Every length, of every form, by every call. */
static void run_lengths(char **args)
{
	static const char *const forms[] = { "127.0.0.1", "::1", "::ffff:127.0.0.1" };

	(void)args;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		union name n;

		forbidden_at(&n, forms[i]);
		for (socklen_t len = 0; len <= sizeof(n) + 2; len++) {
			int fd = new_socket(n.any.sa_family, SOCK_DGRAM, 0);

			connect(fd, &n.any, len);
			(void)!write(fd, "l", 1);
			reach_by_sends(fd, &n, len, 0);
			close(fd);
		}
	}
}

static void run_broadcast(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, args[0]);
	int one = 1, fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	reach_by_sends(fd, &n, len, 0);
	reach_by_connect(fd, &n, len);
}

/* ADDRESS: the group, in this form. */
static void run_multicast(char **args)
{
	union name n, from;
	socklen_t len = name_set(&n, args[0], GROUP_PORT);
	int fd = new_socket(n.any.sa_family, SOCK_DGRAM, 0);

	name_set(&from, "127.0.0.1", 0);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &from.v4.sin_addr, sizeof(from.v4.sin_addr));
	reach_by_sends(fd, &n, len, 0);
	reach_by_connect(fd, &n, len);
}

/* A socket that is bound sends "no address" to where it is bound (net/ipv4/route.c). */
static void run_bound(char **args)
{
	static const char *const forms[][2] = {
		{ "127.0.0.3", "0.0.0.0" },
		{ "::ffff:127.0.0.1", "::" },
		{ "::1", "::" },
	};

	(void)args;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			union name from, to;
			socklen_t from_len = name_set(&from, forms[i][0], 0);
			socklen_t to_len = forbidden_at(&to, forms[i][1]);
			int fd = new_socket(from.any.sa_family, type, 0);

			bind(fd, &from.any, from_len);
			reach_by_connect(fd, &to, to_len);
			close(fd);
		}
	}
}

/* From an address that is not this machine's. */
static void run_foreign_source(char **args)
{
	union name from, to;
	socklen_t from_len = name_set(&from, "10.55.5.5", 0),
		  to_len = forbidden_at(&to, "127.0.0.1");

	(void)args;
	for (int option = 0; option < 2; option++) {
		int one = 1, fd = new_socket(AF_INET, SOCK_DGRAM, 0);

		setsockopt(fd, IPPROTO_IP, option ? IP_TRANSPARENT : IP_FREEBIND, &one,
			   sizeof(one));
		bind(fd, &from.any, from_len);
		reach_by_sends(fd, &to, to_len, 0);
		close(fd);
	}
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = new_socket(AF_INET, type, 0);

		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
		reach_by_connect(fd, &to, to_len);
		close(fd);
	}
}

/* What leads a packet over another host than the one judged. */
static void run_route_options(char **args)
{
	static const uint8_t loose[] = { 131, 7, 4, 127, 0, 0, 9, 0 };
	struct {
		uint8_t next, len, type, left, rest[4];
		struct in6_addr segment;
	} segments = { .len = 2, .type = 4, .left = 0, .segment = IN6ADDR_LOOPBACK_INIT };
	struct in6_flowlabel_req label = { .flr_label = 0,
					   .flr_action = IPV6_FL_A_GET,
					   .flr_flags = IPV6_FL_F_CREATE,
					   .flr_share = IPV6_FL_S_EXCL };
	int v4 = new_socket(AF_INET, SOCK_DGRAM, 0), v6 = new_socket(AF_INET6, SOCK_DGRAM, 0);

	(void)args;
	if (setsockopt(v4, IPPROTO_IP, IP_OPTIONS, loose, sizeof(loose)) == 0)
		won("a loose source route");
	if (setsockopt(v6, IPPROTO_IPV6, IPV6_RTHDR, &segments, sizeof(segments)) == 0)
		won("a routing header of segments");
	if (setsockopt(v6, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &label, sizeof(label)) == 0)
		won("a flow label, which can carry a routing header");
}

const struct scenario address_attacks[] = {
	{ "address", run_address },
	{ "family", run_family },
	{ "unspec", run_unspec },
	{ "disconnect", run_disconnect },
	{ "lengths", run_lengths },
	{ "broadcast", run_broadcast },
	{ "multicast", run_multicast },
	{ "bound", run_bound },
	{ "foreign_source", run_foreign_source },
	{ "route_options", run_route_options },
	{ 0 },
};
