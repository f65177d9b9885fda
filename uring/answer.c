/* SPDX-License-Identifier: MIT */
/*
 * The end of a call: its answer, its record, and everything it held given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/learn.h"
#include "policy/names.h"
#include "uring/ask.h"
#include "uring/divert.h"

void call_release(struct engine *e, struct call *c)
{
	if (c->counted)
		connections_made(&e->connections, c->sock);
	if (c->sock >= 0)
		loop_close_soon(e->loop, c->sock);
	if (c->stat >= 0)
		close(c->stat);
	if (c->peer >= 0)
		close(c->peer);
	free(c->host);
	if (c->personality > 0)
		loop_forget_personality(e->loop, c->personality);
	snapshot_put(c->snapshot, &e->retired);
	c->snapshot = NULL;
	c->next = e->free;
	e->free = c;
}

uint64_t call_record(struct engine *e, const struct call *c, int error)
{
	struct snapshot *snapshot = c->snapshot ? c->snapshot : e->snapshot;
	uint32_t at = 0;
	struct record r = {
		.generation = c->snapshot ? c->generation : e->generation,
		.endpoint = c->target.endpoint,
		.decision = c->decision,
		.tid = c->n.tid,
		.syscall = c->type->name,
		.error = error,
		.latency_ns = c->latency ? c->latency : loop_now() - c->start,
		.answers = c->answers,
	};

	if (c->target.kind == TARGET_INET && r.endpoint.dir == DIR_OUT)
		r.host = names_next(e->names, r.endpoint.addr, e->live.now, &at);
	if (c->decision.reason == REASON_RULE) {
		r.rule = policy_rule_text(snapshot->policy, c->decision.rule);
		snapshot_hit(snapshot, c->decision.rule);
	}
	report_decision(e->report, &r);
	return r.seq;
}

/*
 * The record comes first: it reads the task's name, which the answer may end. A sendmmsg may have
 * more messages to send and decides itself on what it answers.
 */
void call_answer(struct engine *e, struct call *c, int64_t value, int error)
{
	c->latency = loop_now() - c->start;
	if (c->decided)
		call_record(e, c, error);
	if (c->next_message && c->next_message(e, c, value, error))
		return;
	if (notif_answer(e->listener, c->n.id, value, error) == -ENOENT)
		stats_add(e->stats, STAT_STALE, 1);
	histogram_record(&e->stats->latency, c->latency);
	call_release(e, c);
}

static void drop(struct engine *e, struct call *c)
{
	stats_add(e->stats, STAT_STALE, 1);
	call_release(e, c);
}

bool call_may_wait(const struct call *c, int flags)
{
	return !(flags & MSG_DONTWAIT) && !socket_is_nonblocking(c->sock);
}

bool call_copy_address(struct engine *e, struct call *c, uint64_t addr, int len,
		       struct sockaddr_storage *out, size_t *outlen)
{
	int ret;

	if (len < 0 || (size_t)len > sizeof(*out)) {
		call_fail(e, c, EINVAL);
		return false;
	}
	memset(out, 0, sizeof(*out));
	ret = task_read(c->n.tid, out, addr, (size_t)len);
	if (ret) {
		call_unreadable(e, c, ret);
		return false;
	}
	*outlen = (size_t)len;
	return true;
}

bool call_has_target(struct engine *e, struct call *c, int ret)
{
	if (ret)
		call_fail(e, c, -ret);
	return ret == 0;
}

void call_unreadable(struct engine *e, struct call *c, int ret)
{
	switch (ret) {
	case -EFAULT:
	case -EBADF:
	case -EINVAL:
	case -EMSGSIZE:
	case -ENOBUFS:
		call_fail(e, c, -ret);
		return;
	default:
		call_refuse(e, c, -ret);
	}
}

bool call_is_valid(struct engine *e, struct call *c)
{
	if (notif_valid(e->listener, c->n.id))
		return true;
	drop(e, c);
	return false;
}

/* What a refused task gets: what a host that does not want it would say. */
static int denial(const struct call *c)
{
	if (c->type->inbound || c->info.kind == SOCKET_UNIX)
		return EACCES;
	return c->info.kind == SOCKET_NETLINK ? EPERM : ECONNREFUSED;
}

/* What cannot be remembered is not allowed, or it would be missing in the profile. */
static struct decision learn(struct engine *e, const struct endpoint *endpoint, struct decision d)
{
	const char *host = NULL;
	uint32_t at = 0;

	if (d.verdict != VERDICT_ALLOW || divert_applies(&d))
		return d;
	if (endpoint->dir == DIR_OUT && endpoint->proto != PROTO_UNIX)
		host = names_next(e->names, endpoint->addr, e->live.now, &at);
	if (learn_admit(e->learn, endpoint, host))
		return d;
	return (struct decision){ .reason = REASON_LEARN_FULL };
}

struct decision call_decide(struct engine *e, struct call *c, struct endpoint *endpoint)
{
	struct decision d;

	if (c->snapshot != e->snapshot) {
		snapshot_put(c->snapshot, &e->retired);
		c->snapshot = snapshot_get(e->snapshot);
	}
	c->generation = e->generation;
	d = divert_decide(e, c, engine_decide(e, c->sock, endpoint));
	return e->learn ? learn(e, endpoint, d) : d;
}

/* What may become a connection is remembered, for when a policy denies it. */
static void remember(struct engine *e, const struct call *c)
{
	if (c->info.kind != SOCKET_TCP && c->info.kind != SOCKET_UNIX)
		return;
	if (outbound_add(&e->outbound, c->info.cookie))
		e->outbound_full = true;
}

bool call_admit(struct engine *e, struct call *c)
{
	if (c->type->inbound)
		return true;
	if (c->info.kind == SOCKET_TCP) {
		c->counted = connections_take(&e->connections, c->sock, &c->target.address);
		if (!c->counted) {
			c->decision = (struct decision){ .reason = REASON_MAX_CONNECTIONS };
			call_deny(e, c);
			return false;
		}
	}
	remember(e, c);
	return true;
}

bool call_judge(struct engine *e, struct call *c, call_fn *resume)
{
	c->decision = call_decide(e, c, &c->target.endpoint);
	c->decided = true;
	c->answers = 0;
	if (divert_applies(&c->decision)) {
		c->decided = false; /* the names that are asked for will be decided on */
		return true;
	}
	switch (c->decision.verdict) {
	case VERDICT_ALLOW:
		return call_admit(e, c);
	case VERDICT_ASK:
		ask_hold(e, c, resume);
		return false;
	default:
		call_deny(e, c);
		return false;
	}
}

void call_deny_waiting(struct engine *e, struct call *c)
{
	/* A datagram socket may be connected elsewhere; this call has not reached anything. */
	if (c->info.type != SOCK_DGRAM)
		shutdown(c->sock, SHUT_RDWR);
	if (!c->messages && !c->done) {
		call_deny(e, c);
		return;
	}
	/* What was sent before counts. */
	c->next_message = NULL;
	c->decided = false;
	call_answer(e, c, c->messages ? (int64_t)c->messages : (int64_t)c->done, 0);
}

void call_deny(struct engine *e, struct call *c)
{
	c->decided = true;
	call_answer(e, c, 0, denial(c));
}

/* A task that cannot be found but still waits must get its answer all the same. */
static bool is_gone(struct engine *e, const struct call *c, int error)
{
	return error == ESRCH && !notif_valid(e->listener, c->n.id);
}

void call_refuse(struct engine *e, struct call *c, int error)
{
	if (is_gone(e, c, error)) {
		drop(e, c);
		return;
	}
	stats_add(e->stats, STAT_ERRORS, 1);
	c->decision = (struct decision){
		.verdict = VERDICT_DENY,
		.reason = REASON_ERROR,
		.error = error,
	};
	call_deny(e, c);
}

void call_fail(struct engine *e, struct call *c, int error)
{
	if (is_gone(e, c, error)) {
		drop(e, c);
		return;
	}
	stats_add(e->stats, STAT_ERRORS, 1);
	call_answer(e, c, 0, error);
}

void call_finish(struct engine *e, struct call *c, int64_t ret)
{
	stats_add(e->stats, c->type->counter, 1);
	call_answer(e, c, ret < 0 ? 0 : ret, ret < 0 ? (int)-ret : 0);
}

void call_continue(struct engine *e, struct call *c)
{
	stats_add(e->stats, STAT_CONTINUED, 1);
	notif_continue(e->listener, c->n.id);
	call_release(e, c);
}

/*
 * net/socket.c and net/core: a call that a signal interrupts before it had an effect is restarted,
 * unless the socket has a time limit (sock_intr_errno()).
 */
void call_finish_cancelled(struct engine *e, struct call *c, int timeout_error)
{
	if (c->messages && c->cancel != CANCEL_GONE) {
		/* Some messages of a sendmmsg have gone: it must not begin again. */
		c->next_message = NULL;
		c->decided = false;
		call_answer(e, c, c->messages, 0);
		return;
	}
	/* It may have had an effect all the same: a connection attempt goes on. */
	if (c->decided && (c->cancel == CANCEL_GONE || (c->cancel == CANCEL_SIGNAL && !c->timeout)))
		call_record(e, c, EINTR);
	switch (c->cancel) {
	case CANCEL_SIGNAL:
		if (c->timeout) {
			call_finish(e, c, -EINTR);
			return;
		}
		if (notif_restart(e->listener, c->n.id) == -ENOENT)
			stats_add(e->stats, STAT_STALE, 1);
		call_release(e, c);
		return;
	case CANCEL_TIMEOUT:
		call_finish(e, c, -timeout_error);
		return;
	case CANCEL_GONE:
		drop(e, c);
		return;
	case CANCEL_NONE:
	case CANCEL_DENIED:
	case CANCEL_RETRY:
	case CANCEL_ANSWERED:
		/* Nobody asked for it; the task must get an answer all the same. */
		call_finish(e, c, -EINTR);
	}
}
