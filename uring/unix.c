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

/* A peer that the sandbox did not make. Returns false when the call is finished or held. */
static bool judge_host(struct engine *e, struct call *c, const struct local_peer *peer,
		       call_fn *resume)
{
	if (local_is_control(&e->local, c->n.tid, c->info.type, peer)) {
		c->decision = (struct decision){ .reason = REASON_CONTROL_SOCKET };
		call_deny(e, c);
		return false;
	}
	if (!peer->known) {
		/* In a mount that we do not see: no rule can speak of it. */
		call_refuse(e, c, EXDEV);
		return false;
	}
	return call_judge(e, c, resume);
}

/*
 * Find and judge the peer that c->target names; then c->target holds the address that reaches
 * exactly this one. Returns false when the call is finished or held.
 */
static bool find_peer(struct engine *e, struct call *c, call_fn *resume)
{
	struct sockaddr_un name;
	struct local_peer peer;
	int ret;

	memcpy(&name, &c->target.address, sizeof(name));
	ret = local_find(&e->local, c->n.tid, c->info.type, &name, c->target.len, &peer);
	if (ret) {
		/* A path that leads nowhere is the kernel's to answer, and no decision. */
		call_fail(e, c, -ret);
		return false;
	}
	c->peer = peer.fd;
	strcpy(c->name, peer.name);
	c->target.endpoint = (struct endpoint){
		.dir = DIR_OUT,
		.proto = PROTO_UNIX,
		.name = c->name,
	};
	memcpy(&c->target.address, &peer.address, sizeof(peer.address));
	c->target.len = peer.len;
	return peer.own || judge_host(e, c, &peer, resume);
}

bool unix_prepare_peer(struct engine *e, struct call *c, call_fn *resume)
{
	if (c->info.type == SOCK_DGRAM)
		return c->target.len == 0 || find_peer(e, c, resume);
	/* A stream refuses every address, a seqpacket socket ignores it (net/unix/af_unix.c). */
	if (c->target.len)
		c->target.len = c->info.type == SOCK_STREAM ? sizeof(sa_family_t) : 0;
	return true;
}

/* Become the task, which still waits, until identity_drop(); false when the call is finished. */
static bool become_task(struct engine *e, struct call *c)
{
	int ret = identity_take(&e->identity, c->n.tid);

	if (!ret && notif_valid(e->listener, c->n.id))
		return true;
	identity_drop(&e->identity);
	call_refuse(e, c, ret ? -ret : ESRCH);
	return false;
}

/* Whether a datagram socket has no name yet: one that asks for credentials gets one in the call. */
static bool is_nameless(const struct call *c)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);

	return c->info.type == SOCK_DGRAM &&
	       getsockname(c->sock, (struct sockaddr *)&name, &len) == 0 &&
	       len == sizeof(sa_family_t);
}

/* It got it in our call, so it is no other's: who is sent to answers by it. */
static void remember_name(struct engine *e, const struct call *c, bool nameless)
{
	if (nameless && !is_nameless(c))
		local_add(&e->local, c->sock);
}

static void connected(struct engine *e, struct call *c, int res)
{
	if (res == -ECANCELED)
		call_finish_cancelled(e, c, EAGAIN);
	else
		call_finish(e, c, res);
}

/* Returns the result, or 1 when the ring performs it. */
static int connect_as_task(struct engine *e, struct call *c, const struct sockaddr *addr)
{
	/* A stream waits where the listener's backlog is full. */
	if (c->info.type == SOCK_DGRAM || !call_may_wait(c, 0))
		return connect(c->sock, addr, c->target.len) ? -errno : 0;
	if (!identity_matters(&e->identity))
		return 1;
	/* The ring performs it later, when we are ourselves again. */
	c->personality = loop_personality(e->loop);
	return c->personality < 0 ? c->personality : 1;
}

static void perform_connect(struct engine *e, struct call *c, int res)
{
	const struct sockaddr *addr = (const struct sockaddr *)&c->target.address;
	bool nameless = is_nameless(c);
	int ret;

	(void)res;
	if (!become_task(e, c))
		return;
	ret = connect_as_task(e, c, addr);
	identity_drop(&e->identity);
	remember_name(e, c, nameless);
	if (ret == 1)
		call_wait_connect(e, c, addr, c->target.len, connected);
	else
		call_finish(e, c, ret);
}

void unix_connect(struct engine *e, struct call *c, int res)
{
	/* AF_UNSPEC ends the connection of a datagram socket. */
	if (c->target.address.ss_family == AF_UNSPEC || find_peer(e, c, perform_connect))
		perform_connect(e, c, res);
}

void unix_listen(struct engine *e, struct call *c, int res)
{
	int ret;

	(void)res;
	/* Who connects sees in SO_PEERCRED who listens. */
	if (!become_task(e, c))
		return;
	ret = listen(c->sock, (int)c->n.args[1]) ? -errno : 0;
	identity_drop(&e->identity);
	call_finish(e, c, ret);
}

void unix_bind(struct engine *e, struct call *c, int res)
{
	struct sockaddr_un name;

	(void)res;
	if (!call_is_valid(e, c))
		return;
	memcpy(&name, &c->target.address, sizeof(name));
	call_finish(e, c, local_bind(&e->local, c->n.tid, c->sock, &name, c->target.len));
}

/*
 * To let the kernel go on with a call is to let it look at the task's memory and descriptors a
 * second time. For sendmsg(2) on an AF_UNIX stream, or sequence of packets, that changes nothing
 * that anybody decides:
 *
 * - No destination takes part, whatever the memory says by then. The kernel refuses a name on a
 *   stream, ignores one on a sequence of packets, and looks at neither (net/unix/af_unix.c,
 *   unix_stream_sendmsg(), unix_seqpacket_sendmsg()); what is sent goes where an earlier connect,
 *   which was judged, has led.
 * - The descriptor is still the socket that was looked at. Only a task that uses the same table
 *   could put another there: a thread of the process, and there is none but the one that waits
 *   here; or a process made by clone(2) with CLONE_FILES, of which none has ever been made in this
 *   sandbox (clone3(2) does not exist in it). Nothing puts a descriptor into the table of another
 *   process but a seccomp listener, and there is only ours.
 * - The task itself stands still until it has its answer, and cannot stop for a tracer between
 *   that and the call. A signal that ends its wait makes the answer void.
 *
 * What passes with the message, descriptors and credentials, is then checked by the kernel with
 * the task's own rights; the receiver sees the task's own process id.
 */
bool unix_may_continue(struct engine *e, const struct call *c)
{
	return c->info.kind == SOCKET_UNIX &&
	       (c->info.type == SOCK_STREAM || c->info.type == SOCK_SEQPACKET) &&
	       !e->shares_tables && tasks_is_alone(&e->tasks, c->n.tid);
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
static int check_credentials(const struct task_ids *ids, const void *data, size_t len,
			     struct ucred *out)
{
	if (len != sizeof(*out))
		return -EINVAL;
	memcpy(out, data, sizeof(*out));
	if (out->pid != ids->tgid ||
	    (out->uid != ids->uid && out->uid != ids->euid && out->uid != ids->suid) ||
	    (out->gid != ids->gid && out->gid != ids->egid && out->gid != ids->sgid))
		return -EPERM;
	return 0;
}

/*
 * Who the receiver takes the sender for. Without a message it is our real user and group, which are
 * the task's, too, unless it has changed them; the process is always ours.
 */
static int add_credentials(struct engine *e, const struct ucred *cred)
{
	struct scratch *s = e->scratch;
	struct cmsghdr *h;
	size_t at = CMSG_ALIGN(s->control_len);
	struct ucred seen = { .pid = getpid(), .uid = cred->uid, .gid = cred->gid };

	if (at + CMSG_SPACE(sizeof(seen)) > SCRATCH_CONTROL)
		return -ENOBUFS;
	memset(s->control + s->control_len, 0, at + CMSG_SPACE(sizeof(seen)) - s->control_len);
	h = (struct cmsghdr *)(s->control + at);
	h->cmsg_len = CMSG_LEN(sizeof(seen));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(h), &seen, sizeof(seen));
	s->control_len = at + CMSG_SPACE(sizeof(seen));
	s->vouches = true;
	return 0;
}

/* Rewrite the control messages in place; what is dropped closes up. */
static int rewrite_messages(struct engine *e, const struct call *c, const struct task_ids *ids,
			    struct ucred *cred)
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
			ret = check_credentials(ids, CMSG_DATA(h), len - sizeof(*h), cred);
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

int unix_rewrite_control(struct engine *e, const struct call *c)
{
	struct task_ids ids;
	struct ucred cred;
	int ret;

	e->scratch->vouches = false;
	if (tasks_ids(&e->tasks, c->n.tid, &ids))
		return -ESRCH;
	cred = (struct ucred){ .uid = ids.uid, .gid = ids.gid };
	ret = rewrite_messages(e, c, &ids, &cred);
	if (ret)
		return ret;
	if (cred.uid == e->identity.uid && cred.gid == e->identity.gid)
		return 0;
	if (!identity_matters(&e->identity))
		return -EACCES;
	return add_credentials(e, &cred);
}

ssize_t unix_send(struct engine *e, const struct call *c, const struct msghdr *msg, int flags)
{
	bool nameless = msg->msg_namelen && is_nameless(c);
	ssize_t n = -EACCES;

	/* Only a path is looked up as the task; see add_credentials() for who is sending. */
	if ((!msg->msg_namelen || !identity_matters(&e->identity) ||
	     identity_take(&e->identity, c->n.tid) == 0) &&
	    (!e->scratch->vouches || identity_vouch(&e->identity))) {
		n = sendmsg(c->sock, msg, flags);
		if (n < 0)
			n = -errno;
	}
	identity_drop(&e->identity);
	remember_name(e, c, nameless);
	return n;
}

void unix_close_control(struct engine *e)
{
	while (e->scratch->control_fds)
		close(e->scratch->control_fd[--e->scratch->control_fds]);
}
