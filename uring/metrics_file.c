/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * One writing is a chain of operations: remove what an earlier run left under the
 * temporary name, make that file, write, rename. The first that fails ends it; the
 * next tick begins anew. The temporary name is made exclusively, so that a link
 * that somebody put there leads nowhere.
 */
#include "uring/metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/escape.h"

#define METRICS_OF(ev, member)                                                                     \
	((struct metrics_file *)((char *)(ev)-offsetof(struct metrics_file, member)))

static void begin(struct metrics_file *m);

static void let_go(struct metrics_file *m)
{
	if (m->fd >= 0)
		loop_close(m->loop, m->fd);
	m->fd = -1;
}

/* This writing is over: told is the first failure, and the first after a success. */
static void end(struct metrics_file *m, int error)
{
	char path[512];

	let_go(m);
	if (error && !m->failed) {
		escape_text(m->path, path, sizeof(path));
		report_message(m->report, "--metrics-file: cannot write '%s': %s", path,
			       strerror(error));
	}
	m->failed = error;
	if (m->again)
		begin(m);
}

/* Go on with `fn` after the operation that was armed with `ret`. */
static void next(struct metrics_file *m, event_fn *fn, int ret)
{
	m->event.fn = fn;
	if (ret)
		end(m, -ret);
}

static void renamed(struct event *ev, int res)
{
	end(METRICS_OF(ev, event), res < 0 ? -res : 0);
}

static void written(struct event *ev, int res)
{
	struct metrics_file *m = METRICS_OF(ev, event);

	if (res == -EINTR || res == -EAGAIN)
		res = 0;
	if (res < 0) {
		end(m, -res);
		return;
	}
	m->written += (size_t)res;
	if (m->written < m->len) {
		next(m, written,
		     loop_write(m->loop, ev, m->fd, m->text + m->written,
				(unsigned)(m->len - m->written)));
		return;
	}
	let_go(m);
	next(m, renamed, loop_rename(m->loop, ev, m->temp, m->path));
}

static void opened(struct event *ev, int res)
{
	struct metrics_file *m = METRICS_OF(ev, event);
	struct ledger_head head;

	if (res < 0) {
		end(m, -res);
		return;
	}
	m->fd = res;
	ledger_head(m->ledger, &head);
	m->len = metrics_text(&head, m->text);
	m->written = 0;
	next(m, written, loop_write(m->loop, ev, m->fd, m->text, (unsigned)m->len));
}

static void removed(struct event *ev, int res)
{
	struct metrics_file *m = METRICS_OF(ev, event);

	/* If it could not be removed, making it fails. */
	(void)res;
	next(m, opened,
	     loop_open(m->loop, ev, m->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, m->mode));
}

static void begin(struct metrics_file *m)
{
	m->again = false;
	next(m, removed, loop_unlink(m->loop, &m->event, m->temp));
}

static void ticked(struct event *ev, int res)
{
	struct metrics_file *m = METRICS_OF(ev, tick);

	(void)res;
	if (!event_is_armed(&m->event))
		begin(m);
	loop_timeout(m->loop, &m->tick, &m->period);
}

static void given_up(struct event *ev, int res)
{
	(void)res;
	METRICS_OF(ev, tick)->given_up = true;
}

int metrics_file_init(struct metrics_file *m, struct loop *loop, const struct ledger *ledger,
		      struct report *report, const char *path)
{
	mode_t mask = umask(0);
	int n;

	umask(mask);
	m->tick.fn = ticked;
	m->period.tv_sec = METRICS_PERIOD;
	m->loop = loop;
	m->ledger = ledger;
	m->report = report;
	m->path = path;
	m->mode = 0666 & ~mask;
	m->fd = -1;
	if (!path)
		return 0;
	n = snprintf(m->temp, sizeof(m->temp), "%s.%d.new", path, getpid());
	if ((size_t)n >= sizeof(m->temp))
		return -ENAMETOOLONG;
	begin(m);
	return loop_timeout(loop, &m->tick, &m->period);
}

void metrics_file_finish(struct metrics_file *m)
{
	if (!m->path)
		return;
	loop_forget(m->loop, &m->tick);
	m->tick.fn = given_up;
	m->period.tv_sec = METRICS_PATIENCE;
	m->given_up = loop_timeout(m->loop, &m->tick, &m->period);
	if (event_is_armed(&m->event))
		m->again = true;
	else
		begin(m);
}

bool metrics_file_is_idle(const struct metrics_file *m)
{
	return m->given_up || !event_is_armed(&m->event);
}
