/* SPDX-License-Identifier: MIT */
#include "tui/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tui/edits.h"
#include "tui/feed.h"
#include "tui/link.h"
#include "tui/model.h"
#include "tui/output.h"
#include "tui/term.h"
#include "tui/view.h"

#define MILLISECOND UINT64_C(1000000)

enum {
	TICK = 100,  /* ms between two looks at the ledger */
	LOOK = 1000, /* ms between two requests for what a pane shows */
	FRAME = 16,  /* ms at least between two pictures */
};

struct monitor {
	struct monitor_config config;
	struct monitor_result *result;
	struct link link;
	struct term *term;
	struct model *model;
	struct output output;
	struct feed feed;
	struct cells cells;
	int signals;
	sigset_t mask; /* as it was before */
	int w, h;
	bool ended;
	bool killing;          /* the operator wants the command to end */
	uint64_t tick;         /* when to look again, CLOCK_MONOTONIC in ns */
	uint64_t look;         /* when to ask again for what the pane shows, */
	enum pane_kind looked; /* and which one that was */
	uint64_t frame;        /* when the last picture was drawn */
};

static void finish(struct monitor *m, enum monitor_end end)
{
	if (m->ended)
		return;
	m->ended = true;
	m->result->end = end;
}

static void tell(struct monitor *m, bool ok, const char *text)
{
	feed_tell(m->model, ok, text);
}

static struct rect output_rect(const struct monitor *m)
{
	return view_layout(MODEL_OUTPUT, m->w, m->h).body;
}

/* Learn the terminal's size, and give the command's the one that follows from it. */
static void resize(struct monitor *m)
{
	struct event e = feed_event(EVENT_SIZE);
	struct rect old = output_rect(m), r;

	term_size(m->term, &m->w, &m->h);
	cells_resize(&m->cells, m->w, m->h);
	r = output_rect(m);
	if (m->output.pane && r.w > 0 && r.h > 0 && (r.w != old.w || r.h != old.h)) {
		pane_resize(m->output.pane, r.h, r.w);
		link_resize(&m->link, r.h, r.w);
	}
	e.page = (unsigned int)view_layout(MODEL_DECISIONS, m->w, m->h).body.h;
	model_apply(m->model, &e);
	m->output.changed = true;
}

static void send_key(struct monitor *m, struct key key)
{
	struct rect r = output_rect(m);

	if (!m->output.pane)
		return;
	key.x -= r.x;
	key.y -= r.y;
	pane_key(m->output.pane, &key);
}

static void ask(struct monitor *m, const char *verb, const char *spec)
{
	feed_asked(m->model, link_ask(&m->link, verb, spec));
}

/* SIGTERM first; whoever asks again does not want to wait. */
static void kill_command(struct monitor *m)
{
	int ret = link_kill(&m->link, m->killing ? SIGKILL : SIGTERM);

	if (ret)
		tell(m, false, "the sandbox does not answer: nothing was killed");
	else if (!m->killing)
		tell(m, true, "told the command to end (SIGTERM); again: SIGKILL");
	m->killing = true;
}

static void act(struct monitor *m, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_NONE:
		break;
	case EFFECT_SEND:
		send_key(m, effect->key);
		break;
	case EFFECT_ALLOW:
		ask(m, "allow", effect->spec);
		break;
	case EFFECT_DENY:
		ask(m, "deny", effect->spec);
		break;
	case EFFECT_UNDO:
		ask(m, "undo", NULL);
		break;
	case EFFECT_DISCONNECT:
		feed_asked(m->model, link_disconnect(&m->link, effect->cookie, effect->spec));
		break;
	case EFFECT_SHUT:
		ask(m, "shut", effect->spec);
		break;
	case EFFECT_TRY:
	case EFFECT_APPLY:
	case EFFECT_RELOAD:
	case EFFECT_SAVE:
		edits_act(&m->link, m->model, effect->kind);
		break;
	case EFFECT_DETACH:
		finish(m, MONITOR_DETACHED);
		break;
	case EFFECT_KILL:
		kill_command(m);
		break;
	case EFFECT_REDRAW:
		term_forget(m->term);
		break;
	}
}

static void read_keys(struct monitor *m)
{
	struct event e;
	struct effect effect;
	struct key key;

	while (!m->ended && term_read(m->term, &key)) {
		e = feed_event(EVENT_KEY);
		e.key = &key;
		effect = model_apply(m->model, &e);
		act(m, &effect);
	}
}

static void read_signals(struct monitor *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			resize(m);
		} else if (info.ssi_signo == SIGTSTP) {
			term_stop(m->term);
			resize(m);
		} else {
			m->result->signal = (int)info.ssi_signo;
			finish(m, MONITOR_DETACHED);
		}
	}
}

static void take_connections(struct monitor *m, struct link_message *message)
{
	struct event e = feed_event(EVENT_CONNECTIONS);

	e.connections = &message->connections;
	model_apply(m->model, &e);
	free(message->connections.v);
	free(message->body);
}

static void read_control(struct monitor *m)
{
	struct link_message message;

	do {
		link_receive(&m->link, &message);
		switch (message.news) {
		case LINK_NOTHING:
			break;
		case LINK_SWAP:
			m->look = 0;
			break;
		case LINK_REPLY:
			tell(m, message.ok, message.text);
			m->look = 0;
			break;
		case LINK_POLICY:
		case LINK_HITS:
		case LINK_SAVE:
		case LINK_TRIAL:
			edits_take(m->model, &message);
			break;
		case LINK_CONNECTIONS:
			take_connections(m, &message);
			break;
		case LINK_EXIT:
			m->result->status = message.status;
			m->result->by_sandtop = message.by_sandtop;
			finish(m, m->killing ? MONITOR_KILLED : MONITOR_EXITED);
			break;
		case LINK_GONE:
			finish(m, MONITOR_LOST);
			break;
		}
	} while (message.news != LINK_NOTHING && !m->ended);
}

/*
 * What the ledger has not is asked for while it shows alone: it costs the sandbox nothing, but for
 * the connections the machine a look at every task.
 */
static void look(struct monitor *m)
{
	const enum pane_kind pane = m->model->pane;
	uint64_t now = feed_elapsed();

	if (pane != m->looked || now >= m->look) {
		m->looked = pane;
		m->look = now + LOOK * MILLISECOND;
		/* What does not go now goes the next time. */
		if (pane == MODEL_CONNECTIONS)
			link_ask_connections(&m->link);
		else if (pane == MODEL_RULES)
			edits_look(&m->link, m->model);
	}
}

static bool shows_output(const struct monitor *m)
{
	return m->output.pane && m->model->pane == MODEL_OUTPUT;
}

static void draw(struct monitor *m)
{
	view_render(m->model, &m->cells);
	if (shows_output(m)) {
		pane_render(m->output.pane, &m->cells, output_rect(m));
		view_render_bar(m->model, &m->cells);
	}
	if (m->output.pane && pane_take_bell(m->output.pane))
		term_ring(m->term);
	term_set_mouse(m->term, shows_output(m) ? pane_mouse(m->output.pane) : PANE_MOUSE_NONE);
	term_draw(m->term, &m->cells);
	m->model->dirty = false;
	m->output.changed = false;
}

/* Draw if there is something new and the last picture is old enough. Returns ms to wait for it. */
static int draw_when_due(struct monitor *m)
{
	uint64_t now = feed_elapsed();

	if (!m->model->dirty && !(m->output.changed && shows_output(m)))
		return TICK;
	if (now < m->frame + FRAME * MILLISECOND)
		return (int)((m->frame + FRAME * MILLISECOND - now) / MILLISECOND) + 1;
	m->frame = now;
	draw(m);
	return TICK;
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
		{ .fd = m->link.control, .events = POLLIN },
		{ .fd = m->link.terminal, .events = (short)(POLLIN | (typed ? POLLOUT : 0)) },
	};

	if (poll(fds, 4, wait_ms(m, draw_when_due(m))) < 0)
		return;
	if (fds[0].revents)
		read_signals(m);
	if (fds[1].revents & POLLIN)
		read_keys(m);
	else if (fds[1].revents)
		finish(m, MONITOR_DETACHED);
	if (fds[3].revents & (POLLIN | POLLHUP | POLLERR))
		output_read(&m->output, &m->link);
	if (m->link.terminal >= 0 && fds[3].revents & POLLOUT)
		output_write(&m->output, &m->link);
	if (fds[2].revents)
		read_control(m);
	if (feed_elapsed() >= m->tick) {
		m->tick = feed_elapsed() + TICK * MILLISECOND;
		feed_read(&m->feed, m->link.ledger, m->model);
		look(m);
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
	if (ret == -EOPNOTSUPP)
		snprintf(text, sizeof(text),
			 "the terminal '%.64s' ($TERM) is unknown, or has no cursor to move: "
			 "expected one such as xterm-256color",
			 name ? name : "");
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
	r = output_rect(m);
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
	if (m->model)
		m->model->profile = m->link.profile;
	if (m->link.terminal >= 0)
		m->output.pane = pane_new(r.h, r.w);
	if (feed_init(&m->feed) || !m->model || (m->link.terminal >= 0 && !m->output.pane))
		return fail(m, -ENOMEM, strerror(ENOMEM));
	return 0;
}

static void release(struct monitor *m)
{
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
	struct monitor m = { .config = *config, .result = out, .signals = -1, .link.terminal = -1 };
	bool color, ascii;
	int ret;

	*out = (struct monitor_result){ .end = MONITOR_LOST };
	ret = prepare(&m);
	if (ret) {
		term_free(m.term);
		release(&m);
		return ret;
	}
	color = term_has_color(m.term);
	ascii = term_is_ascii(m.term);
	cells_init(&m.cells, ascii);
	resize(&m);
	feed_read(&m.feed, m.link.ledger, m.model);
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
