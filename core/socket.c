/* SPDX-License-Identifier: MIT */
#include "core/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include "core/mirror.h"
#include "policy/addr.h"

/* The shortest sockaddr_in6 that the kernel takes: without a scope id (RFC 2133, net/ipv6.h). */
enum { SIN6_LEN_RFC2133 = 24 };

static int get_int(int fd, int name, int *out)
{
	socklen_t len = sizeof(*out);

	return getsockopt(fd, SOL_SOCKET, name, out, &len) ? -errno : 0;
}

static enum socket_kind inet_kind(int type, int protocol)
{
	if (type == SOCK_STREAM && protocol == IPPROTO_TCP)
		return SOCKET_TCP;
	if (type == SOCK_DGRAM && protocol == IPPROTO_UDP)
		return SOCKET_UDP;
	if (type == SOCK_DGRAM && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
		return SOCKET_PING;
	return SOCKET_UNKNOWN;
}

static int ask_options(int fd, struct socket_info *out)
{
	int protocol;
	int ret;

	ret = get_int(fd, SO_DOMAIN, &out->domain);
	if (!ret)
		ret = get_int(fd, SO_TYPE, &out->type);
	if (!ret)
		ret = get_int(fd, SO_PROTOCOL, &protocol);
	if (ret)
		return ret;
	switch (out->domain) {
	case AF_INET:
	case AF_INET6:
		out->kind = inet_kind(out->type, protocol);
		break;
	case AF_UNIX:
		out->kind = SOCKET_UNIX;
		break;
	case AF_NETLINK:
		out->kind = SOCKET_NETLINK;
		break;
	default:
		out->kind = SOCKET_UNKNOWN;
	}
	return 0;
}

/*
 * One system call instead of three: the file of a socket has the name of the protocol that made it
 * (net/socket.c sock_alloc_file() and sockfs_xattr_get(); struct proto), and of these each speaks
 * for one domain, type and protocol. Returns false for any other.
 */
static bool ask_name(int fd, struct socket_info *out)
{
	static const struct {
		const char *name;
		enum socket_kind kind;
		int domain, type;
	} protocols[] = {
		{ "TCP", SOCKET_TCP, AF_INET, SOCK_STREAM },
		{ "TCPv6", SOCKET_TCP, AF_INET6, SOCK_STREAM },
		{ "UDP", SOCKET_UDP, AF_INET, SOCK_DGRAM },
		{ "UDPv6", SOCKET_UDP, AF_INET6, SOCK_DGRAM },
		{ "PING", SOCKET_PING, AF_INET, SOCK_DGRAM },
		{ "PINGv6", SOCKET_PING, AF_INET6, SOCK_DGRAM },
		{ "UNIX-STREAM", SOCKET_UNIX, AF_UNIX, SOCK_STREAM },
	};
	char name[16];
	ssize_t len = fgetxattr(fd, "system.sockprotoname", name, sizeof(name));

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t size = strlen(protocols[i].name) + 1;

		if (len != (ssize_t)size || memcmp(name, protocols[i].name, size) != 0)
			continue;
		out->kind = protocols[i].kind;
		out->domain = protocols[i].domain;
		out->type = protocols[i].type;
		return true;
	}
	return false;
}

static int inspect(int fd, bool netns, struct socket_info *out)
{
	int ret = ask_name(fd, out) ? 0 : ask_options(fd, out);

	if (!ret)
		out->netns = netns && socket_is_inet(out) ? mirror_cookie(fd) : 0;
	return ret;
}

int socket_inspect(struct sockets *cache, int fd, struct socket_info *out)
{
	typeof(cache->slot[0]) *slot;
	uint64_t cookie;
	socklen_t len = sizeof(cookie);
	int ret;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return -errno;
	slot = &cache->slot[cookie % SOCKETS_CACHED];
	if (slot->cookie != cookie) {
		ret = inspect(fd, cache->netns, &slot->info);
		slot->cookie = ret ? 0 : cookie;
		if (ret)
			return ret;
	}
	*out = slot->info;
	out->cookie = cookie;
	return 0;
}

bool socket_is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_NONBLOCK);
}

uint64_t socket_send_timeout(int fd)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	/* In nanoseconds, 64 bits hold less than the kernel's longest limit. */
	if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) || tv.tv_sec > INT32_MAX)
		return 0;
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

bool socket_is_inet(const struct socket_info *info)
{
	return info->kind == SOCKET_TCP || info->kind == SOCKET_UDP || info->kind == SOCKET_PING;
}

enum proto socket_proto(const struct socket_info *info)
{
	switch (info->kind) {
	case SOCKET_TCP:
		return PROTO_TCP;
	case SOCKET_PING:
		return PROTO_ICMP;
	default:
		return PROTO_UDP;
	}
}

static sa_family_t family_of(const void *raw)
{
	sa_family_t family;

	memcpy(&family, raw, sizeof(family));
	return family;
}

static uint16_t endpoint_port(const struct socket_info *info, in_port_t port)
{
	return info->kind == SOCKET_PING ? 0 : ntohs(port);
}

static int target_v4(const struct socket_info *info, enum direction dir, const void *raw,
		     size_t len, struct target *out)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct addr addr;
	uint16_t port;

	if (len < sizeof(sin))
		return -EINVAL;
	memcpy(&sin, raw, sizeof(sin));
	addr = addr_from_v4(&sin.sin_addr);
	port = endpoint_port(info, sin.sin_port);
	out->kind = TARGET_INET;
	if (dir == DIR_OUT) {
		out->endpoint = endpoint_out(socket_proto(info), addr, port);
		/*
		 * An unspecified destination is the socket's own bound address to the routing code
		 * (net/ipv4/route.c), which need not be the loopback address that was judged.
		 */
		memcpy(&sin.sin_addr, out->endpoint.addr.bytes, 4);
	} else {
		out->endpoint = endpoint_in(socket_proto(info), addr, port);
	}
	sin.sin_family = AF_INET;
	memcpy(&out->address, &sin, sizeof(sin));
	out->len = sizeof(sin);
	return 0;
}

/* A socket bound to an IPv4 address sends :: to 127.0.0.1 (net/ipv6/datagram.c). */
static bool is_bound_to_v4(int fd)
{
	struct sockaddr_in6 local = { 0 };
	socklen_t len = sizeof(local);

	if (getsockname(fd, (struct sockaddr *)&local, &len))
		return false;
	return local.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&local.sin6_addr);
}

static void put_loopback(struct in6_addr *out, bool v4)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };

	if (v4)
		memcpy(out, mapped, sizeof(mapped));
	else
		*out = in6addr_loopback;
}

static int target_v6(const struct socket_info *info, int fd, enum direction dir, const void *raw,
		     size_t len, struct target *out)
{
	struct sockaddr_in6 sin6 = { 0 };
	struct addr addr;
	uint16_t port;

	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (len > sizeof(sin6))
		len = sizeof(sin6);
	memcpy(&sin6, raw, len);
	addr = addr_from_v6(&sin6.sin6_addr);
	port = endpoint_port(info, sin6.sin6_port);
	out->kind = TARGET_INET;
	if (dir == DIR_IN) {
		out->endpoint = endpoint_in(socket_proto(info), addr, port);
	} else {
		if (addr_is_unspecified(addr)) {
			bool v4 = addr.family == 4 || is_bound_to_v4(fd);

			put_loopback(&sin6.sin6_addr, v4);
			if (v4)
				addr = addr_from_v4(&(struct in_addr){ 0 });
		}
		out->endpoint = endpoint_out(socket_proto(info), addr, port);
	}
	memcpy(&out->address, &sin6, sizeof(sin6));
	out->len = (socklen_t)len;
	return 0;
}

static int target_local(const void *raw, size_t len, struct target *out)
{
	out->kind = TARGET_LOCAL;
	memcpy(&out->address, raw, len);
	out->len = (socklen_t)len;
	return 0;
}

/*
 * The checks of net/ipv4/af_inet.c inet_stream_connect() and inet_dgram_connect(), and of what they
 * call, in their order: tcp_v4_connect(), __ip4_datagram_connect(), tcp_v6_connect(),
 * __ip6_datagram_connect(), ip6_datagram_connect_v6_only() (ping).
 */
static int target_connect6(const struct socket_info *info, int fd, const void *raw, size_t len,
			   struct target *out)
{
	sa_family_t family = family_of(raw);

	if (info->kind == SOCKET_UDP && family == AF_INET)
		return target_v4(info, DIR_OUT, raw, len, out);
	if (info->kind != SOCKET_PING && len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (family != AF_INET6)
		return -EAFNOSUPPORT;
	return target_v6(info, fd, DIR_OUT, raw, len, out);
}

int target_connect(const struct socket_info *info, int fd, const void *raw, size_t len,
		   struct target *out)
{
	*out = (struct target){ 0 };
	if (len < sizeof(sa_family_t))
		return -EINVAL;
	if (!socket_is_inet(info))
		return target_local(raw, len, out);
	if (family_of(raw) == AF_UNSPEC) {
		out->kind = TARGET_DISCONNECT;
		out->address.ss_family = AF_UNSPEC;
		out->len = sizeof(struct sockaddr);
		return 0;
	}
	if (info->domain == AF_INET6)
		return target_connect6(info, fd, raw, len, out);
	if (len < sizeof(struct sockaddr_in))
		return -EINVAL;
	if (family_of(raw) != AF_INET)
		return -EAFNOSUPPORT;
	return target_v4(info, DIR_OUT, raw, len, out);
}

/* net/ipv6/ping.c ping_v6_sendmsg(): strict, and :: is an address like any other, to nowhere. */
static int target_ping6(const struct socket_info *info, int fd, const void *raw, size_t len,
			struct target *out)
{
	int ret;

	if (len < sizeof(struct sockaddr_in6))
		return -EINVAL;
	if (family_of(raw) != AF_INET6)
		return -EAFNOSUPPORT;
	ret = target_v6(info, fd, DIR_OUT, raw, len, out);
	if (out->endpoint.unspecified)
		memcpy(&out->address, raw, out->len);
	return ret;
}

/* The kernel then looks for an IPv6 route to the mapped address, and there is none. */
static bool is_connected_to_v4(int fd)
{
	struct sockaddr_in6 peer = { 0 };
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       peer.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr);
}

/* net/ipv6/udp.c udpv6_sendmsg() */
static int target_udp6(const struct socket_info *info, int fd, const void *raw, size_t len,
		       struct target *out)
{
	if (len < sizeof(sa_family_t))
		return -EINVAL;
	switch (family_of(raw)) {
	case AF_INET6:
		return target_v6(info, fd, DIR_OUT, raw, len, out);
	case AF_INET:
		return target_v4(info, DIR_OUT, raw, len, out);
	case AF_UNSPEC:
		/* No address at all; it must not become one if the socket changes. */
		return is_connected_to_v4(fd) ? -ENETUNREACH : 0;
	default:
		return -EINVAL;
	}
}

int target_send(const struct socket_info *info, int fd, const void *raw, size_t len,
		struct target *out)
{
	*out = (struct target){ 0 };
	if (!socket_is_inet(info))
		return target_local(raw, len, out);
	if (info->domain == AF_INET6 && info->kind == SOCKET_PING)
		return target_ping6(info, fd, raw, len, out);
	if (info->domain == AF_INET6)
		return target_udp6(info, fd, raw, len, out);
	/* net/ipv4/udp.c udp_sendmsg(): AF_UNSPEC is AF_INET there; ping_v4_sendmsg() is strict. */
	if (len < sizeof(struct sockaddr_in))
		return -EINVAL;
	if (family_of(raw) != AF_INET && !(family_of(raw) == AF_UNSPEC && info->kind == SOCKET_UDP))
		return -EAFNOSUPPORT;
	return target_v4(info, DIR_OUT, raw, len, out);
}

/*
 * net/ipv4/af_inet.c inet_bind(), net/ipv6/af_inet6.c inet6_bind(), net/ipv4/ping.c
 * ping_check_bind_addr().
 */
int target_bind(const struct socket_info *info, const void *raw, size_t len, struct target *out)
{
	*out = (struct target){ 0 };
	if (!socket_is_inet(info))
		return target_local(raw, len, out);
	if (info->domain == AF_INET6) {
		if (len < (info->kind == SOCKET_PING ? sizeof(struct sockaddr_in6)
						     : (size_t)SIN6_LEN_RFC2133))
			return -EINVAL;
		if (family_of(raw) != AF_INET6)
			return -EAFNOSUPPORT;
		return target_v6(info, -1, DIR_IN, raw, len, out);
	}
	if (len < sizeof(struct sockaddr_in))
		return -EINVAL;
	if (family_of(raw) != AF_INET) {
		struct sockaddr_in sin;

		memcpy(&sin, raw, sizeof(sin));
		if (sin.sin_family != AF_UNSPEC || sin.sin_addr.s_addr != htonl(INADDR_ANY))
			return -EAFNOSUPPORT;
	}
	return target_v4(info, DIR_IN, raw, len, out);
}

static bool is_closed(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       (info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_LISTEN);
}

int target_listen(const struct socket_info *info, int fd, struct target *out)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);
	int ret;

	*out = (struct target){ 0 };
	/*
	 * A socket that connects can lose its address to a shutdown(2), which is not trapped, and
	 * would then listen on the wildcard address. A closed one keeps what is seen here.
	 */
	if (!is_closed(fd))
		return -EINVAL; /* as the kernel, net/ipv4/af_inet.c __inet_listen_sk() */
	if (getsockname(fd, (struct sockaddr *)&local, &len))
		return -errno;
	if (local.ss_family == AF_INET)
		ret = target_v4(info, DIR_IN, &local, len, out);
	else
		ret = target_v6(info, fd, DIR_IN, &local, len, out);
	out->endpoint.listening = true;
	return ret;
}
