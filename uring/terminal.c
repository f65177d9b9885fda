/* SPDX-License-Identifier: MIT */
#include "uring/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	OUTPUT_TURN = 16 * 1024, /* bytes from the command in one turn of the loop */
	SEND_TURN = 32 * 1024,   /* bytes to one client in one turn */
	LINE_START_REACH = 4096, /* how far into a cut replay to look for the start of a line */
};

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_behind(const struct terminal_client *c)
{
	return c->fd >= 0 && c->sent < c->terminal->total;
}

/* How many bytes the ring takes before a client would lose one. */
static size_t room(const struct terminal *t)
{
	uint64_t oldest = t->total;

	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		if (is_behind(&t->clients[i]) && t->clients[i].sent < oldest)
			oldest = t->clients[i].sent;
	return TERMINAL_REPLAY - (size_t)(t->total - oldest);
}

static void disconnect(struct terminal_client *c)
{
	if (c->fd < 0)
		return;
	loop_forget(c->terminal->loop, &c->in);
	loop_forget(c->terminal->loop, &c->out);
	close(c->fd);
	c->fd = -1;
	c->have = c->done = 0;
}

/* ---- from the command to its clients ----------------------------------- */

static void send_output(struct terminal_client *c)
{
	struct terminal *t = c->terminal;
	size_t budget = SEND_TURN;

	while (is_behind(c) && budget) {
		size_t at = c->sent % TERMINAL_REPLAY;
		size_t len = min_size((size_t)(t->total - c->sent), TERMINAL_REPLAY - at);
		ssize_t n = send(c->fd, t->replay + at, min_size(len, budget),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN) {
			disconnect(c);
			return;
		}
		if (n < 0)
			break;
		c->sent += (uint64_t)n;
		budget -= (size_t)n;
	}
	if (is_behind(c) && !event_is_armed(&c->out) && loop_poll(t->loop, &c->out, c->fd, POLLOUT))
		disconnect(c);
}

static void client_writable(struct event *ev, int res)
{
	(void)res;
	send_output((struct terminal_client *)((char *)ev - offsetof(struct terminal_client, out)));
}

/* Returns whether the terminal has more. */
static bool read_some(struct terminal *t, size_t *budget)
{
	size_t at = t->total % TERMINAL_REPLAY;
	size_t len = min_size(min_size(room(t), TERMINAL_REPLAY - at), *budget);
	ssize_t n;

	if (!len)
		return false;
	n = read(t->master, t->replay + at, len);
	if (n > 0) {
		t->total += (uint64_t)n;
		*budget -= (size_t)n;
		return true;
	}
	/* EIO: every descriptor of the other side is closed, or it was hung up. */
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		t->ended = true;
	return false;
}

static void output_ready(struct event *ev, int res)
{
	struct terminal *t = (struct terminal *)((char *)ev - offsetof(struct terminal, output));
	size_t budget = OUTPUT_TURN;

	(void)res;
	while (read_some(t, &budget))
		;
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		if (is_behind(&t->clients[i]) && !event_is_armed(&t->clients[i].out))
			send_output(&t->clients[i]);
}

/* ---- from a client to the command --------------------------------------- */

static void await_client(struct terminal_client *c, unsigned what)
{
	loop_forget(c->terminal->loop, &c->in);
	if (loop_poll(c->terminal->loop, &c->in, c->fd, what))
		disconnect(c);
}

/* Type what waits; the client is read from again when all of it went. */
static void type_input(struct terminal_client *c)
{
	struct terminal *t = c->terminal;

	while (c->done < c->have) {
		ssize_t n = write(t->master, c->input + c->done, c->have - c->done);

		if (n > 0) {
			c->done += (size_t)n;
			continue;
		}
		if (n == 0 || errno == EAGAIN) {
			if (!event_is_armed(&t->input) &&
			    loop_poll(t->loop, &t->input, t->master, POLLOUT))
				disconnect(c);
			else if (!event_is_armed(&c->in))
				await_client(c, POLLRDHUP);
			return;
		}
		c->done = c->have; /* nobody is there to read it */
	}
	c->have = c->done = 0;
	await_client(c, POLLIN);
}

static void input_possible(struct event *ev, int res)
{
	struct terminal *t = (struct terminal *)((char *)ev - offsetof(struct terminal, input));

	(void)res;
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		if (t->clients[i].fd >= 0 && t->clients[i].have)
			type_input(&t->clients[i]);
}

static void client_readable(struct event *ev, int res)
{
	struct terminal_client *c =
		(struct terminal_client *)((char *)ev - offsetof(struct terminal_client, in));
	ssize_t n = 0;

	(void)res;
	/* With input that still waits, all that can have happened is that the client has gone. */
	if (!c->have)
		n = recv(c->fd, c->input, sizeof(c->input), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		disconnect(c);
		return;
	}
	c->have = n > 0 ? (size_t)n : 0;
	type_input(c);
}

/* ---- patience ------------------------------------------------------------ */

/* Whether somebody keeps the terminal, or its end, waiting. */
static bool is_waiting(const struct terminal *t)
{
	return t->ending ? !terminal_is_drained(t) : !t->ended && room(t) == 0;
}

static void measure(struct terminal *t)
{
	t->seen_at = t->total;
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		t->clients[i].seen_at = t->clients[i].sent;
}

static void patience_over(struct event *ev, int res)
{
	struct terminal *t = (struct terminal *)((char *)ev - offsetof(struct terminal, patience));

	(void)res;
	if (!is_waiting(t))
		return;
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		if (is_behind(&t->clients[i]) && t->clients[i].sent == t->clients[i].seen_at)
			disconnect(&t->clients[i]);
	/* Somebody outside the sandbox was given a descriptor of the terminal. */
	if (t->ending && t->total == t->seen_at)
		t->ended = true;
}

void terminal_run(struct terminal *t)
{
	if (!t->ended && room(t) && !event_is_armed(&t->output))
		loop_poll(t->loop, &t->output, t->master, POLLIN);
	if (!is_waiting(t) || event_is_armed(&t->patience))
		return;
	measure(t);
	t->wait = (struct __kernel_timespec){ .tv_sec = TERMINAL_PATIENCE };
	loop_timeout(t->loop, &t->patience, &t->wait);
}

/* ---- begin, clients, end -------------------------------------------------- */

int terminal_open(struct terminal *t, const struct termios *settings, const struct winsize *size)
{
	int unlock = 0, ret;

	*t = (struct terminal){
		.slave = -1,
		.output = { .fn = output_ready },
		.input = { .fn = input_possible },
		.patience = { .fn = patience_over },
	};
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		t->clients[i].fd = -1;
	t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->master < 0)
		return -errno;
	/* Not by its name, which may mean another terminal, or nothing, in this mount namespace. */
	if (ioctl(t->master, TIOCSPTLCK, &unlock) == 0)
		t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->slave >= 0 && tcsetattr(t->slave, TCSANOW, settings) == 0 &&
	    ioctl(t->master, TIOCSWINSZ, size) == 0)
		return 0;
	ret = -errno;
	if (t->slave >= 0)
		close(t->slave);
	close(t->master);
	t->master = t->slave = -1;
	return ret;
}

void terminal_start(struct terminal *t, struct loop *loop)
{
	t->loop = loop;
}

int terminal_resize(struct terminal *t, unsigned short rows, unsigned short cols)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };

	return ioctl(t->master, TIOCSWINSZ, &size) ? -errno : 0;
}

/* Where the replay begins: at the start of a line when what came before it was overwritten. */
static uint64_t replay_start(const struct terminal *t)
{
	uint64_t start = t->total > TERMINAL_REPLAY ? t->total - TERMINAL_REPLAY : 0;

	for (uint64_t at = start; start && at < start + LINE_START_REACH; at++)
		if (t->replay[at % TERMINAL_REPLAY] == '\n')
			return at + 1;
	return start;
}

/* A program that drew its screen longer ago than the replay reaches draws it again. */
static void ask_to_redraw(struct terminal *t)
{
	pid_t foreground;

	if (t->total > TERMINAL_REPLAY && ioctl(t->master, TIOCGPGRP, &foreground) == 0 &&
	    foreground > 1)
		kill(-foreground, SIGWINCH);
}

int terminal_attach(struct terminal *t, unsigned short rows, unsigned short cols, int *fd,
		    size_t *replay)
{
	struct terminal_client *c = NULL;
	int pair[2], ret;

	for (size_t i = 0; i < TERMINAL_CLIENTS && !c; i++)
		if (t->clients[i].fd < 0)
			c = &t->clients[i];
	if (!c)
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	*c = (struct terminal_client){
		.terminal = t,
		.fd = pair[0],
		.in = { .fn = client_readable },
		.out = { .fn = client_writable },
		.sent = replay_start(t),
	};
	ret = terminal_resize(t, rows, cols);
	if (!ret)
		ret = loop_poll(t->loop, &c->in, c->fd, POLLIN);
	if (ret) {
		disconnect(c);
		close(pair[1]);
		return ret;
	}
	*replay = (size_t)(t->total - c->sent);
	c->seen_at = c->sent;
	t->attached = true;
	send_output(c);
	ask_to_redraw(t);
	*fd = pair[1];
	return 0;
}

void terminal_end(struct terminal *t)
{
	/* Now the master comes to an end, after what is still in it. */
	close(t->slave);
	t->slave = -1;
	t->ending = true;
	/* A fresh measure: who was slow before is not late yet. */
	loop_forget(t->loop, &t->patience);
}

bool terminal_is_drained(const struct terminal *t)
{
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		if (is_behind(&t->clients[i]))
			return false;
	return t->ended;
}

void terminal_exit(struct terminal *t)
{
	for (size_t i = 0; i < TERMINAL_CLIENTS; i++)
		disconnect(&t->clients[i]);
	if (t->slave >= 0)
		close(t->slave);
	close(t->master);
}
