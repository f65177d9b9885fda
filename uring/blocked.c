/* SPDX-License-Identifier: MIT */
#include "uring/blocked.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#include "uring/ask.h"
#include "uring/divert.h"

/* A signal must end a blocked call within 50 ms. */
enum { TICK_NS = 20 * 1000 * 1000 };

static void list_add(struct call **list, struct call *c)
{
	c->prev = NULL;
	c->next = *list;
	if (c->next)
		c->next->prev = c;
	*list = c;
}

static void list_remove(struct call **list, struct call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		*list = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->prev = c->next = NULL;
}

static void arm_tick(struct engine *e)
{
	uint64_t ns = TICK_NS;
	uint64_t now = 0;

	if (event_is_armed(&e->tick_event) || !e->waiting)
		return;
	for (struct call *c = e->waiting; c; c = c->next) {
		if (!c->deadline)
			continue;
		if (!now)
			now = loop_now();
		if (c->deadline <= now)
			ns = 1;
		else if (c->deadline - now < ns)
			ns = c->deadline - now;
	}
	e->tick = (struct __kernel_timespec){ .tv_nsec = (long long)ns };
	if (loop_timeout(e->loop, &e->tick_event, &e->tick))
		e->loop->again = true; /* no room on the ring: look again in the next turn */
}

/* Most calls that wait are over before the first tick, and need not ask. */
static void learn_timeout(struct engine *e, struct call *c)
{
	if (c->looked_after)
		return;
	c->looked_after = true;
	e->fresh--;
	c->timeout = socket_send_timeout(c->sock);
	/* A held call has not begun yet for its socket. */
	if (c->timeout && !c->question)
		c->deadline = c->start + c->timeout;
}

/* What a waiting call should be cancelled for, if anything. */
static enum cancel look_after(struct engine *e, struct call *c, uint64_t now)
{
	/* The ring may have been full when it was asked first. */
	if (c->cancel == CANCEL_DENIED || c->cancel == CANCEL_ANSWERED)
		return c->cancel;
	if (!notif_valid(e->listener, c->n.id))
		return CANCEL_GONE;
	if (c->stat < 0)
		c->stat = task_open_stat(c->n.tid);
	if (c->stat >= 0 && task_is_signalled(c->stat))
		return CANCEL_SIGNAL;
	if (c->deadline && c->deadline <= now)
		return CANCEL_TIMEOUT;
	/* A full AF_UNIX datagram peer does not always wake who waits for it. */
	if (c->polls && c->info.kind == SOCKET_UNIX && c->info.type != SOCK_STREAM)
		return CANCEL_RETRY;
	return CANCEL_NONE;
}

static struct engine *engine_of(struct event *ev)
{
	return (struct engine *)((char *)ev - offsetof(struct engine, tick_event));
}

static void tick(struct event *ev, int res)
{
	struct engine *e = engine_of(ev);
	uint64_t now = loop_now();

	(void)res;
	for (struct call *c = e->waiting; c; c = c->next) {
		enum cancel why;

		learn_timeout(e, c);
		why = look_after(e, c, now);

		if (why == CANCEL_NONE)
			continue;
		/* Asked again each time until it is over: a request can find the ring full. */
		if (c->cancel == CANCEL_NONE || c->cancel == CANCEL_RETRY)
			c->cancel = why;
		loop_cancel(e->loop, &c->event);
	}
	arm_tick(e);
}

void blocked_init(struct engine *e)
{
	e->tick_event.fn = tick;
}

static void leave(struct engine *e, struct call *c)
{
	list_remove(&e->waiting, c);
	e->nwaiting--;
	e->fresh -= !c->looked_after;
}

static void waited(struct event *ev, int res)
{
	struct call *c = (struct call *)((char *)ev - offsetof(struct call, event));
	struct engine *e = c->engine;

	leave(e, c);
	/* It may have succeeded all the same. */
	if (c->cancel == CANCEL_DENIED) {
		call_deny_waiting(e, c);
		return;
	}
	/* A connect that the ring has given to a thread is cancelled by a signal to that. */
	if (res == -EINTR && c->cancel != CANCEL_NONE)
		res = -ECANCELED;
	/* An operation that ended by itself before its cancel request was seen has its result. */
	if (res != -ECANCELED)
		c->cancel = CANCEL_NONE;
	if (c->cancel == CANCEL_RETRY) {
		c->cancel = CANCEL_NONE;
		res = 0;
	}
	c->resume(e, c, res);
}

static void wait_on(struct engine *e, struct call *c, call_fn *resume)
{
	c->resume = resume;
	list_add(&e->waiting, c);
	e->fresh += !c->looked_after;
	stats_peak(e->stats, STAT_INFLIGHT_PEAK, ++e->nwaiting);
	/* Most are over when they have been submitted, and need no tick. */
	e->loop->again = true;
}

void call_wait_writable(struct engine *e, struct call *c, call_fn *resume)
{
	/* Whether the peer of an addressed AF_UNIX datagram has room, only the tick finds out. */
	bool addressed = c->info.kind == SOCKET_UNIX && c->target.len;

	c->event.fn = waited;
	c->polls = true;
	if (loop_poll(e->loop, &c->event, c->sock, addressed ? 0 : POLLOUT))
		call_refuse(e, c, ENOBUFS);
	else
		wait_on(e, c, resume);
}

void call_wait_readable(struct engine *e, struct call *c, int fd, call_fn *resume)
{
	c->event.fn = waited;
	c->polls = false;
	if (loop_poll(e->loop, &c->event, fd, POLLIN))
		call_refuse(e, c, ENOBUFS);
	else
		wait_on(e, c, resume);
}

void call_wait_connect(struct engine *e, struct call *c, const struct sockaddr *addr, socklen_t len,
		       call_fn *resume)
{
	c->event.fn = waited;
	c->polls = false;
	if (loop_connect(e->loop, &c->event, c->sock, addr, len, c->personality))
		call_refuse(e, c, ENOBUFS);
	else
		wait_on(e, c, resume);
}

bool call_wait_timeout(struct engine *e, struct call *c, struct __kernel_timespec *ts,
		       call_fn *resume)
{
	c->event.fn = waited;
	c->polls = false;
	if (loop_timeout(e->loop, &c->event, ts)) {
		call_refuse(e, c, ENOBUFS);
		return false;
	}
	wait_on(e, c, resume);
	return true;
}

void call_yield(struct engine *e, struct call *c, call_fn *resume)
{
	c->resume = resume;
	list_add(&e->runnable, c);
}

void blocked_run(struct engine *e)
{
	struct call *list = e->runnable;

	if (e->waiting)
		arm_tick(e);
	e->runnable = NULL;
	while (list) {
		struct call *c = list;

		list_remove(&list, c);
		c->resume(e, c, 0);
	}
}

/* Whether the call waits on the strength of a decision that does not hold any more. */
static bool is_denied_now(struct engine *e, struct call *c)
{
	enum verdict before;

	if (!c->decided || c->decision.verdict != VERDICT_ALLOW || c->cancel == CANCEL_DENIED)
		return false;
	before = policy_decide(c->snapshot->policy, &e->live, &c->target.endpoint).verdict;
	c->decision = call_decide(e, c, &c->target.endpoint);
	/* It is too late to lead it to the sinkhole. */
	if (divert_applies(&c->decision) && !divert_is_mirrored(e, &c->info))
		c->decision.verdict = VERDICT_DENY;
	/* What an answer has allowed once goes on; what a rule has allowed ends with that. */
	if (c->decision.verdict == VERDICT_ASK)
		c->decision.verdict = before == VERDICT_ALLOW ? VERDICT_DENY : VERDICT_ALLOW;
	return c->decision.verdict == VERDICT_DENY;
}

unsigned blocked_judge_again(struct engine *e)
{
	unsigned n = 0;

	for (struct call *c = e->waiting; c; c = c->next) {
		if (c->question) {
			ask_judge_again(e, c);
			continue;
		}
		if (!is_denied_now(e, c))
			continue;
		c->cancel = CANCEL_DENIED;
		loop_cancel(e->loop, &c->event);
		n++;
	}
	return n;
}

void blocked_forget(struct engine *e, struct call *c)
{
	leave(e, c);
	loop_forget(e->loop, &c->event);
	call_release(e, c);
}
