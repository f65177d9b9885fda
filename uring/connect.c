/* SPDX-License-Identifier: MIT */
/*
 * connect(2) on behalf.
 *
 * A TCP connect that may block is an operation of the ring, which ignores
 * O_NONBLOCK and SO_SNDTIMEO: a call that may not block is performed directly,
 * and the time limit is kept by the tick (blocked.c).
 */
#include <errno.h>

#include "uring/call.h"

/* The socket's pending error is the result of a connect that was under way. */
static void was_under_way(struct engine *e, struct call *c, int res)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (res == -ECANCELED) {
		call_finish_cancelled(e, c, EALREADY);
		return;
	}
	if (getsockopt(c->sock, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	call_finish(e, c, -error);
}

static void connected(struct engine *e, struct call *c, int res)
{
	if (res == -ECANCELED)
		/* The attempt goes on without the caller, as natively (connect(2), EINPROGRESS). */
		call_finish_cancelled(e, c, EINPROGRESS);
	else if (res == -EALREADY)
		/* An earlier call's attempt: the kernel would wait for its outcome. */
		call_wait_writable(e, c, was_under_way);
	else
		call_finish(e, c, res);
}

static void act(struct engine *e, struct call *c)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;

	if (!call_is_valid(e, c))
		return;
	if (c->info.kind == SOCKET_TCP && c->target.kind == TARGET_INET && call_may_wait(c, 0)) {
		call_wait_connect(e, c, addr, c->target.len, connected);
		return;
	}
	call_finish(e, c, connect(c->sock, addr, c->target.len) ? -errno : 0);
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
	if (c->target.kind == TARGET_INET && !call_judge(e, c))
		return;
	act(e, c);
}
