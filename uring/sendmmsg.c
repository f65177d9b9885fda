/* SPDX-License-Identifier: MIT */
/*
 * sendmmsg(2) on behalf.
 *
 * Datagrams of internet sockets, of which programs send hundreds at a time, are
 * read and sent in bulk: all headers, then all names, vectors and payloads in
 * one read each, one sendmmsg, one write of the lengths. Everything else goes
 * message by message through send.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uring/divert.h"
#include "uring/message.h"

static call_fn go_on;
static bool next_message(struct engine *e, struct call *c, int64_t value, int error);

static unsigned count_of(const struct call *c)
{
	unsigned count = (unsigned)c->n.args[2];

	return count < SCRATCH_VECTORS ? count : SCRATCH_VECTORS; /* net/socket.c: UIO_MAXIOV */
}

static uint64_t header_address(const struct call *c, unsigned message)
{
	return c->n.args[1] + message * sizeof(struct mmsghdr);
}

/* The call ends; what was sent counts, an error after that is for the next call to find. */
static void finish(struct engine *e, struct call *c, int error)
{
	c->next_message = NULL;
	c->decided = false; /* every message has its own record */
	call_answer(e, c, c->messages, c->messages ? 0 : error);
}

/* How many of `count` local vectors a read of `bytes` bytes filled. */
static unsigned filled(const struct iovec *v, unsigned count, ssize_t bytes)
{
	unsigned i;

	for (i = 0; i < count && bytes >= (ssize_t)v[i].iov_len; i++)
		bytes -= (ssize_t)v[i].iov_len;
	return i;
}

/*
 * Gather what s->gather describes in the task to where s->local says. A list of empty vectors needs
 * no reading. Returns how many vectors were filled, or -errno when none was.
 */
static int gather(struct scratch *s, pid_t tid, unsigned count)
{
	size_t total = 0;
	ssize_t n;

	for (unsigned i = 0; i < count; i++)
		total += s->local[i].iov_len;
	if (!total)
		return (int)count;
	n = process_vm_readv(tid, s->local, count, s->gather, count, 0);
	if (n < 0)
		return -errno;
	n = filled(s->local, count, n);
	return n ? (int)n : -EFAULT;
}

static void want(struct scratch *s, unsigned i, void *to, const void *from, size_t len)
{
	s->local[i] = (struct iovec){ .iov_base = to, .iov_len = len };
	s->gather[i] = (struct iovec){ .iov_base = (void *)from, .iov_len = len };
}

static int read_headers(struct scratch *s, const struct call *c, unsigned count)
{
	struct iovec remote = {
		.iov_base = (void *)(uintptr_t)header_address(c, c->messages),
		.iov_len = count * sizeof(s->headers[0]),
	};
	ssize_t n = task_readv(c->n.tid, s->headers, remote.iov_len, &remote, 1);

	if (n < 0)
		return (int)n;
	n /= (ssize_t)sizeof(s->headers[0]);
	return n ? (int)n : -EFAULT;
}

static int read_names(struct scratch *s, const struct call *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;
		size_t len = h->msg_name ? h->msg_namelen : 0;

		if ((int)len < 0)
			return i ? (int)i : -EINVAL;
		if (len > sizeof(s->names[i]))
			len = sizeof(s->names[i]);
		s->messages[i].name_len = (int)len;
		want(s, i, &s->names[i], h->msg_name, len);
	}
	return gather(s, c->n.tid, count);
}

/* The vectors of all messages, one after the other, to s->remote. */
static int read_vectors(struct scratch *s, const struct call *c, unsigned count)
{
	size_t vectors = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;

		if (h->msg_iovlen > SCRATCH_VECTORS - vectors) {
			if (!i)
				return -EMSGSIZE;
			count = i;
			break;
		}
		want(s, i, s->remote + vectors, h->msg_iov, h->msg_iovlen * sizeof(struct iovec));
		s->messages[i].count = h->msg_iovlen;
		vectors += h->msg_iovlen;
	}
	return gather(s, c->n.tid, count);
}

/* Add up the vectors of each message; a message that is too long ends the chunk. */
static int sum_totals(struct scratch *s, unsigned count)
{
	const struct iovec *v = s->remote;
	size_t all = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t total = 0;

		for (size_t k = 0; k < s->messages[i].count; k++, v++) {
			if ((ssize_t)v->iov_len < 0)
				return i ? (int)i : -EINVAL;
			if (v->iov_len > SCRATCH_PAYLOAD - all - total)
				return i ? (int)i : -EMSGSIZE;
			total += v->iov_len;
		}
		s->messages[i].total = total;
		all += total;
	}
	return (int)count;
}

/* The payloads of all messages, one after the other, to s->payload. */
static int read_payloads(struct scratch *s, const struct call *c, unsigned count)
{
	size_t vectors = 0, all = 0;
	ssize_t n;

	for (unsigned i = 0; i < count; i++) {
		vectors += s->messages[i].count;
		all += s->messages[i].total;
	}
	n = task_readv(c->n.tid, s->payload, all, s->remote, vectors);
	if (n < 0)
		return (int)n;
	for (unsigned i = 0; i < count; i++) {
		if (n < (ssize_t)s->messages[i].total)
			return i ? (int)i : -EFAULT;
		n -= (ssize_t)s->messages[i].total;
	}
	return (int)count;
}

/* Control messages are rare: one read each. They stand one after the other in s->control. */
static int read_controls(struct scratch *s, const struct call *c, unsigned count)
{
	size_t all = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;
		size_t len = h->msg_controllen;
		int ret;

		s->messages[i].control_len = len;
		if (!len)
			continue;
		if (len > SCRATCH_CONTROL - all)
			return i ? (int)i : -ENOBUFS;
		ret = task_read(c->n.tid, s->control + all, (uintptr_t)h->msg_control, len);
		if (ret)
			return i ? (int)i : ret;
		all += CMSG_ALIGN(len);
		if (all > SCRATCH_CONTROL)
			all = SCRATCH_CONTROL;
	}
	return (int)count;
}

typedef int read_fn(struct scratch *s, const struct call *c, unsigned count);

/*
 * Read the next messages, as many as are whole, well-formed and fit the buffers. Returns how many,
 * or -errno when that is none.
 */
static int read_chunk(struct scratch *s, const struct call *c)
{
	static read_fn *const stage[] = { read_headers, read_names, read_vectors };
	int n = (int)(count_of(c) - c->messages);

	for (size_t i = 0; i < sizeof(stage) / sizeof(stage[0]) && n > 0; i++)
		n = stage[i](s, c, (unsigned)n);
	if (n > 0)
		n = sum_totals(s, (unsigned)n);
	if (n > 0)
		n = read_controls(s, c, (unsigned)n);
	if (n > 0)
		n = read_payloads(s, c, (unsigned)n);
	return n;
}

/*
 * Judge the messages of a chunk. Returns how many may be sent; when that is fewer than `count`,
 * *error is the errno of the next one, or 0 when that is to be asked about.
 */
static unsigned judge_chunk(struct engine *e, struct call *c, unsigned count, int *error)
{
	struct scratch *s = e->scratch;
	const uint8_t *control = s->control;

	for (unsigned i = 0; i < count; i++) {
		size_t len = (size_t)s->messages[i].name_len;
		int ret = message_check_control(control, s->messages[i].control_len);

		s->targets[i] = (struct target){ 0 };
		s->decisions[i] = (struct decision){ 0 };
		if (ret) {
			*error = -ret;
			return i;
		}
		control += CMSG_ALIGN(s->messages[i].control_len);
		if (!len)
			continue;
		ret = target_send(&c->info, c->sock, &s->names[i], len, &s->targets[i]);
		if (ret) {
			*error = -ret;
			return i;
		}
		if (s->targets[i].kind != TARGET_INET)
			continue;
		c->target = s->targets[i];
		c->decision = call_decide(e, c, &c->target.endpoint);
		s->decisions[i] = c->decision;
		if (c->decision.verdict == VERDICT_ASK)
			return i;
		/* One chunk goes through one socket: this message begins the next one. */
		if (i && !divert_is_mirrored(e, &c->info) &&
		    divert_applies(&c->decision) != divert_applies(&s->decisions[0]))
			return i;
		if (c->decision.verdict != VERDICT_ALLOW) {
			*error = ECONNREFUSED;
			call_record(e, c, *error);
			return i;
		}
	}
	return count;
}

/* Point the headers at our own copies. */
static void build_headers(struct scratch *s, unsigned count)
{
	struct iovec *v = s->local;
	uint8_t *payload = s->payload;
	uint8_t *control = s->control;

	for (unsigned i = 0; i < count; i++) {
		const struct message *m = &s->messages[i];
		struct msghdr *h = &s->headers[i].msg_hdr;

		v[i] = (struct iovec){ .iov_base = payload, .iov_len = m->total };
		*h = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
		payload += m->total;
		if (s->targets[i].len) {
			h->msg_name = &s->targets[i].address;
			h->msg_namelen = s->targets[i].len;
		}
		if (m->control_len) {
			h->msg_control = control;
			h->msg_controllen = m->control_len;
			control += CMSG_ALIGN(m->control_len);
		}
	}
}

/*
 * Tell the task the lengths of the `count` messages that were just sent, in one write. Returns how
 * many it could be told.
 */
static unsigned write_lengths(struct scratch *s, const struct call *c, unsigned count)
{
	ssize_t n;

	for (unsigned i = 0; i < count; i++) {
		uint64_t at =
			header_address(c, c->messages + i) + offsetof(struct mmsghdr, msg_len);
		size_t len = sizeof(s->headers[i].msg_len);

		want(s, i, &s->headers[i].msg_len, (void *)(uintptr_t)at, len);
	}
	n = process_vm_writev(c->n.tid, s->local, count, s->gather, count, 0);
	return n < 0 ? 0 : (unsigned)((size_t)n / sizeof(s->headers[0].msg_len));
}

static void record_sent(struct engine *e, struct call *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		c->target = e->scratch->targets[i];
		c->decision = e->scratch->decisions[i];
		if (c->target.kind == TARGET_INET && !divert_applies(&c->decision))
			call_record(e, c, 0);
	}
}

/* Returns how many messages went, or -errno. */
static int act(struct engine *e, struct call *c, unsigned count)
{
	int flags = ((int)c->n.args[3] & ~MSG_ZEROCOPY) | MSG_DONTWAIT | MSG_NOSIGNAL;
	struct scratch *s = e->scratch;
	int n;

	build_headers(s, count);
	n = sendmmsg(c->sock, s->headers, count, flags);
	if (n < 0)
		n = -errno;
	/* A privileged control message, from a task that has the privilege. */
	if (n == -EPERM && s->messages[0].control_len && caps_raise_as(&e->caps, c->n.tid)) {
		if (notif_valid(e->listener, c->n.id)) {
			n = sendmmsg(c->sock, s->headers, count, flags);
			if (n < 0)
				n = -errno;
		}
		caps_drop(&e->caps);
	}
	return n;
}

static void send_chunk(struct engine *e, struct call *c)
{
	int n = read_chunk(e->scratch, c);
	unsigned count, told;
	int error = 0;

	if (n <= 0) {
		if (n == 0 || c->messages)
			finish(e, c, 0);
		else
			call_unreadable(e, c, n);
		return;
	}
	if (!call_is_valid(e, c))
		return;
	count = judge_chunk(e, c, (unsigned)n, &error);
	if (!count && !error) {
		/* To be asked about: from here on message by message, as that can be held. */
		c->next_message = next_message;
		send_message(e, c, 0);
		return;
	}
	if (!count) {
		finish(e, c, error);
		return;
	}
	c->target = e->scratch->targets[0];
	if (divert_applies(&e->scratch->decisions[0]) && !divert_send(e, c, go_on))
		return;
	n = act(e, c, count);
	if (n == -EAGAIN && call_may_wait(c, (int)c->n.args[3])) {
		call_wait_writable(e, c, go_on);
		return;
	}
	if (n < 0) {
		finish(e, c, -n);
		return;
	}
	stats_add(e->stats, c->type->counter, 1);
	record_sent(e, c, (unsigned)n);
	told = write_lengths(e->scratch, c, (unsigned)n);
	c->messages += told;
	if (told < (unsigned)n)
		finish(e, c, EFAULT);
	else if (c->messages == count_of(c) || ((unsigned)n == count && error))
		finish(e, c, 0);
	else
		call_yield(e, c, go_on);
}

static void go_on(struct engine *e, struct call *c, int res)
{
	if (res != -ECANCELED)
		send_chunk(e, c);
	else if (c->messages && c->cancel != CANCEL_GONE)
		finish(e, c, 0);
	else
		call_finish_cancelled(e, c, EAGAIN);
}

/* Message by message: one has ended. Returns true if the call goes on with the next. */
static bool next_message(struct engine *e, struct call *c, int64_t value, int error)
{
	unsigned len = (unsigned)value;
	uint64_t at = header_address(c, c->messages) + offsetof(struct mmsghdr, msg_len);

	if (!error && task_write(c->n.tid, at, &len, sizeof(len)))
		error = EFAULT;
	if (!error)
		c->messages++;
	/* A message that was cut short is the last one. */
	if (error || c->cancel != CANCEL_NONE || c->messages == count_of(c)) {
		finish(e, c, error);
		return true;
	}
	c->done = 0;
	c->started = false;
	c->decided = false;
	c->target = (struct target){ 0 };
	if (c->peer >= 0)
		close(c->peer);
	c->peer = -1;
	call_yield(e, c, send_message);
	return true;
}

void sendmmsg_begin(struct engine *e, struct call *c, int res)
{
	(void)res;
	if (!count_of(c)) {
		call_finish(e, c, 0);
		return;
	}
	if (c->info.kind == SOCKET_UDP || c->info.kind == SOCKET_PING) {
		send_chunk(e, c);
		return;
	}
	c->next_message = next_message;
	send_message(e, c, 0);
}
