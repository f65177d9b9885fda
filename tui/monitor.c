/* SPDX-License-Identifier: MIT */
#include "tui/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tui/effects.h"
#include "tui/looks.h"
#include "tui/monitor_state.h"
#include "tui/pace.h"
#include "tui/priority.h"
#include "tui/replies.h"
#include "tui/view.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	IDLE = 100, /* ms at most in which nothing is done */
	FRAME = 16, /* ms at least between two pictures */
};

void monitor_finish(struct monitor *m, enum monitor_end end)
{
	if (m->ended)
		return;
	m->ended = true;
	if (!m->over)
		m->result->end = end;
}

struct rect monitor_output_rect(const struct monitor *m)
{
	return view_layout(MODEL_OUTPUT, m->w, m->h).body;
}

void monitor_resize(struct monitor *m)
{
	struct event e = feed_event(EVENT_SIZE);
	struct view_layout l;
	struct rect old = monitor_output_rect(m), r;

	term_size(m->term, &m->w, &m->h);
	cells_resize(&m->cells, m->w, m->h);
	r = monitor_output_rect(m);
	if (m->output.pane && r.w > 0 && r.h > 0 && (r.w != old.w || r.h != old.h)) {
		pane_resize(m->output.pane, r.h, r.w);
		link_resize(&m->link, r.h, r.w);
	}
	l = view_layout(MODEL_DECISIONS, m->w, m->h);
	e.page = (unsigned int)l.body.h;
	e.bar_w = m->w;
	e.bar_room = l.body.h + (l.bar >= 0);
	model_apply(m->model, &e);
	m->output.changed = true;
}

/*
 * SIGWINCH goes to the foreground job of the session whose terminal it is. One that is another's
 * (`su -c`, setsid(1)) changes without a word.
 */
static void look_at_size(struct monitor *m)
{
	int w, h;

	term_measure(m->config.tty_out, &w, &h);
	if (w != m->w || h != m->h)
		monitor_resize(m);
}

static void read_keys(struct monitor *m)
{
	struct event e;
	struct effect effect;
	struct key key;

	while (!m->ended && term_read(m->term, &key)) {
		e = feed_event(EVENT_KEY);
		e.key = &key;
		e.spot = spot_at(&m->cells.spots, key.x, key.y);
		effect = model_apply(m->model, &e);
		effects_act(m, &effect);
	}
}

static void read_signals(struct monitor *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			monitor_resize(m);
		} else if (info.ssi_signo == SIGTSTP) {
			effects_stop(m, effects_stop_alone);
		} else {
			m->result->signal = (int)info.ssi_signo;
			monitor_finish(m, MONITOR_DETACHED);
		}
	}
}

static bool shows_output(const struct monitor *m)
{
	return m->output.pane && m->model->pane == MODEL_OUTPUT;
}

/* In Output it is the command's, as far as that has asked for it. */
static enum pane_mouse wanted_mouse(const struct monitor *m)
{
	if (shows_output(m) && !m->over)
		return pane_mouse(m->output.pane);
	return m->model->mouse ? PANE_MOUSE_CLICK : PANE_MOUSE_NONE;
}

static void draw(struct monitor *m)
{
	struct event e;

	view_render(m->model, &m->cells);
	if (shows_output(m)) {
		pane_render(m->output.pane, &m->cells, monitor_output_rect(m));
		view_render_bar(m->model, &m->cells);
	}
	if (m->output.pane && pane_take_bell(m->output.pane))
		term_ring(m->term);
	term_set_mouse(m->term, wanted_mouse(m));
	term_draw(m->term, &m->cells);
	m->model->dirty = false;
	m->output.changed = false;
	e = feed_event(EVENT_DRAWN);
	model_apply(m->model, &e);
}

/* Draw if there is something new and the last picture is old enough. Returns ms to wait for it. */
static int draw_when_due(struct monitor *m)
{
	uint64_t now = feed_elapsed();

	if (!m->model->dirty && !(m->output.changed && shows_output(m)))
		return IDLE;
	if (now < m->frame + FRAME * MILLISECOND)
		return (int)((m->frame + FRAME * MILLISECOND - now) / MILLISECOND) + 1;
	m->frame = now;
	draw(m);
	return IDLE;
}

static int wait_ms(struct monitor *m, int frame)
{
	uint64_t now = feed_elapsed();
	int tick = m->tick > now ? (int)((m->tick - now) / MILLISECOND) + 1 : 0;

	return tick < frame ? tick : frame;
}

static void turn(struct monitor *m)
{
	const char *bytes;
	bool typed = m->output.pane && pane_input(m->output.pane, &bytes) > 0;
	struct pollfd fds[] = {
		{ .fd = m->signals, .events = POLLIN },
		{ .fd = m->config.tty_in, .events = POLLIN },
		{ .fd = m->over ? -1 : m->link.control, .events = POLLIN },
		{ .fd = m->link.terminal, .events = (short)(POLLIN | (typed ? POLLOUT : 0)) },
		{ .fd = m->messages.fd, .events = POLLIN },
	};

	if (poll(fds, COUNT(fds), wait_ms(m, draw_when_due(m))) < 0)
		return;
	if (fds[0].revents)
		read_signals(m);
	/* The terminal is gone: no SIGHUP says so to whom it does not control (su -c, setsid). */
	if (fds[1].revents & ~POLLIN)
		monitor_finish(m, MONITOR_DETACHED);
	else if (fds[1].revents)
		read_keys(m);
	if (fds[3].revents & (POLLIN | POLLHUP | POLLERR))
		output_read(&m->output, &m->link);
	if (m->link.terminal >= 0 && fds[3].revents & POLLOUT)
		output_write(&m->output, &m->link);
	if (fds[4].revents)
		messages_read(&m->messages, m->model);
	if (fds[2].revents)
		replies_read(m);
	if (feed_elapsed() >= m->tick) {
		m->tick = feed_elapsed() + pace_wait(pace_spent());
		feed_read(&m->feed, m->link.ledger, m->model);
		look_at_size(m);
		looks_ask(m);
	}
}

static int fail(struct monitor *m, int ret, const char *text)
{
	snprintf(m->result->error, sizeof(m->result->error), "%s", text);
	return ret;
}

static int block_signals(struct monitor *m)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &m->mask);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? -errno : 0;
}

static int open_term(struct monitor *m)
{
	const char *name = getenv("TERM");
	char text[256];
	int ret;

	m->term = term_new(m->config.tty_in, m->config.tty_out);
	if (m->term)
		return 0;
	ret = -errno;
	if (ret == -EOPNOTSUPP && !(name && *name))
		snprintf(text, sizeof(text),
			 "$TERM does not say which terminal this is: expected one such as "
			 "xterm-256color");
	else if (ret == -EOPNOTSUPP)
		snprintf(text, sizeof(text),
			 "the terminal '%.64s' ($TERM) is unknown, or has no cursor to move: "
			 "expected one such as xterm-256color",
			 name);
	else
		snprintf(text, sizeof(text), "the terminal: %s", strerror(-ret));
	return fail(m, ret, text);
}

static int prepare(struct monitor *m)
{
	struct control_error err = { "" };
	struct rect r;
	int ret = block_signals(m);

	if (ret)
		return fail(m, ret, strerror(-ret));
	term_measure(m->config.tty_out, &m->w, &m->h);
	r = monitor_output_rect(m);
	/* On a screen of a line or two there is no place for it. */
	r.w = r.w > 0 ? r.w : 1;
	r.h = r.h > 0 ? r.h : 1;
	/* First: a command on a terminal of its own begins when that is attached to. */
	ret = open_term(m);
	if (ret)
		return ret;
	ret = link_open(&m->link, m->config.control, r.h, r.w, &err);
	if (ret)
		return fail(m, ret, err.text);
	m->model = model_new(m->config.attached, m->link.terminal >= 0);
	if (m->model) {
		m->model->profile = m->link.profile;
		m->model->mouse = !m->config.no_mouse;
	}
	if (m->link.terminal >= 0)
		m->output.pane = pane_new(r.h, r.w);
	if (feed_init(&m->feed) || !m->model || (m->link.terminal >= 0 && !m->output.pane))
		return fail(m, -ENOMEM, strerror(ENOMEM));
	return 0;
}

static void release(struct monitor *m)
{
	messages_exit(&m->messages);
	pane_free(m->output.pane);
	model_free(m->model);
	link_close(&m->link);
	feed_exit(&m->feed);
	cells_exit(&m->cells);
	if (m->signals >= 0)
		close(m->signals);
	sigprocmask(SIG_SETMASK, &m->mask, NULL);
}

int monitor_run(const struct monitor_config *config, struct monitor_result *out)
{
	struct monitor m = { .config = *config,
			     .result = out,
			     .signals = -1,
			     .link = { .terminal = -1, .early_body = -1 } };
	bool color, ascii;
	int ret;

	*out = (struct monitor_result){ .end = MONITOR_LOST };
	messages_init(&m.messages, config->messages);
	ret = prepare(&m);
	if (ret) {
		term_free(m.term);
		release(&m);
		return ret;
	}
	color = term_has_color(m.term);
	ascii = term_is_ascii(m.term);
	cells_init(&m.cells, ascii);
	monitor_resize(&m);
	feed_read(&m.feed, m.link.ledger, m.model);
	/* What came with the first requests: nothing that could be waited for follows on it. */
	replies_read(&m);
	priority_give_way();
	while (!m.ended)
		turn(&m);
	term_free(m.term);
	if (m.output.pane && (out->end == MONITOR_EXITED || out->end == MONITOR_KILLED)) {
		output_drain(&m.output, &m.link);
		output_reprint(&m.output, m.config.tty_out, color, ascii);
	}
	release(&m);
	return 0;
}
