/* SPDX-License-Identifier: MIT */
#include "tui/monitor.h"

#include <errno.h>
#include <limits.h>
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
#include "tui/job.h"
#include "tui/link.h"
#include "tui/messages.h"
#include "tui/model.h"
#include "tui/output.h"
#include "tui/priority.h"
#include "tui/term.h"
#include "tui/view.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MILLISECOND  UINT64_C(1000000)

enum {
	TICK = 100,  /* ms between two looks at the ledger */
	LOOK = 1000, /* ms between two requests for what a pane shows, or for the questions */
	JUDGE = 300, /* ms at least between two questions what the policy says to rows */
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
	struct messages messages;
	struct judged_batch judged; /* what was asked last */
	struct cells cells;
	int signals;
	sigset_t mask; /* as it was before */
	int w, h;
	bool ended;
	bool over;             /* the command has ended; see result->end */
	bool killing;          /* the operator wants the command to end */
	uint64_t tick;         /* when to look again, CLOCK_MONOTONIC in ns */
	uint64_t look;         /* when to ask again for what the pane shows, */
	enum pane_kind looked; /* and which one that was */
	uint64_t look_held;    /* when to look at the questions again, */
	uint64_t held;         /* and how many there were */
	uint64_t look_output;  /* when to ask for the command's terminal again */
	uint64_t judge;        /* when to ask for verdicts again */
	uint64_t frame;        /* when the last picture was drawn */
};

static void finish(struct monitor *m, enum monitor_end end)
{
	if (m->ended)
		return;
	m->ended = true;
	if (!m->over)
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
	struct view_layout l;
	struct rect old = output_rect(m), r;

	term_size(m->term, &m->w, &m->h);
	cells_resize(&m->cells, m->w, m->h);
	r = output_rect(m);
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
		resize(m);
}

/* Whoever has sent SIGTSTP means this process, whether there is a shell or not. */
static bool stop_alone(void)
{
	raise(SIGSTOP);
	return true;
}

static void stop(struct monitor *m, bool (*how)(void))
{
	term_leave(m->term);
	if (!how())
		tell(m, false, "not stopped: there is no shell that could continue it");
	term_enter(m->term);
	resize(m);
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

static void answered(struct monitor *m, uint64_t id, bool ok)
{
	struct event e = feed_event(EVENT_ANSWERED);

	e.answered.id = id;
	e.answered.ok = ok;
	model_apply(m->model, &e);
}

static void answer(struct monitor *m, const struct effect *effect)
{
	const struct question *q = prompt_find(&m->model->prompt, effect->answer.id);
	const char *name = effect->answer.profile;
	char path[PATH_MAX], dir[PATH_MAX], about[sizeof(q->proto) + sizeof(q->target)] = "";
	int ret;

	/* The sandbox has another working directory. */
	if (name && *name != '/' && getcwd(dir, sizeof(dir)) &&
	    snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		name = path;
	if (q)
		snprintf(about, sizeof(about), "%s %s", q->proto, q->target);
	ret = link_answer(&m->link, effect->answer.id, about, effect->answer.verdict,
			  effect->answer.lifetime, effect->answer.scope, name);

	feed_asked(m->model, ret);
	if (ret)
		answered(m, effect->answer.id, false);
}

/* What only a sandbox that runs can be asked. */
static bool is_request(enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_NONE:
	case EFFECT_SEND:
	case EFFECT_DETACH:
	case EFFECT_REDRAW:
	case EFFECT_STOP:
		return false;
	default:
		return true;
	}
}

static void act(struct monitor *m, const struct effect *effect)
{
	if (m->over && is_request(effect->kind)) {
		tell(m, false, MODEL_NOTHING_LEFT);
		return;
	}
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
	case EFFECT_STOP:
		stop(m, job_stop);
		break;
	case EFFECT_ANSWER:
		answer(m, effect);
		break;
	case EFFECT_PAUSE:
	case EFFECT_RESUME:
		feed_asked(m->model, link_pause(&m->link, effect->kind == EFFECT_PAUSE));
		break;
	case EFFECT_PANIC:
		ask(m, "panic", NULL);
		break;
	case EFFECT_RING:
		term_ring(m->term);
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
		e.spot = spot_at(&m->cells.spots, key.x, key.y);
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
			stop(m, stop_alone);
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

static void take_questions(struct monitor *m, char *text)
{
	struct event e = feed_event(EVENT_QUESTIONS);
	struct effect effect;

	e.questions = text;
	effect = model_apply(m->model, &e);
	act(m, &effect);
	free(text);
}

static void take_reply(struct monitor *m, const struct link_message *message)
{
	if (message->question) {
		answered(m, message->question, message->ok);
		m->look_held = 0;
	}
	if (message->is_pause) {
		struct event e = feed_event(EVENT_PAUSED);

		e.paused = message->paused;
		model_apply(m->model, &e);
	}
	tell(m, message->ok, message->text);
	m->look = 0;
}

static void take_judged(struct monitor *m, const struct judged_reply *reply)
{
	struct event e = feed_event(EVENT_JUDGED);

	e.judged.batch = &m->judged;
	e.judged.reply = reply;
	model_apply(m->model, &e);
}

static void command_ended(struct monitor *m, const struct link_message *message)
{
	struct event e = feed_event(EVENT_ENDED);

	m->result->status = message->status;
	m->result->by_sandtop = message->by_sandtop;
	m->result->end = m->killing ? MONITOR_KILLED : MONITOR_EXITED;
	m->over = true;
	e.status = message->status;
	model_apply(m->model, &e);
	feed_read(&m->feed, m->link.ledger, m->model);
	if (!m->config.hold)
		m->ended = true;
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
			take_reply(m, &message);
			break;
		case LINK_QUESTIONS:
			take_questions(m, message.body);
			break;
		case LINK_POLICY:
			/* Its rules have no hits yet: ask for them without a pause. */
			m->look = 0;
			edits_take(m->model, &message);
			break;
		case LINK_TERMINAL:
			output_renew(&m->output, output_rect(m));
			break;
		case LINK_HITS:
		case LINK_SAVE:
		case LINK_TRIAL:
			edits_take(m->model, &message);
			break;
		case LINK_CONNECTIONS:
			take_connections(m, &message);
			break;
		case LINK_JUDGED:
			take_judged(m, &message.judged);
			break;
		case LINK_EXIT:
			command_ended(m, &message);
			break;
		case LINK_GONE:
			finish(m, MONITOR_LOST);
			break;
		}
	} while (message.news != LINK_NOTHING && !m->ended && !m->over);
}

/*
 * What the ledger has not is asked for while it shows alone: it costs the sandbox nothing, but for
 * the connections the machine a look at every task. With --hold the rules are to show when nobody
 * can be asked any more.
 */
static void look(struct monitor *m)
{
	const enum pane_kind pane = m->model->pane;
	uint64_t now = feed_elapsed();

	if (m->over)
		return;
	if (pane != m->looked || now >= m->look) {
		m->looked = pane;
		m->look = now + LOOK * MILLISECOND;
		/* What does not go now goes the next time. */
		if (pane == MODEL_CONNECTIONS)
			link_ask_connections(&m->link);
		else if (pane == MODEL_RULES || m->config.hold)
			edits_look(&m->link, m->model);
	}
}

/* The sandbox has cut it off, as what the command wrote was not taken: this process was stopped. */
static void look_for_output(struct monitor *m)
{
	const uint64_t now = feed_elapsed();
	struct rect r;

	if (!m->output.pane || m->link.terminal >= 0 || m->over || now < m->look_output)
		return;
	r = output_rect(m);
	link_ask_terminal(&m->link, r.h > 0 ? r.h : 1, r.w > 0 ? r.w : 1);
	m->look_output = now + LOOK * MILLISECOND;
}

/*
 * As soon as their number changes, and now and then while there are some: the sandbox looks into
 * /proc for each of them. What does not go now goes the next time.
 */
static void look_at_questions(struct monitor *m)
{
	const uint64_t held = m->model->head.held, now = feed_elapsed();

	if (m->over || (held == m->held && (now < m->look_held || (!held && !m->model->prompt.n))))
		return;
	if (link_ask_questions(&m->link))
		return;
	m->held = held;
	m->look_held = now + LOOK * MILLISECOND;
}

/*
 * Only of the rows that show, and again when the policy is another or a name may have expired. The
 * supervisor answers between two decisions; in a flood there are other rows at every look.
 */
static void look_at_verdicts(struct monitor *m)
{
	static struct judged_batch batch;
	const uint64_t now = feed_elapsed();

	if (m->model->pane != MODEL_DECISIONS || m->over || now < m->judge ||
	    !judged_wanted(m->model, now, &batch))
		return;
	if (link_judge(&m->link, &batch))
		return;
	m->judged = batch;
	m->judge = now + JUDGE * MILLISECOND;
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
		pane_render(m->output.pane, &m->cells, output_rect(m));
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
		{ .fd = m->over ? -1 : m->link.control, .events = POLLIN },
		{ .fd = m->link.terminal, .events = (short)(POLLIN | (typed ? POLLOUT : 0)) },
		{ .fd = m->messages.fd, .events = POLLIN },
	};

	if (poll(fds, COUNT(fds), wait_ms(m, draw_when_due(m))) < 0)
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
	if (fds[4].revents)
		messages_read(&m->messages, m->model);
	if (fds[2].revents)
		read_control(m);
	if (feed_elapsed() >= m->tick) {
		m->tick = feed_elapsed() + TICK * MILLISECOND;
		feed_read(&m->feed, m->link.ledger, m->model);
		look_at_size(m);
		look_for_output(m);
		look_at_questions(m);
		look(m);
		look_at_verdicts(m);
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
	struct monitor m = { .config = *config, .result = out, .signals = -1, .link.terminal = -1 };
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
	resize(&m);
	feed_read(&m.feed, m.link.ledger, m.model);
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
