/* SPDX-License-Identifier: MIT */
#include "uring/divert.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/fdinfo.h"
#include "core/mirror.h"
#include "policy/dns.h"
#include "uring/dns.h"

enum {
	EPOLLS_MAX = 8,              /* in which one socket is registered */
	UNPRIVILEGED_PORT_MIN = 1024 /* below, the mirror's own servers are found */
};

bool divert_is_mirrored(const struct engine *e, const struct socket_info *info)
{
	return e->mirror && info->netns == e->mirror->cookie;
}

bool divert_applies(const struct decision *d)
{
	return d->verdict == VERDICT_ALLOW && d->reason == REASON_SINKHOLE;
}

struct decision divert_decide(const struct engine *e, const struct call *c, struct decision d)
{
	if (divert_applies(&d) ? !e->dns
			       : d.verdict != VERDICT_DENY && divert_is_mirrored(e, &c->info))
		d = (struct decision){ .reason = REASON_ERROR, .error = ENETUNREACH };
	return d;
}

/* ---- a socket like another ---------------------------------------------- */

/* What of a socket's state a program can have set and may rely on. */
static const struct {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_RCVTIMEO },
	{ SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_BROADCAST },
	{ SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_OOBINLINE },
	{ SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
	{ SOL_SOCKET, SO_RXQ_OVFL },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_TTL },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IP, IP_RECVTTL },
	{ IPPROTO_IP, IP_RECVTOS },
	{ IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVERR },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS },
	{ IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER },
	{ IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
};

static void copy_option(int from, int to, int level, int name)
{
	char old[sizeof(struct timeval)], new[sizeof(old)];
	socklen_t old_len = sizeof(old), new_len = sizeof(new);

	if (getsockopt(from, level, name, old, &old_len) ||
	    getsockopt(to, level, name, new, &new_len))
		return; /* not an option of this kind of socket */
	if (old_len != new_len || memcmp(old, new, old_len))
		(void)!setsockopt(to, level, name, old, old_len);
}

/* The kernel says twice what was asked for (socket(7)). */
static void copy_buffer_size(int from, int to, int name)
{
	socklen_t len = sizeof(int);
	int old, new;

	if (getsockopt(from, SOL_SOCKET, name, &old, &len) ||
	    getsockopt(to, SOL_SOCKET, name, &new, &len) || old == new)
		return;
	old /= 2;
	(void)!setsockopt(to, SOL_SOCKET, name, &old, sizeof(old));
}

static in_port_t *port_of(struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET)
		return &((struct sockaddr_in *)ss)->sin_port;
	return &((struct sockaddr_in6 *)ss)->sin6_port;
}

/*
 * Give the mirror's socket the local address of the other one, or some free port: whoever asks is
 * known by it.
 */
static int copy_address(int from, int to)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);

	if (getsockname(from, (struct sockaddr *)&local, &len))
		return -errno;
	if (ntohs(*port_of(&local)) < UNPRIVILEGED_PORT_MIN)
		*port_of(&local) = 0;
	if (bind(to, (struct sockaddr *)&local, len) == 0)
		return 0;
	/* Another socket of the mirror has it, or the address is of an interface. */
	local = (struct sockaddr_storage){ .ss_family = local.ss_family };
	return bind(to, (struct sockaddr *)&local, len) ? -errno : 0;
}

static int make_alike(int from, int to)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		copy_option(from, to, options[i].level, options[i].name);
	copy_buffer_size(from, to, SO_RCVBUF);
	copy_buffer_size(from, to, SO_SNDBUF);
	return copy_address(from, to);
}

/*
 * The mirror is on this machine, and its servers' kernel answers at once; a full queue of theirs
 * refuses. Returns 0 or -errno.
 */
static int connect_now(const struct call *c, int sock)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;
	struct pollfd p = { .fd = sock, .events = POLLOUT };

	if (fcntl(sock, F_SETFL, O_NONBLOCK))
		return -errno;
	if (connect(sock, addr, c->target.len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (poll(&p, 1, 0) != 1)
		return -ECONNREFUSED;
	return connect(sock, addr, c->target.len) ? -errno : 0;
}

/* ---- the exchange ------------------------------------------------------ */

/* Instances of epoll know the file behind a descriptor, and would wait for the old one for ever. */
static void carry_epolls(struct engine *e, const struct call *c, int sock)
{
	struct fdinfo_epoll found[EPOLLS_MAX];
	int number = (int)c->n.args[0];
	struct stat st;
	size_t n;

	if (fstat(c->sock, &st))
		return;
	n = fdinfo_epolls(c->n.tid, number, st.st_ino, found, EPOLLS_MAX);
	for (size_t i = 0; i < n; i++) {
		int epoll = tasks_pin(&e->tasks, c->n.tid, found[i].fd);

		if (epoll < 0)
			continue;
		fdinfo_register(epoll, sock, number, found[i].events, found[i].data);
		close(epoll);
	}
}

static void note_asker(struct engine *e, const struct call *c)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);

	if (getsockname(c->sock, (struct sockaddr *)&local, &len) == 0)
		dns_note_asker(e->dns, c->target.endpoint.proto, ntohs(*port_of(&local)), c->n.tid);
}

/* Returns 0; or -errno with nothing changed for the task. */
static int exchange(struct engine *e, struct call *c, int sock, bool connects)
{
	int number = (int)c->n.args[0];
	int flags = fdinfo_flags(c->n.tid, number);
	int ret = flags < 0 ? flags : make_alike(c->sock, sock);

	if (!ret && connects)
		ret = connect_now(c, sock);
	if (!ret && fcntl(sock, F_SETFL, fcntl(c->sock, F_GETFL)))
		ret = -errno;
	if (ret)
		return ret;
	carry_epolls(e, c, sock);
	return notif_replace_fd(e->listener, c->n.id, sock, number, flags & O_CLOEXEC);
}

/* Returns false when the call is finished, or waits to be begun again. */
static bool swap(struct engine *e, struct call *c, bool connects, call_fn *again)
{
	int sock = mirror_take(e->mirror, c->info.domain, c->info.type);
	int ret;

	if (sock == -EAGAIN) {
		call_wait_readable(e, c, e->mirror->channel, again);
		return false;
	}
	if (sock < 0) {
		call_refuse(e, c, -sock);
		return false;
	}
	ret = exchange(e, c, sock, connects);
	if (ret) {
		close(sock);
		call_refuse(e, c, ret == -ENOENT ? ESRCH : -ret);
		return false;
	}
	close(c->sock);
	c->sock = sock;
	c->info.netns = e->mirror->cookie;
	note_asker(e, c);
	return true;
}

void divert_connect(struct engine *e, struct call *c, int res)
{
	if (res == -ECANCELED)
		call_finish_cancelled(e, c, EINPROGRESS);
	else if (swap(e, c, true, divert_connect))
		call_finish(e, c, 0);
}

bool divert_send(struct engine *e, struct call *c, call_fn *again)
{
	bool connects = c->info.kind == SOCKET_TCP;

	if (divert_is_mirrored(e, &c->info))
		note_asker(e, c);
	else if (!swap(e, c, connects, again))
		return false;
	else if (connects)
		c->started = true; /* the SYN has gone without data */
	return true;
}
