/* SPDX-License-Identifier: MIT */
#include "uring/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy/names.h"
#include "uring/blocked.h"
#include "uring/divert.h"

/* The questions that anybody has seen are those up to e->ask.shown. */
static bool is_open(const struct engine *e, const struct call *c)
{
	return c->question && c->question <= e->ask.shown && !c->answered;
}

static bool has_same_name(const struct endpoint *a, const struct endpoint *b)
{
	if (!a->name || !b->name)
		return a->name == b->name;
	return strcmp(a->name, b->name) == 0;
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->dir == b->dir && a->proto == b->proto && a->port == b->port &&
	       a->listening == b->listening && a->unspecified == b->unspecified &&
	       addr_equal(a->addr, b->addr) && has_same_name(a, b);
}

static void count(struct engine *e, int change)
{
	e->ask.held += (unsigned)change;
	engine_count_held(e, change);
}

static void deny(struct engine *e, struct call *c, enum reason reason)
{
	c->decision = (struct decision){ .verdict = VERDICT_DENY, .reason = reason };
	call_deny(e, c);
}

/*
 * The hold is no part of the call: neither of its latency nor of its SO_SNDTIMEO, which the kernel
 * would count from the attempt on.
 */
static void forget_hold(struct call *c)
{
	c->start += loop_now() - c->held_since;
	c->held_since = 0;
	free(c->host);
	c->host = NULL;
	c->looked_after = false;
	c->timeout = 0;
	c->deadline = 0;
}

static void go_on(struct engine *e, struct call *c)
{
	/* A number of its own for what it may wait for next. */
	c->question = 0;
	c->answered = false;
	c->cancel = CANCEL_NONE;
	/* What now leads to the sinkhole must not go where it was about to go. */
	if (divert_applies(&c->decision))
		deny(e, c, REASON_SINKHOLE);
	else if (c->decision.verdict != VERDICT_ALLOW)
		call_deny(e, c);
	else if (call_admit(e, c))
		c->go_on(e, c, 0);
}

static void released(struct engine *e, struct call *c, int res)
{
	bool timed = c->timeout;

	count(e, -1);
	forget_hold(c);
	if (c->answered) {
		go_on(e, c);
		return;
	}
	c->question = 0;
	/* Nobody has answered it: it counts as refused, whatever ended it. */
	if (c->cancel == CANCEL_GONE || c->cancel == CANCEL_SIGNAL) {
		c->timeout = timed; /* whether the call is restarted */
		c->decision = (struct decision){ .reason = REASON_ERROR, .error = EINTR };
		call_finish_cancelled(e, c, EINTR);
		return;
	}
	(void)res;
	deny(e, c, REASON_ASK_TIMEOUT);
}

static void settle(struct engine *e, struct call *c, struct decision d)
{
	c->decision = d;
	c->answered = true;
	c->cancel = CANCEL_ANSWERED;
	loop_cancel(e->loop, &c->event);
}

/* It stays the one that is shown, whatever is learned of the address meanwhile. */
static void name_host(struct engine *e, struct call *c)
{
	const struct endpoint *endpoint = &c->target.endpoint;
	const char *host = NULL;
	uint32_t at = 0;

	if (endpoint->addr.family && endpoint->dir == DIR_OUT)
		host = names_next(e->names, endpoint->addr, e->live.now, &at);
	c->host = host ? strdup(host) : NULL;
}

void ask_hold(struct engine *e, struct call *c, call_fn *resume)
{
	const struct ask *ask = &e->ask;

	/* getaddrinfo connects UDP sockets merely to sort addresses: that must not wait. */
	if (c->type->nr == SYS_connect && c->target.endpoint.proto == PROTO_UDP) {
		c->decision.verdict = VERDICT_DENY;
		call_deny(e, c);
		return;
	}
	if (!ask->attended || !ask->attended(ask->arg)) {
		deny(e, c, REASON_ASK_NOBODY);
		return;
	}
	if (ask->held == ASK_HELD) {
		deny(e, c, REASON_ASK_FULL);
		return;
	}
	c->go_on = resume;
	c->held_since = loop_now();
	c->hold = (struct __kernel_timespec){
		.tv_sec = (long long)(ask->timeout / 1000000000),
		.tv_nsec = (long long)(ask->timeout % 1000000000),
	};
	if (!call_wait_timeout(e, c, &c->hold, released))
		return;
	c->question = ++e->ask.last;
	c->answering = false;
	name_host(e, c);
	count(e, 1);
	stats_add(e->stats, STAT_HELD, 1);
	c->answers = call_record(e, c, 0);
}

void ask_judge_again(struct engine *e, struct call *c)
{
	struct decision d = call_decide(e, c, &c->target.endpoint);

	if (d.verdict != VERDICT_ASK) {
		settle(e, c, d);
		return;
	}
	if (c->answered)
		d.verdict = c->decision.verdict;
	c->decision = d;
}

struct call *ask_find(const struct engine *e, uint64_t number)
{
	for (struct call *c = e->waiting; number && c; c = c->next)
		if (c->question == number && is_open(e, c))
			return c;
	return NULL;
}

void ask_again(struct engine *e, uint64_t number)
{
	struct call *c = ask_find(e, number);

	if (c)
		c->answering = false;
}

unsigned ask_answer(struct engine *e, struct call *c, enum verdict verdict)
{
	const struct endpoint *endpoint = &c->target.endpoint;
	unsigned n = 0;

	for (struct call *other = e->waiting; other; other = other->next) {
		struct decision d = other->decision;

		if (!is_open(e, other) || !is_same(endpoint, &other->target.endpoint))
			continue;
		/* The rule that asked stays the reason. */
		d.verdict = verdict;
		settle(e, other, d);
		n++;
	}
	return n;
}

uint64_t ask_time_left(const struct call *c, uint64_t now)
{
	uint64_t end =
		c->held_since + (uint64_t)c->hold.tv_sec * 1000000000 + (uint64_t)c->hold.tv_nsec;

	return end > now ? end - now : 0;
}
