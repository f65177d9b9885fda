/* SPDX-License-Identifier: MIT */
#include "tui/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEED_DECISIONS = 64 }; /* taken at once */

static uint64_t now_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t feed_elapsed(void)
{
	return now_of(CLOCK_MONOTONIC);
}

struct event feed_event(enum event_kind kind)
{
	return (struct event){ .kind = kind,
			       .now = now_of(CLOCK_REALTIME),
			       .elapsed = feed_elapsed() };
}

int feed_init(struct feed *f)
{
	f->flows = calloc(FLOW_ROWS, sizeof(*f->flows));
	f->decisions = calloc(FEED_DECISIONS, sizeof(*f->decisions));
	f->head = calloc(1, sizeof(*f->head));
	return f->flows && f->decisions && f->head ? 0 : -ENOMEM;
}

void feed_exit(struct feed *f)
{
	free(f->flows);
	free(f->decisions);
	free(f->head);
}

void feed_read(struct feed *f, struct ledger_reader *ledger, struct model *model)
{
	struct event e = feed_event(EVENT_HEAD);

	ledger_read_head(ledger, f->head);
	e.head = f->head;
	model_apply(model, &e);
	if (f->has_seen && f->seen == f->head->decisions)
		return;
	f->has_seen = true;
	f->seen = f->head->decisions;
	e.kind = EVENT_FLOWS;
	e.flows.v = f->flows;
	e.flows.n = ledger_read_flows(ledger, f->flows, FLOW_ROWS);
	model_apply(model, &e);
	e.kind = EVENT_DECISIONS;
	e.decisions.v = f->decisions;
	for (unsigned int i = 0; i < LEDGER_DECISIONS / FEED_DECISIONS; i++) {
		e.decisions.missed = 0;
		e.decisions.n = ledger_read_decisions(ledger, &f->next, f->decisions,
						      FEED_DECISIONS, &e.decisions.missed);
		model_apply(model, &e);
		if (e.decisions.n < FEED_DECISIONS)
			break;
	}
}

void feed_tell(struct model *model, bool ok, const char *text)
{
	struct event e = feed_event(EVENT_REPLY);

	e.reply.ok = ok;
	e.reply.text = text;
	model_apply(model, &e);
}

void feed_asked(struct model *model, int ret)
{
	if (ret == -EAGAIN)
		feed_tell(model, false, "the sandbox does not answer: nothing was changed");
	else if (ret == -EINVAL)
		feed_tell(model, false, "its name is not UTF-8: no rule was made");
	else if (ret && ret != -EALREADY)
		feed_tell(model, false, strerror(-ret));
}
