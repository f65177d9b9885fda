/* SPDX-License-Identifier: MIT */
/*
 * sendto(2) and sendmsg(2) on behalf.
 *
 * Every send is performed directly with MSG_DONTWAIT; a call that may block and
 * finds no room waits on the ring until the socket is writable and goes on. So
 * a datagram is sent once or not at all, and of a stream it is known exactly
 * how much was sent, whatever interrupts the wait. Streams go in pieces of the
 * payload buffer's size; the payload is no part of the decision, so it is read
 * when it is sent.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring/divert.h"
#include "uring/message.h"

/* After so many pieces of one stream it is the others' turn. */
enum { PIECES_PER_TURN = 4 };

static call_fn go_on;

static bool is_stream(const struct call *c)
{
	return c->info.type == SOCK_STREAM;
}

static int flags_of(const struct call *c)
{
	return (int)(c->n.nr == SYS_sendmsg ? c->n.args[2] : c->n.args[3]);
}

/* Where the first or only header is, or for a sendmmsg the one that is next. */
static uint64_t header_of(const struct call *c)
{
	return c->n.args[1] + c->messages * sizeof(struct mmsghdr);
}

static int read_message(struct engine *e, const struct call *c, struct message *m)
{
	if (c->n.nr == SYS_sendto)
		return message_read_sendto(e->scratch, &c->n, m);
	return message_read_header(e->scratch, c->n.tid, header_of(c), m);
}

/* What was sent counts; an error after that is for the next call to find. */
static void finish(struct engine *e, struct call *c, int error)
{
	if (c->done) {
		call_finish(e, c, (int64_t)c->done);
		return;
	}
	/* The kernel raises it in the sending thread (net/core/stream.c sk_stream_error()). */
	if (error == EPIPE && is_stream(c) && !(flags_of(c) & MSG_NOSIGNAL)) {
		pid_t tgid = task_tgid(c->n.tid);

		if (!call_is_valid(e, c))
			return;
		syscall(SYS_tgkill, tgid, c->n.tid, SIGPIPE);
	}
	call_finish(e, c, -error);
}

/* They go with the first byte only. */
static int read_control(struct engine *e, struct call *c, const struct message *m)
{
	e->scratch->control_len = 0;
	if (c->started || c->done)
		return 0;
	return message_read_control(e->scratch, c->n.tid, m);
}

/* What stands in the message itself: may it be sent, and as it is? Returns 0 or -errno. */
static int check_content(struct engine *e, const struct call *c, size_t len)
{
	if (c->info.kind == SOCKET_UNIX)
		return unix_rewrite_control(e, c);
	if (c->info.kind == SOCKET_NETLINK)
		return netlink_check_payload(e, c->sock, e->scratch->payload, len);
	if (socket_is_inet(&c->info))
		return message_check_control(e->scratch->control, e->scratch->control_len);
	return 0;
}

static ssize_t try_send(struct engine *e, const struct call *c, const struct msghdr *msg, int flags)
{
	ssize_t n;

	if (c->info.kind == SOCKET_UNIX)
		return unix_send(e, c, msg, flags);
	n = sendmsg(c->sock, msg, flags);
	return n < 0 ? -errno : n;
}

/* Send `len` bytes of the payload buffer, and the control messages unless they have gone. */
static ssize_t act(struct engine *e, struct call *c, const struct message *m, size_t len)
{
	struct iovec iov = { .iov_base = e->scratch->payload, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	/* The buffer is used again at once: the kernel must not keep it. */
	int flags = (flags_of(c) & ~MSG_ZEROCOPY) | MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t n;

	if (c->done + len < m->total)
		flags = (flags & ~(MSG_OOB | MSG_EOR)) | MSG_MORE;
	if (c->started || c->done)
		flags &= ~MSG_FASTOPEN;
	/* With a name, netlink does not ask who opened the socket: is_elsewhere() in netlink.c. */
	if (c->target.len && c->info.kind != SOCKET_NETLINK &&
	    (c->info.kind != SOCKET_TCP || (flags & MSG_FASTOPEN))) {
		msg.msg_name = &c->target.address;
		msg.msg_namelen = c->target.len;
	}
	if (e->scratch->control_len) {
		msg.msg_control = e->scratch->control;
		msg.msg_controllen = e->scratch->control_len;
	}
	n = try_send(e, c, &msg, flags);
	/* A privileged control message, from a task that has the privilege. */
	if (n == -EPERM && c->info.kind != SOCKET_UNIX && msg.msg_controllen &&
	    caps_raise_as(&e->caps, c->n.tid)) {
		if (notif_valid(e->listener, c->n.id))
			n = try_send(e, c, &msg, flags);
		caps_drop(&e->caps);
	}
	return n;
}

/* An unfinished send found no room, or its connection is not there yet. */
static void wait_or_finish(struct engine *e, struct call *c, int error)
{
	if (call_may_wait(c, flags_of(c)))
		call_wait_writable(e, c, go_on);
	else
		finish(e, c, error);
}

/* A piece of the payload, read or yet to be read. */
struct piece {
	struct message message;
	ssize_t len; /* -EAGAIN: not read yet; another -errno: unreadable */
};

/* Read the next piece of a call that goes on. Returns 0 or -errno. */
static int read_next(struct engine *e, struct call *c, struct piece *p)
{
	int ret = read_message(e, c, &p->message);

	p->len = -EAGAIN;
	if (!ret && p->message.total < c->done)
		ret = -EINVAL; /* the task changed it meanwhile */
	return ret;
}

/* Complete *p, whose message has been read. Returns 0, or -errno: nothing of it can be sent. */
static int read_content(struct engine *e, struct call *c, struct piece *p)
{
	const struct message *m = &p->message;
	int ret;

	if (!is_stream(c) && m->total > SCRATCH_PAYLOAD)
		return -EMSGSIZE;
	ret = read_control(e, c, m);
	if (ret)
		return ret;
	if (p->len == -EAGAIN)
		p->len = message_read_payload(e->scratch, c->n.tid, m, c->done);
	if (p->len >= 0 && !is_stream(c) && (size_t)p->len < m->total)
		return -EFAULT;
	return p->len < 0 ? (int)p->len : 0;
}

/* Whether the piece that was just sent had to connect first. */
static bool connects_now(const struct call *c)
{
	return c->target.kind == TARGET_INET && c->info.kind == SOCKET_TCP && !c->started;
}

/* `n` is what the kernel said to a piece. Returns true when the next one can follow at once. */
static bool sent(struct engine *e, struct call *c, const struct message *m, ssize_t n)
{
	bool connects = connects_now(c);

	if (n == -EAGAIN || (n == -EINPROGRESS && connects)) {
		c->started = c->started || connects;
		c->connecting = connects;
		wait_or_finish(e, c, (int)-n);
		return false;
	}
	if (n < 0) {
		finish(e, c, (int)-n);
		return false;
	}
	c->done += (size_t)n;
	if (connects && call_may_wait(c, flags_of(c))) {
		/* The data went with the SYN; the call lasts until that is answered. */
		c->started = c->connecting = true;
		call_wait_writable(e, c, go_on);
		return false;
	}
	if (!is_stream(c) || c->done >= m->total) {
		call_finish(e, c, (int64_t)c->done);
		return false;
	}
	return true;
}

/*
 * One piece, whose message has been read. Returns true when the next one can follow at once; else
 * the call has been seen to.
 */
static bool send_piece(struct engine *e, struct call *c, struct piece *p)
{
	int unreadable = read_content(e, c, p);
	int refused = unreadable ? 0 : check_content(e, c, (size_t)p->len);
	ssize_t n;

	if (unreadable || refused) {
		unix_close_control(e);
		if (refused == -EPERM && c->decided)
			c->decision = (struct decision){ .reason = REASON_ERROR, .error = EPERM };
		if (c->done)
			finish(e, c, 0);
		else if (refused)
			call_fail(e, c, -refused);
		else
			call_unreadable(e, c, unreadable);
		return false;
	}
	if (!call_is_valid(e, c)) {
		unix_close_control(e);
		return false;
	}
	n = act(e, c, &p->message, (size_t)p->len);
	unix_close_control(e);
	return sent(e, c, &p->message, n);
}

/* *first is the piece to begin with. */
static void send_pieces(struct engine *e, struct call *c, struct piece *first)
{
	struct piece *p = first;

	for (int i = 0; i < PIECES_PER_TURN; i++) {
		int ret;

		if (!send_piece(e, c, p))
			return;
		ret = read_next(e, c, p);
		if (ret) {
			finish(e, c, -ret);
			return;
		}
	}
	call_yield(e, c, go_on);
}

static void go_on(struct engine *e, struct call *c, int res)
{
	struct piece next;
	int ret;

	if (res == -ECANCELED) {
		if (c->done && c->cancel != CANCEL_GONE)
			finish(e, c, 0);
		else
			call_finish_cancelled(e, c, EAGAIN);
		return;
	}
	if (c->connecting) {
		/* MSG_FASTOPEN had to connect first: did it? */
		int error = -call_conclude_connect(c);

		if (error == EALREADY) {
			call_wait_writable(e, c, go_on);
			return;
		}
		c->connecting = false;
		if (error) {
			c->done = 0; /* nobody took it */
			finish(e, c, error);
			return;
		}
	}
	ret = read_next(e, c, &next);
	if (!ret)
		send_pieces(e, c, &next);
	else if (c->done)
		finish(e, c, 0);
	else
		call_unreadable(e, c, ret);
}

/* What the name, if any, means. Returns 0 or -errno. */
static int make_target(struct call *c, const void *raw, size_t len, bool has_name, int flags)
{
	int ret;

	if (!has_name)
		return 0;
	if (c->info.kind != SOCKET_TCP)
		return target_send(&c->info, c->sock, raw, len, &c->target);
	/* A connected stream has no use for a name, unless the send connects it. */
	if (!(flags & MSG_FASTOPEN))
		return 0;
	ret = target_connect(&c->info, c->sock, raw, len, &c->target);
	if (!ret && c->target.kind == TARGET_DISCONNECT)
		return -EOPNOTSUPP; /* net/ipv4/tcp.c tcp_sendmsg_fastopen() */
	return ret;
}

static void begin(struct engine *e, struct call *c);

/* What was read is forgotten: the buffers were others' meanwhile. */
static void begin_again(struct engine *e, struct call *c, int res)
{
	if (res == -ECANCELED) {
		call_finish_cancelled(e, c, EAGAIN);
		return;
	}
	c->target = (struct target){ 0 };
	c->decision = (struct decision){ 0 };
	begin(e, c);
}

static void begin(struct engine *e, struct call *c)
{
	struct sockaddr_storage name;
	struct piece first;
	size_t len = 0;
	int ret = message_read_first(e->scratch, guess_of(&e->guesses, c->n.tid), &c->n,
				     header_of(c), &first.message, &name, &len, &first.len);

	if (ret) {
		call_unreadable(e, c, ret);
		return;
	}
	if (!call_has_target(e, c, make_target(c, &name, len, first.message.name, flags_of(c))))
		return;
	if (c->target.kind == TARGET_INET && !call_judge(e, c, go_on))
		return;
	if (divert_applies(&c->decision) && !divert_send(e, c, begin_again))
		return;
	if (c->info.kind == SOCKET_UNIX && !unix_prepare_peer(e, c, go_on))
		return;
	if (c->info.kind == SOCKET_NETLINK &&
	    !call_has_target(e, c, netlink_check_target(&c->target)))
		return;
	send_pieces(e, c, &first);
}

void send_message(struct engine *e, struct call *c, int res)
{
	(void)res;
	begin(e, c);
}

void sendto_begin(struct engine *e, struct call *c, int res)
{
	(void)res;
	begin(e, c);
}

void sendmsg_begin(struct engine *e, struct call *c, int res)
{
	(void)res;
	if (unix_may_continue(e, c))
		call_continue(e, c);
	else
		begin(e, c);
}
