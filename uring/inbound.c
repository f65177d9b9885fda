/* SPDX-License-Identifier: MIT */
/*
 * bind(2) and listen(2) on behalf: what the task opens to others.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "policy/addr.h"
#include "uring/call.h"

/* Neither call ever blocks. */
static int perform(struct call *c)
{
	int ret;

	if (c->n.nr == SYS_bind)
		ret = bind(c->sock, (const struct sockaddr *)&c->target.address, c->target.len);
	else
		ret = listen(c->sock, (int)c->n.args[1]);
	return ret ? -errno : 0;
}

static void act(struct engine *e, struct call *c, int res)
{
	int ret;

	(void)res;
	if (!call_is_valid(e, c))
		return;
	ret = perform(c);
	/* A port below net.ipv4.ip_unprivileged_port_start, for a task that may have it. */
	if (ret == -EACCES && caps_raise_as(&e->caps, c->n.tid)) {
		if (notif_valid(e->listener, c->n.id))
			ret = perform(c);
		caps_drop(&e->caps);
	}
	if (!ret && c->info.kind == (c->n.nr == SYS_listen ? SOCKET_TCP : SOCKET_UDP))
		listeners_add(&e->listeners, c->sock);
	call_finish(e, c, ret);
}

/*
 * A held listen goes on. Meanwhile the task could disconnect the socket, which takes its port away,
 * and bind it to another.
 */
static void act_if_same(struct engine *e, struct call *c, int res)
{
	struct target now;

	if (!target_listen(&c->info, c->sock, &now) &&
	    now.endpoint.port == c->target.endpoint.port &&
	    addr_equal(now.endpoint.addr, c->target.endpoint.addr))
		act(e, c, res);
	else
		call_refuse(e, c, ESTALE);
}

/* A ping socket has no port that anybody could reach. */
static bool is_judged(const struct call *c)
{
	return c->info.kind == SOCKET_TCP || c->info.kind == SOCKET_UDP;
}

void bind_begin(struct engine *e, struct call *c, int res)
{
	struct sockaddr_storage raw;
	size_t len;

	(void)res;
	if (!call_copy_address(e, c, c->n.args[1], (int)c->n.args[2], &raw, &len))
		return;
	if (!call_has_target(e, c, target_bind(&c->info, &raw, len, &c->target)))
		return;
	if (c->info.kind == SOCKET_UNIX)
		unix_bind(e, c, 0);
	else if (!is_judged(c) || call_judge(e, c, act))
		act(e, c, 0);
}

void listen_begin(struct engine *e, struct call *c, int res)
{
	(void)res;
	if (c->info.kind == SOCKET_UNIX) {
		unix_listen(e, c, 0);
		return;
	}
	if (c->info.kind == SOCKET_TCP) {
		if (!call_has_target(e, c, target_listen(&c->info, c->sock, &c->target)))
			return;
		if (!call_judge(e, c, act_if_same))
			return;
	}
	act(e, c, 0);
}
