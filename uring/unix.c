/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX on behalf: sockets of the sandbox itself are free, those of the host
 * are closed unless the policy opens them (core/local.h).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "core/local.h"
#include "uring/call.h"

/*
 * Find and judge the peer that c->target names; then c->target holds the address that reaches
 * exactly this one. Returns false when the call is finished.
 */
static bool find_peer(struct engine *e, struct call *c)
{
	struct sockaddr_un name;
	struct local_peer peer;
	int ret;

	memcpy(&name, &c->target.address, sizeof(name));
	ret = local_find(&e->local, c->n.tid, &name, c->target.len, &peer);
	if (ret == -EACCES && caps_raise_as(&e->caps, c->n.tid)) {
		ret = local_find(&e->local, c->n.tid, &name, c->target.len, &peer);
		caps_drop(&e->caps);
	}
	if (ret) {
		/* A path that leads nowhere is the kernel's to answer, and no decision. */
		call_fail(e, c, -ret);
		return false;
	}
	c->peer = peer.fd;
	c->target.endpoint = (struct endpoint){
		.dir = DIR_OUT,
		.proto = PROTO_UNIX,
		.name = local_name(&name, c->target.len, c->name),
	};
	memcpy(&c->target.address, &peer.address, sizeof(peer.address));
	c->target.len = peer.len;
	return peer.own || call_judge(e, c);
}

bool unix_prepare_peer(struct engine *e, struct call *c)
{
	if (c->info.type == SOCK_DGRAM)
		return c->target.len == 0 || find_peer(e, c);
	/* A stream refuses every address, a seqpacket socket ignores it (net/unix/af_unix.c). */
	if (c->target.len)
		c->target.len = c->info.type == SOCK_STREAM ? sizeof(sa_family_t) : 0;
	return true;
}

static int connect_now(const struct call *c)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;

	return connect(c->sock, addr, c->target.len) ? -errno : 0;
}

/* The kernel refused us what it may not refuse the task: CAP_DAC_OVERRIDE opens every path. */
static void connected(struct engine *e, struct call *c, int res)
{
	if (res == -ECANCELED) {
		call_finish_cancelled(e, c, EAGAIN);
		return;
	}
	if (res == -EACCES && caps_raise_as(&e->caps, c->n.tid)) {
		if (notif_valid(e->listener, c->n.id))
			res = connect_now(c);
		caps_drop(&e->caps);
	}
	call_finish(e, c, res);
}

void unix_connect(struct engine *e, struct call *c, int res)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;

	(void)res;
	/* AF_UNSPEC ends the connection of a datagram socket. */
	if (addr->sa_family != AF_UNSPEC && !find_peer(e, c))
		return;
	if (!call_is_valid(e, c))
		return;
	/* A stream waits where the listener's backlog is full. */
	if (c->info.type != SOCK_DGRAM && call_may_wait(c, 0))
		call_wait_connect(e, c, addr, c->target.len, connected);
	else
		connected(e, c, connect_now(c));
}

void unix_bind(struct engine *e, struct call *c, int res)
{
	struct sockaddr_un name;
	int ret;

	(void)res;
	if (!call_is_valid(e, c))
		return;
	memcpy(&name, &c->target.address, sizeof(name));
	ret = local_bind(&e->local, c->n.tid, c->sock, &name, c->target.len);
	if (ret == -EACCES && caps_raise_as(&e->caps, c->n.tid)) {
		if (notif_valid(e->listener, c->n.id))
			ret = local_bind(&e->local, c->n.tid, c->sock, &name, c->target.len);
		caps_drop(&e->caps);
	}
	call_finish(e, c, ret);
}

/* Replace each of the task's descriptor numbers in `fds` by a duplicate of ours. */
static int translate_rights(struct engine *e, const struct call *c, int *fds, size_t count)
{
	struct scratch *s = e->scratch;

	for (size_t i = 0; i < count; i++) {
		int fd;

		if (s->control_fds == SCRATCH_FDS)
			return -EINVAL; /* net/core/scm.c: SCM_MAX_FD */
		fd = tasks_pin(&e->tasks, c->n.tid, fds[i]);
		if (fd < 0)
			return fd;
		s->control_fd[s->control_fds++] = fd;
		fds[i] = fd;
	}
	return 0;
}

/* A task may name itself, which says nothing new; only the kernel could vouch for another. */
static int check_credentials(const struct call *c, const void *data, size_t len)
{
	struct task_status status;
	struct ucred cred;

	if (len != sizeof(cred))
		return -EINVAL;
	memcpy(&cred, data, sizeof(cred));
	if (task_status(c->n.tid, &status))
		return -ESRCH;
	if (cred.pid != status.tgid || (cred.uid != status.uid && cred.uid != status.euid) ||
	    (cred.gid != status.gid && cred.gid != status.egid))
		return -EPERM;
	return 0;
}

/* Rewrite the control messages in place; what is dropped closes up. */
int unix_rewrite_control(struct engine *e, const struct call *c)
{
	struct scratch *s = e->scratch;
	size_t at = 0, to = 0;

	while (s->control_len - at >= sizeof(struct cmsghdr)) {
		struct cmsghdr *h = (struct cmsghdr *)(s->control + at);
		size_t left = s->control_len - at;
		size_t len = h->cmsg_len, step;
		int ret = 0;

		if (len < sizeof(*h) || len > left)
			return -EINVAL;
		step = CMSG_ALIGN(len) < left ? CMSG_ALIGN(len) : left;
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
			ret = translate_rights(e, c, (int *)CMSG_DATA(h),
					       (len - sizeof(*h)) / sizeof(int));
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS) {
			ret = check_credentials(c, CMSG_DATA(h), len - sizeof(*h));
			len = 0;
		}
		if (ret)
			return ret;
		if (len) {
			memmove(s->control + to, h, step);
			to += step;
		}
		at += step;
	}
	s->control_len = to;
	return 0;
}

void unix_close_control(struct engine *e)
{
	while (e->scratch->control_fds)
		close(e->scratch->control_fd[--e->scratch->control_fds]);
}
