/* SPDX-License-Identifier: MIT */
#include "uring/pause.h"

#include <errno.h>

/* As good as without a limit. */
enum { PAUSE_SECONDS = 365 * 24 * 3600 };

static void resumed(struct engine *e, struct call *c, int res)
{
	call_fn *begin = c->go_on;

	c->go_on = NULL;
	engine_count_held(e, -1);
	if (res == -ECANCELED && c->cancel != CANCEL_ANSWERED) {
		call_finish_cancelled(e, c, EINTR);
		return;
	}
	/* The pause was no time of the call's, but names can have grown old in it. */
	c->start = e->live.now = loop_now();
	c->looked_after = false;
	c->cancel = CANCEL_NONE;
	begin(e, c, 0);
}

void pause_hold(struct engine *e, struct call *c, call_fn *begin)
{
	c->go_on = begin;
	c->paused = true;
	c->hold = (struct __kernel_timespec){ .tv_sec = PAUSE_SECONDS };
	if (call_wait_timeout(e, c, &c->hold, resumed))
		engine_count_held(e, 1);
}

void pause_set(struct engine *e, bool on)
{
	e->paused = on;
	if (on)
		return;
	for (struct call *c = e->waiting; c; c = c->next) {
		if (!c->paused)
			continue;
		c->paused = false;
		c->cancel = CANCEL_ANSWERED;
		loop_cancel(e->loop, &c->event);
	}
}
