/* SPDX-License-Identifier: MIT */
/*
 * connect(2) on behalf.
 *
 * A TCP connect that may block is an operation of the ring, which ignores
 * O_NONBLOCK and SO_SNDTIMEO: a call that may not block is performed directly,
 * and the time limit is kept by the tick (blocked.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "uring/divert.h"

/* What inet_wait_for_connect() finds when another thread has called the attempt off. */
static int called_off(int sock)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &len))
		return -errno;
	return error ? -error : -ECONNABORTED;
}

/* net/ipv4/af_inet.c __inet_stream_connect(), SS_CONNECTING. */
int call_conclude_connect(const struct call *c)
{
	struct pollfd p = { .fd = c->sock, .events = POLLOUT | POLLRDHUP };

	/* Another thread may have begun a new attempt: this call must not wait for it. */
	if (poll(&p, 1, 0) != 1)
		return -EALREADY;
	/*
	 * An attempt that failed has shut the socket both ways; connect(AF_UNSPEC) and shutdown(2)
	 * leave it as new, and connect(2) would begin another attempt and wait.
	 */
	if ((p.revents & (POLLHUP | POLLRDHUP)) == POLLHUP)
		return called_off(c->sock);
	return connect(c->sock, (const struct sockaddr *)&c->target.address, c->target.len) ? -errno
											    : 0;
}

static void was_under_way(struct engine *e, struct call *c, int res)
{
	int ret;

	if (res == -ECANCELED) {
		call_finish_cancelled(e, c, EALREADY);
		return;
	}
	ret = call_conclude_connect(c);
	if (ret == -EALREADY)
		call_wait_writable(e, c, was_under_way);
	else
		call_finish(e, c, ret);
}

/*
 * The ring takes the error of an attempt that failed and leaves the socket in it (io_uring/net.c
 * io_connect(), EPOLLERR): readable, and the next connect(2) says ECONNABORTED. The kernel's own
 * call also disconnects (__inet_stream_connect(), sock_error).
 */
static void leave_failed_attempt(int sock)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct pollfd p = { .fd = sock, .events = POLLRDHUP };

	if (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) && (p.revents & POLLRDHUP))
		connect(sock, &nobody, sizeof(nobody));
}

static void connected(struct engine *e, struct call *c, int res)
{
	if (res < 0 && res != -ECANCELED && res != -EALREADY && res != -EISCONN)
		leave_failed_attempt(c->sock);
	if (res == -ECANCELED)
		/* The attempt goes on without the caller, as natively (connect(2), EINPROGRESS). */
		call_finish_cancelled(e, c, EINPROGRESS);
	else if (res == -EALREADY)
		/* An earlier call's attempt: the kernel would wait for its outcome. */
		call_wait_writable(e, c, was_under_way);
	else
		call_finish(e, c, res);
}

static void act(struct engine *e, struct call *c, int res)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;

	(void)res;
	if (!call_is_valid(e, c))
		return;
	if (c->info.kind == SOCKET_TCP && c->target.kind == TARGET_INET && call_may_wait(c, 0)) {
		call_wait_connect(e, c, addr, c->target.len, connected);
		return;
	}
	call_finish(e, c, connect(c->sock, addr, c->target.len) ? -errno : 0);
}

/*
 * A ping that may ping must be able to find out its source address. Its probe is no reason to let
 * the socket send UDP, so it is bound to the address that connecting would choose, and not
 * connected. Returns 0 or -errno.
 */
static int bind_to_source(const struct call *c)
{
	const struct sockaddr *peer = (const struct sockaddr *)&c->target.address;
	struct sockaddr_storage source;
	socklen_t len = sizeof(source);
	int probe = socket(peer->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (probe < 0)
		return -errno;
	if (connect(probe, peer, c->target.len) ||
	    getsockname(probe, (struct sockaddr *)&source, &len))
		ret = -errno;
	close(probe);
	if (ret)
		return ret;
	if (source.ss_family == AF_INET)
		((struct sockaddr_in *)&source)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&source)->sin6_port = 0;
	return bind(c->sock, (const struct sockaddr *)&source, len) ? -errno : 0;
}

/* Returns true when the call is finished. */
static bool is_ping_probe(struct engine *e, struct call *c)
{
	struct endpoint icmp = c->target.endpoint;
	struct decision decision;

	if (c->info.kind != SOCKET_UDP || icmp.port != PING_PROBE_PORT)
		return false;
	icmp.proto = PROTO_ICMP;
	icmp.port = 0;
	decision = call_decide(e, c, &icmp);
	if (decision.verdict != VERDICT_ALLOW ||
	    call_decide(e, c, &c->target.endpoint).verdict == VERDICT_ALLOW)
		return false;
	c->decision = decision;
	c->decided = true;
	if (call_is_valid(e, c))
		call_finish(e, c, bind_to_source(c));
	return true;
}

void connect_begin(struct engine *e, struct call *c, int res)
{
	struct sockaddr_storage raw;
	size_t len;

	(void)res;
	if (!call_copy_address(e, c, c->n.args[1], (int)c->n.args[2], &raw, &len))
		return;
	if (!call_has_target(e, c, target_connect(&c->info, c->sock, &raw, len, &c->target)))
		return;
	if (c->info.kind == SOCKET_UNIX) {
		unix_connect(e, c, 0);
		return;
	}
	if (c->info.kind == SOCKET_NETLINK &&
	    !call_has_target(e, c, netlink_check_target(&c->target)))
		return;
	if (c->target.kind == TARGET_INET && (is_ping_probe(e, c) || !call_judge(e, c, act)))
		return;
	if (divert_applies(&c->decision) && !divert_is_mirrored(e, &c->info))
		divert_connect(e, c, 0);
	else
		act(e, c, 0);
}
