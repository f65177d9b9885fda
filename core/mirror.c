/* SPDX-License-Identifier: MIT */
#include "core/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/uapi.h"

enum { LISTEN_BACKLOG = 64 };

/* What the helper is asked for: a server's socket on a port, or `count` for clients (port 0). */
struct order {
	int family, type;
	uint16_t port;
	uint8_t count;
};

/* Its answer, with the descriptors. The first one of all says how the start went. */
struct delivery {
	int error; /* positive errno, or 0 */
	int family, type;
	uint16_t port;
	uint8_t count;
	char step[40]; /* of the start, when that failed */
	uint64_t cookie;
};

static unsigned kind_of(int family, int type)
{
	return (family == AF_INET6 ? 2U : 0U) + (type == SOCK_DGRAM ? 1U : 0U);
}

uint64_t mirror_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* ---- the helper -------------------------------------------------------- */

/* Send one request to rtnetlink and read its acknowledgement. Returns 0 or -errno. */
static int netlink_request(int fd, void *request, size_t len)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char echo[256];
	} answer;

	if (send(fd, request, len, 0) != (ssize_t)len || recv(fd, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

/* ip route add local ANY dev lo */
static int add_local_route(int fd, unsigned char family, unsigned lo)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr attr;
		unsigned oif;
	} m = {
		.header = { .nlmsg_len = sizeof(m),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.route = { .rtm_family = family,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL },
		.attr = { .rta_len = RTA_LENGTH(sizeof(unsigned)), .rta_type = RTA_OIF },
		.oif = lo,
	};

	return netlink_request(fd, &m, sizeof(m));
}

static int set_up_routes(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned index = if_nametoindex("lo");
	int ret = 0;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || sock < 0 || !index || ioctl(sock, SIOCSIFFLAGS, &lo))
		ret = -errno;
	if (!ret)
		ret = add_local_route(fd, AF_INET, index);
	if (!ret)
		ret = add_local_route(fd, AF_INET6, index);
	if (ret == -EAFNOSUPPORT || ret == -EOPNOTSUPP)
		ret = 0; /* a host without IPv6 */
	close(fd);
	close(sock);
	return ret;
}

/* Root needs no user namespace, and where that is refused to root it does not help either. */
static int enter_namespaces(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) ? -errno : 0;
}

static int tell_destination(int fd, int family)
{
	int on = 1;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
}

/* A burst of queries waits there while every question is under way. Cut to net.core.rmem_max. */
static int enlarge(int fd)
{
	int size = 4 << 20;

	return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int listen_on(int fd, const struct order *o)
{
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in at4 = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	const void *at = o->family == AF_INET ? (void *)&at4 : (void *)&at6;
	socklen_t len = o->family == AF_INET ? sizeof(at4) : sizeof(at6);
	int on = 1;

	if ((o->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    (o->type == SOCK_DGRAM && (enlarge(fd) || tell_destination(fd, o->family))) ||
	    bind(fd, at, len) || (o->type == SOCK_STREAM && listen(fd, LISTEN_BACKLOG)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static void send_delivery(int channel, const struct delivery *d, const int *fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MIRROR_POOL * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)d, .iov_len = sizeof(*d) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (d->count) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(d->count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(d->count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, d->count * sizeof(int));
	}
	if (sendmsg(channel, &msg, MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void deliver(int channel, const struct order *o)
{
	struct delivery d = { .family = o->family, .type = o->type, .port = o->port };
	int fds[MIRROR_POOL];

	while (!d.error && d.count < o->count && d.count < MIRROR_POOL) {
		int fd = socket(o->family, o->type | SOCK_CLOEXEC, 0);
		int ret = fd < 0 ? -errno : o->port ? listen_on(fd, o) : 0;

		if (ret) {
			d.error = -ret;
			if (fd >= 0)
				close(fd);
			break;
		}
		fds[d.count++] = fd;
	}
	send_delivery(channel, &d, fds);
	for (unsigned i = 0; i < d.count; i++)
		close(fds[i]);
}

static struct delivery enter(void)
{
	struct delivery d = { 0 };
	const char *step = "make a network namespace";
	int ret = enter_namespaces();
	int fd;

	if (!ret) {
		step = "set up its routes";
		ret = set_up_routes();
	}
	if (!ret) {
		step = "name its sockets";
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		d.cookie = fd < 0 ? 0 : mirror_cookie(fd);
		close(fd);
		ret = d.cookie ? 0 : -ENOPROTOOPT;
	}
	d.error = -ret;
	if (ret)
		strcpy(d.step, step);
	return d;
}

/* Lives until nobody holds the other end of the channel. */
static _Noreturn void help(int channel)
{
	struct delivery d;
	struct order o;
	sigset_t all;

	/* The terminal's signals are for the command; this process ends with its channel. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "sandtop-mirror");
	if (dup2(channel, 0) < 0)
		_exit(1);
	close_range(1, ~0U, 0); /* also the output that a reader waits for the end of */
	channel = 0;
	d = enter();
	/* Entering a user namespace has made it dumpable again. */
	prctl(PR_SET_DUMPABLE, 0);
	send_delivery(channel, &d, NULL);
	while (!d.error && recv(channel, &o, sizeof(o), 0) == sizeof(o))
		deliver(channel, &o);
	_exit(0);
}

/* ---- the other side ---------------------------------------------------- */

static void lose(struct mirror *m)
{
	if (m->channel >= 0)
		close(m->channel);
	m->channel = -1;
}

/* Returns 0 with up to MIRROR_POOL descriptors in `fds`, or -errno of recvmsg(2). */
static int receive(struct mirror *m, struct delivery *d, int *fds, int flags)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MIRROR_POOL * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = d, .iov_len = sizeof(*d) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n = recvmsg(m->channel, &msg, flags | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	if (n != sizeof(*d))
		return -ECONNRESET;
	c = CMSG_FIRSTHDR(&msg);
	d->count = 0;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		d->count = (uint8_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), d->count * sizeof(int));
	}
	return 0;
}

static int order(struct mirror *m, int family, int type, uint16_t port, unsigned count, int flags)
{
	struct order o = { .family = family, .type = type, .port = port, .count = (uint8_t)count };

	return send(m->channel, &o, sizeof(o), MSG_NOSIGNAL | flags) < 0 ? -errno : 0;
}

int mirror_start(struct mirror *m, const char **step)
{
	static char failed[sizeof(((struct delivery *)0)->step)];
	struct delivery d;
	int pair[2];
	int ret;

	*m = (struct mirror){ .channel = -1 };
	*step = "start a process";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	m->helper = fork();
	if (m->helper == 0)
		help(pair[1]);
	close(pair[1]);
	m->channel = pair[0];
	if (m->helper < 0) {
		ret = -errno;
		lose(m);
		return ret;
	}
	ret = receive(m, &d, NULL, 0);
	if (!ret && d.error) {
		memcpy(failed, d.step, sizeof(failed));
		*step = failed;
		ret = -d.error;
	}
	if (ret)
		mirror_stop(m);
	m->cookie = ret ? 0 : d.cookie;
	return ret;
}

void mirror_stop(struct mirror *m)
{
	for (unsigned k = 0; k < MIRROR_KINDS; k++)
		while (m->pool[k].ready)
			close(m->pool[k].fd[--m->pool[k].ready]);
	lose(m);
	waitpid(m->helper, NULL, 0);
}

/* Put descriptors for clients into the pool. */
static void stock(struct mirror *m, const struct delivery *d, const int *fds)
{
	typeof(m->pool[0]) *pool = &m->pool[kind_of(d->family, d->type)];

	pool->asked = false;
	for (unsigned i = 0; i < d->count; i++) {
		if (pool->ready < MIRROR_POOL)
			pool->fd[pool->ready++] = fds[i];
		else
			close(fds[i]);
	}
}

int mirror_serve(struct mirror *m, int family, int type, uint16_t port)
{
	int fds[MIRROR_POOL];
	struct delivery d;
	int ret = order(m, family, type, port, 1, 0);

	if (!ret)
		ret = receive(m, &d, fds, 0);
	if (ret)
		return ret;
	return d.error ? -d.error : fds[0];
}

static void take_deliveries(struct mirror *m)
{
	int fds[MIRROR_POOL];
	struct delivery d;
	int ret;

	while ((ret = receive(m, &d, fds, MSG_DONTWAIT)) == 0)
		stock(m, &d, fds);
	if (ret != -EAGAIN && ret != -EINTR)
		lose(m);
}

static void ask_for_more(struct mirror *m, int family, int type)
{
	typeof(m->pool[0]) *pool = &m->pool[kind_of(family, type)];
	int ret;

	if (pool->asked || pool->ready > MIRROR_POOL / 2)
		return;
	ret = order(m, family, type, 0, MIRROR_POOL - pool->ready, MSG_DONTWAIT);
	pool->asked = !ret;
	if (ret && ret != -EAGAIN)
		lose(m);
}

int mirror_take(struct mirror *m, int family, int type)
{
	typeof(m->pool[0]) *pool = &m->pool[kind_of(family, type)];

	if (m->channel >= 0)
		take_deliveries(m);
	if (m->channel >= 0)
		ask_for_more(m, family, type);
	if (pool->ready)
		return pool->fd[--pool->ready];
	return m->channel >= 0 ? -EAGAIN : -ECONNRESET;
}
