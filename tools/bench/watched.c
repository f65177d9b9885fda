/* SPDX-License-Identifier: MIT */
#include "tools/bench/watched.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/task.h"

enum {
	DEADLINE_S = 60,
	OUTPUT_MAX = 4096,
	ROWS = 50,
	COLUMNS = 160,
};

struct watched {
	char name[32]; /* of the sandbox */
	const char *sandtop;
	bool pinned;
	int in, out; /* to and from the client; -1: closed */
	char output[OUTPUT_MAX];
	size_t len;
	pid_t monitor;          /* 0: not started */
	int terminal;           /* its other end, or -1 */
	char drawn[OUTPUT_MAX]; /* the beginning of what it drew */
	size_t drawn_len;
};

static _Noreturn void be_monitor(const struct watched *w)
{
	if (w->pinned)
		run_pin();
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	execlp(w->sandtop, w->sandtop, "attach", w->name, (char *)NULL);
	err(127, "cannot run '%s'", w->sandtop);
}

static void start_monitor(struct watched *w)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };

	w->monitor = forkpty(&w->terminal, NULL, NULL, &size);
	if (w->monitor < 0)
		err(1, "forkpty");
	if (!w->monitor)
		be_monitor(w);
	fcntl(w->terminal, F_SETFD, FD_CLOEXEC);
}

/* Returns how many bytes of `text` are filled, or -1 at the end. What does not fit is dropped. */
static ssize_t read_more(int fd, char text[static OUTPUT_MAX], size_t len)
{
	char spill[16384];
	ssize_t n = read(fd, spill, sizeof(spill));
	size_t fits = OUTPUT_MAX - 1 - len;

	if (n <= 0)
		return -1;
	fits = (size_t)n < fits ? (size_t)n : fits;
	memcpy(text + len, spill, fits);
	text[len + fits] = '\0';
	return (ssize_t)(len + fits);
}

static void read_client(struct watched *w)
{
	ssize_t n = read_more(w->out, w->output, w->len);

	if (n < 0) {
		close(w->out);
		w->out = -1;
		return;
	}
	w->len = (size_t)n;
	if (!w->monitor && strstr(w->output, WATCHED_READY))
		start_monitor(w);
}

/* The client goes on when the list is there. */
static void read_monitor(struct watched *w)
{
	ssize_t n = read_more(w->terminal, w->drawn, w->drawn_len);

	if (n < 0) {
		close(w->terminal);
		w->terminal = -1;
		return;
	}
	w->drawn_len = (size_t)n;
	if (w->in >= 0 && strstr(w->drawn, "VERDICT")) {
		close(w->in);
		w->in = -1;
	}
}

/* Until both have ended. Returns false after the deadline, and when the list did not come. */
static bool read_all(struct watched *w)
{
	double deadline = sample_now() + 1e9 * DEADLINE_S;

	while (w->out >= 0 || w->terminal >= 0) {
		struct pollfd fds[] = { { .fd = w->out, .events = POLLIN },
					{ .fd = w->terminal, .events = POLLIN } };
		double left = deadline - sample_now();

		if (left <= 0 || (w->monitor && w->terminal < 0 && w->in >= 0))
			return false;
		if (poll(fds, 2, (int)(left / 1e6) + 1) <= 0)
			continue;
		if (fds[0].revents)
			read_client(w);
		if (fds[1].revents)
			read_monitor(w);
	}
	return true;
}

/* The prefix with a name for the sandbox, and with leave for the datagrams to many addresses. */
static struct run_prefix named(const struct run_prefix *prefix, const char *name)
{
	const char *const more[] = { "--name", name, "--net-allow", "udp://127.1.0.0/20" };
	struct run_prefix p = { .name = prefix->name, .word = { prefix->word[0] }, .words = 1 };

	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		p.word[p.words++] = more[i];
	for (int i = 1; i < prefix->words; i++)
		p.word[p.words++] = prefix->word[i];
	return p;
}

static bool end(struct watched *w, pid_t client, const struct row *row, bool ended)
{
	if (w->in >= 0)
		close(w->in);
	if (!ended) {
		warnx("%s: no monitor, or not finished after %d s", row->name, DEADLINE_S);
		kill(client, SIGKILL);
	}
	if (w->out >= 0)
		close(w->out);
	/* It ends when its terminal does. */
	if (w->terminal >= 0)
		close(w->terminal);
	if (w->monitor)
		waitpid(w->monitor, NULL, 0);
	return run_reap(client, "watched", row->name) && ended;
}

bool watched_run(const char *self, const struct run_prefix *prefix, const struct row *row,
		 unsigned count, bool pinned, struct sample *out)
{
	struct watched w = { .sandtop = prefix->word[0], .pinned = pinned, .terminal = -1 };
	const struct run_prefix p = named(prefix, w.name);
	char number[16];
	const char *const command[] = { self, "client", row->name, number, NULL };
	int in[2], from[2];
	pid_t client;

	snprintf(w.name, sizeof(w.name), "bench-%d", getpid());
	snprintf(number, sizeof(number), "%u", count);
	if (pipe2(in, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		err(1, "pipe");
	client = run_spawn(&p, command, pinned, in[0], from[1]);
	close(in[0]);
	close(from[1]);
	w.in = in[1];
	w.out = from[0];
	if (client < 0 || !end(&w, client, row, read_all(&w)))
		return false;
	if (run_parse(row, w.output, out))
		return true;
	warnx("%s: no result in its output", row->name);
	return false;
}
