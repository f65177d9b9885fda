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
#include <unistd.h>

#include "uring/bulk.h"
#include "uring/divert.h"
#include "uring/message.h"

static call_fn go_on;
static bool next_message(struct engine *e, struct call *c, int64_t value, int error);

/* The call ends; what was sent counts, an error after that is for the next call to find. */
static void finish(struct engine *e, struct call *c, int error)
{
	c->next_message = NULL;
	c->decided = false; /* every message has its own record */
	call_answer(e, c, c->messages, c->messages ? 0 : error);
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

		/* The address is set only where there is one. */
		s->targets[i].kind = TARGET_NONE;
		s->targets[i].len = 0;
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

static void record_sent(struct engine *e, struct call *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (e->scratch->targets[i].kind != TARGET_INET)
			continue;
		c->target = e->scratch->targets[i];
		c->decision = e->scratch->decisions[i];
		if (!divert_applies(&c->decision))
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
	int n = bulk_read(e, c);
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
	c->target = (struct target){ 0 };
	if (e->scratch->targets[0].kind != TARGET_NONE)
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
	told = bulk_tell(e, c, (unsigned)n);
	c->messages += told;
	if (told < (unsigned)n)
		finish(e, c, EFAULT);
	else if (c->messages == bulk_count(c) || ((unsigned)n == count && error))
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
	uint64_t at = bulk_header(c, c->messages) + offsetof(struct mmsghdr, msg_len);

	if (!error && task_write(c->n.tid, at, &len, sizeof(len)))
		error = EFAULT;
	if (!error)
		c->messages++;
	/* A message that was cut short is the last one. */
	if (error || c->cancel != CANCEL_NONE || c->messages == bulk_count(c)) {
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
	if (!bulk_count(c)) {
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
